from __future__ import annotations

import pickle
from itertools import combinations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

import corpora
from corpora.synthetic import corpus as synthetic
from corpora.synthetic.contours import landmarks, shape_mouth
from corpora.synthetic.corpus import SyntheticCorpus
from corpora.synthetic.drawing import draw_frame
from corpora.synthetic.pose import VISEMES, Pose, trajectory
from corpora.synthetic.sentences import BEATS, GRID_SLOTS, MORE_WORDS, split_of, write_sentence
from corpora.synthetic.speakers import draw_speaker
from corpora.tokens import CHARACTERS, characters
from corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH
from models.errors import UnknownNameError, UserError

SPEAKERS = 6
FACES = [draw_speaker(np.random.default_rng([9, index]), tone=index / 5) for index in range(SPEAKERS)]


@pytest.fixture(scope="module")
def corpus() -> SyntheticCorpus:
    return SyntheticCorpus(train=12, test=6)


@pytest.fixture(scope="module")
def clips(corpus):
    """One clip per speaker."""
    return [corpus.load(name) for name in corpus.ids("test")]


def psnr(first, second):
    error = ((first.astype(float) - second) ** 2).mean(axis=(1, 2, 3))
    return float((10 * np.log10(255**2 / np.maximum(error, 1e-3))).mean())


# --- the contract -----------------------------------------------------------------------------------------------------


def test_splits_are_sorted_disjoint_and_of_the_size_asked_for(corpus):
    train, test = corpus.ids("train"), corpus.ids("test")
    assert (len(train), len(test)) == (12, 6)
    assert train == sorted(train)
    assert not set(train) & set(test)
    assert {name.partition("/")[0] for name in test} == {f"f{index:02d}" for index in range(SPEAKERS)}


def test_a_clip_is_what_it_says(corpus, clips):
    assert len({len(clip.frames) for clip in clips}) > 2
    for name, clip in zip(corpus.ids("test"), clips, strict=True):
        assert clip.id == name
        assert clip.split == "test"
        assert clip.speaker == name.partition("/")[0]
        assert clip.fps == corpus.fps == 25.0
        assert clip.tokens == characters(clip.text)
        assert set(clip.tokens) <= set(corpus.symbols)
        assert 2.5 * 25 - 1 <= len(clip.frames) <= 4.0 * 25 + 1
        assert clip.durations[0] > 0
        assert clip.durations[-1] > 0
        for word, slot in zip(clip.text.split(), GRID_SLOTS, strict=False):
            assert word in slot


def test_loading_depends_on_seed_and_id_alone():
    options = {"train": 5, "test": 2, "seconds": (0.5, 0.9)}
    first, second, other = (SyntheticCorpus(seed=seed, **options) for seed in (3, 3, 4))
    for name in reversed(second.ids("train")):
        second.load(name)
    name = first.ids("train")[1]
    once, again, travelled = first.load(name), second.load(name), pickle.loads(pickle.dumps(first)).load(name)
    for clip in (again, travelled):
        assert clip.text == once.text
        np.testing.assert_array_equal(clip.frames, once.frames)
        np.testing.assert_array_equal(clip.landmarks, once.landmarks)
        np.testing.assert_array_equal(clip.durations, once.durations)
    changed = other.load(name)
    assert changed.frames.shape != once.frames.shape or (changed.frames != once.frames).any()


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"train": 9}, {"test": 9}, {"speakers": 2}, {"seconds": (2, 3)}, {"fps": 30}, {"noise": 0.01}],
    ids=str,
)
def test_every_option_changes_the_fingerprint(change):
    assert SyntheticCorpus(**change).fingerprint != SyntheticCorpus().fingerprint


def test_the_fingerprint_follows_meaning_not_spelling(monkeypatch):
    plain = SyntheticCorpus().fingerprint
    assert SyntheticCorpus(seconds=[2.5, 4], fps=25).fingerprint == plain
    monkeypatch.setattr(synthetic, "RENDER_VERSION", synthetic.RENDER_VERSION + 1)
    assert SyntheticCorpus().fingerprint != plain


@pytest.mark.parametrize(
    "options",
    [
        {"seed": -1},
        {"train": -1},
        {"train": 0, "test": 0},
        {"speakers": 0},
        {"speakers": 101},
        {"seconds": (4.0, 2.5)},
        {"seconds": (0.0, 1.0)},
        {"seconds": 3.0},
        {"seconds": (1.0, 2.0, 3.0)},
        {"fps": 0},
        {"fps": float("nan")},
        {"noise": -0.1},
        {"noise": 2},
    ],
    ids=str,
)
def test_bad_options_are_named(options):
    with pytest.raises(UserError, match=next(iter(options))):
        SyntheticCorpus(**options)


@pytest.mark.parametrize("name", ["", "f00/18", "f01/000000", "f00/000018", "s1/bbaf2n"])
def test_unknown_ids_are_refused(corpus, name):
    with pytest.raises(UserError, match=r"f00/000000 to f05/000017"):
        corpus.load(name)


def test_unknown_splits_are_refused(corpus):
    with pytest.raises(UserError, match="validation"):
        corpus.ids("validation")


def test_it_opens_by_name():
    assert corpora.create("synthetic", train=1, test=0).ids("train") == ["f00/000000"]
    with pytest.raises(UnknownNameError, match="'train'"):
        corpora.create("synthetic", trian=1)


# --- sentences --------------------------------------------------------------------------------------------------------


def test_every_letter_that_can_be_said_has_a_length():
    said = {letter for word in (*MORE_WORDS, *(word for slot in GRID_SLOTS for word in slot)) for letter in word}
    assert said <= set(BEATS) == set(CHARACTERS[1:])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 250), st.sampled_from([25.0, 29.97]), st.sampled_from(["train", "test"]))
def test_a_sentence_fills_its_clip_and_stays_in_its_split(seed, n_frames, fps, split):
    sentence = write_sentence(np.random.default_rng(seed), n_frames=n_frames, fps=fps, split=split)
    assert sentence.tokens == characters(sentence.text)
    assert len(sentence.durations) == len(sentence.tokens)
    assert sentence.durations.sum() == n_frames
    assert split_of(sentence.text) == split


def test_each_letter_may_stand_in_either_split_even_alone():
    """The shortest clips hold a single word of a GRID sentence; both splits need some to draw from."""
    assert {split_of(word) for word in GRID_SLOTS[3]} == {"train", "test"}


def test_speech_runs_at_the_rate_of_speech():
    rng = np.random.default_rng(0)
    for n_frames in (62, 75, 100):
        sentences = [write_sentence(rng, n_frames=n_frames, fps=25.0, split="train") for _ in range(40)]
        letters = np.array([len(sentence.text.replace(" ", "")) for sentence in sentences])
        frames = np.array([sentence.durations[1:-1].sum() for sentence in sentences])
        assert 1.4 < (frames / letters).min() <= (frames / letters).max() < 3.2


def test_vowels_last_longer_than_stops():
    rng = np.random.default_rng(0)
    heard: dict[str, list[int]] = {"a": [], "t": []}
    for _ in range(80):
        sentence = write_sentence(rng, n_frames=80, fps=25.0, split="train")
        for token, frames in zip(sentence.tokens, sentence.durations, strict=True):
            heard.setdefault(token, []).append(int(frames))
    assert np.mean(heard["a"]) > 1.5 * np.mean(heard["t"])
    assert np.std(heard["a"]) > 0.2


# --- pose -------------------------------------------------------------------------------------------------------------


def test_every_symbol_has_a_viseme():
    assert set(VISEMES) == set(CHARACTERS)


def poses(text, frames=3):
    tokens = characters(text)
    track = trajectory(tokens, np.full(len(tokens), frames), fps=25.0)
    return {(index, token): Pose(*track[frames * index + frames // 2]) for index, token in enumerate(tokens)}


@pytest.mark.parametrize("closed", "bmp")
@pytest.mark.parametrize("vowel", "aeo")
def test_closures_close_between_open_vowels(closed, vowel):
    pose = poses(f"{vowel}{closed}{vowel}")
    assert pose[2, closed].aperture < 0.05 < 0.3 < pose[1, vowel].aperture
    assert pose[2, closed].press > 0.7


@pytest.mark.parametrize(
    ("part", "letter"),
    [("aperture", "a"), ("jaw", "a"), ("spread", "i"), ("rounding", "u"), ("press", "b"), ("bite", "f")],
)
def test_letters_look_like_themselves(part, letter):
    pose = {said: getattr(pose, part) for (_, said), pose in poses("abiufa").items()}
    assert max(pose, key=lambda said: pose[said]) == letter
    assert pose[letter] > 0.4


def test_neighbours_colour_a_consonant():
    assert poses("oto")[2, "t"].rounding > poses("iti")[2, "t"].rounding + 0.3


def test_silence_rests_and_motion_is_smooth():
    track = trajectory(characters("about a baby"), np.array([9, 3, 2, 3, 2, 2, 0, 3, 0, 2, 3, 2, 3, 9]), fps=25.0)
    assert np.abs(track[[0, 1, -2, -1]]).max() < 0.1
    assert ((track >= 0) & (track <= 1)).all()
    assert np.abs(np.diff(track, axis=0)).max() < 0.75


def test_a_token_of_no_frame_leaves_no_trace():
    with_it = trajectory(("|", "a", "b", "a", "|"), np.array([3, 4, 0, 4, 3]), fps=25.0)
    without = trajectory(("|", "a", "a", "|"), np.array([3, 4, 4, 3]), fps=25.0)
    np.testing.assert_allclose(with_it, without, atol=1e-9)


def test_the_same_speech_at_twice_the_rate_is_the_same_motion():
    tokens = characters("bad")
    slow = trajectory(tokens, np.array([4, 2, 4, 2, 4]), fps=25.0)
    fast = trajectory(tokens, np.array([8, 4, 8, 4, 8]), fps=50.0)
    assert np.abs(0.5 * (fast[::2] + fast[1::2]) - slow).max() < 0.12


# --- contours and landmarks -------------------------------------------------------------------------------------------

POSES = {
    "rest": Pose(),
    "a": VISEMES["a"].target,
    "i": VISEMES["i"].target,
    "u": VISEMES["u"].target,
    "f": VISEMES["f"].target,
    "p": VISEMES["p"].target,
}


def area(points):
    x, y = points.T
    return 0.5 * float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())


@pytest.mark.parametrize("pose", POSES.values(), ids=POSES)
@pytest.mark.parametrize("face", FACES)
def test_landmarks_stand_in_dlibs_order(face, pose):
    points = landmarks(shape_mouth(face, pose))
    outer, inner = points[:12], points[12:]
    assert points.shape == (20, 2)
    assert outer[:, 0].argmin() == 0
    assert outer[:, 0].argmax() == 6
    assert outer[:, 1].argmin() in (2, 3, 4)
    assert outer[:, 1].argmax() == 9
    assert area(outer) > 0  # clockwise as seen, with y pointing down
    assert area(inner) >= 0
    assert area(inner) < area(outer)
    assert (np.abs(outer[3, 0] - outer[9, 0]), np.abs(inner[2, 0] - inner[6, 0])) == pytest.approx((0, 0), abs=1e-4)
    assert (points >= 0).all()
    assert (points <= [FRAME_WIDTH - 1, FRAME_HEIGHT - 1]).all()


@pytest.mark.parametrize("face", FACES)
def test_the_pose_shows_in_the_landmarks(face):
    shape = {name: landmarks(shape_mouth(face, pose)) for name, pose in POSES.items()}
    opening = {name: points[18, 1] - points[14, 1] for name, points in shape.items()}
    width = {name: points[6, 0] - points[0, 0] for name, points in shape.items()}
    assert opening["rest"] == opening["p"] == 0
    assert opening["a"] > 15 > opening["i"] > opening["f"] > 0
    assert width["u"] < 0.85 * width["rest"] < width["rest"] < width["i"]


def test_an_offset_shifts_the_landmarks():
    mouths = [shape_mouth(FACES[0], POSES["a"], offset=offset) for offset in ((0.0, 0.0), (2.0, -3.0))]
    np.testing.assert_allclose(landmarks(mouths[1]) - landmarks(mouths[0]), np.tile([2, -3], (20, 1)), atol=1e-4)


# --- pixels -----------------------------------------------------------------------------------------------------------


def redness(pixels):
    """How red a colour is, whatever its brightness."""
    return pixels[..., 0] / pixels[..., 1]


def pixel(picture, point, dy=0):
    return picture[round(float(point[1])) + dy, round(float(point[0]))]


@pytest.mark.parametrize("face", FACES)
def test_lips_are_where_the_landmarks_say(face):
    mouth = shape_mouth(face, POSES["a"])
    picture, points = draw_frame(face, mouth), landmarks(mouth)
    for index in (2, 3, 4):  # upper edge: skin above, lip below
        assert redness(pixel(picture, points[index], 3)) > redness(pixel(picture, points[index], -3)) + 0.1
    for index in (8, 9, 10):  # lower edge: lip above, skin below
        assert redness(pixel(picture, points[index], -3)) > redness(pixel(picture, points[index], 3)) + 0.1


@pytest.mark.parametrize("face", FACES)
def test_an_open_mouth_shows_teeth_and_the_dark_behind(face):
    mouth = shape_mouth(face, POSES["a"])
    picture, points = draw_frame(face, mouth), landmarks(mouth)
    # Half a tooth aside: the gap between the front teeth is in the very middle.
    column = round(mouth.centre[0] + face.tooth / 2)
    inside = picture[round(float(points[14, 1])) + 2 : round(float(points[18, 1])) - 1, column]
    assert inside.min(axis=1).max() > 0.55  # teeth: bright in all three channels
    assert inside.max(axis=1).min() < 0.25  # the dark


@pytest.mark.parametrize("pose", POSES.values(), ids=POSES)
def test_edges_are_smooth(pose):
    """A mouth half a pixel further on lies between the two whole steps: no edge snaps to the grid."""
    still, half, whole = (
        draw_frame(FACES[1], shape_mouth(FACES[1], pose, offset=(0.0, dy)), offset=(0.0, dy)) for dy in (0.0, 0.5, 1.0)
    )
    assert np.abs(half - 0.5 * (still + whole)).max() < 0.25
    assert np.abs(half - still).mean() > 0


def test_light_scales_the_whole_picture():
    mouth = shape_mouth(FACES[0], POSES["i"])
    np.testing.assert_allclose(
        draw_frame(FACES[0], mouth, light=0.5), 0.5 * draw_frame(FACES[0], mouth), rtol=1e-5, atol=1e-6
    )


def test_noise_has_the_strength_asked_for():
    options = {"train": 1, "test": 0, "seconds": (0.4, 0.4)}
    clean, noisy = (SyntheticCorpus(noise=noise, **options).load("f00/000000") for noise in (0.0, 0.02))
    difference = (noisy.frames.astype(float) - clean.frames)[(clean.frames > 30) & (clean.frames < 225)]
    assert difference.std() / 255 == pytest.approx(0.02, rel=0.05)
    np.testing.assert_array_equal(clean.landmarks, noisy.landmarks)


# --- what the corpus is for -------------------------------------------------------------------------------------------


def test_standing_still_scores_far_below_being_one_frame_late(clips):
    for clip in clips:
        frames = clip.frames
        assert psnr(frames[1:], frames[:1]) < psnr(frames[1:], frames[:-1]) - 5
        some = range(10, len(frames), 7)
        still = [structural_similarity(frames[index], frames[0], channel_axis=-1) for index in some]
        late = [structural_similarity(frames[index], frames[index - 1], channel_axis=-1) for index in some]
        assert np.mean(still) < np.mean(late) - 0.04


def test_standing_still_scores_below_being_three_frames_late(clips):
    """As it does on GRID, taken over clips."""
    still = [psnr(clip.frames[3:], clip.frames[:1]) for clip in clips]
    late = [psnr(clip.frames[3:], clip.frames[:-3]) for clip in clips]
    assert np.mean(still) < np.mean(late)


def test_every_mouth_opens_and_closes(clips):
    for clip in clips:
        opening = clip.landmarks[:, 18, 1] - clip.landmarks[:, 14, 1]
        assert opening.min() < 0.5
        assert opening.max() > 8
        moving = np.abs(np.diff(clip.frames.astype(float), axis=0)).mean(axis=(1, 2, 3))
        assert moving.max() > 2


def test_the_first_frame_tells_who_speaks(corpus, clips):
    """Once light and place are made equal, as both change from clip to clip."""

    def evened(clip):
        dx, dy = np.array([79.5, 34.0]) - clip.landmarks[0, :12].mean(axis=0)
        moved = cv2.warpAffine(clip.frames[0], np.array([[1, 0, dx], [0, 1, dy]]), (FRAME_WIDTH, FRAME_HEIGHT))
        middle = moved[None, 8:-8, 8:-8].astype(float)
        return middle * (128 / middle.mean())

    for index in range(SPEAKERS):
        first = evened(corpus.load(f"f{index:02d}/{index:06d}"))
        scores = [psnr(evened(clip), first) for clip in clips]
        assert int(np.argmax(scores)) == index


def test_speakers_differ(clips):
    tones = [clip.frames[0].astype(float).mean(axis=(0, 1)) for clip in clips]
    assert min(float(np.linalg.norm(first - second)) for first, second in combinations(tones, 2)) > 3
