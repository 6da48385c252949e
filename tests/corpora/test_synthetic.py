from __future__ import annotations

import pickle
from itertools import combinations

import cv2
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from lipbench import corpora
from lipbench.corpora.synthetic import corpus as synthetic
from lipbench.corpora.synthetic.corpus import SyntheticCorpus
from lipbench.corpora.synthetic.drawing import RENDER_VERSION
from lipbench.corpora.synthetic.sentences import GRID_SLOTS
from lipbench.corpora.tokens import PHONES, characters
from lipbench.corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH
from lipbench.errors import UnknownNameError, UserError

SPEAKERS = 6


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
    [
        *({"seed": 1}, {"train": 9}, {"test": 9}, {"speakers": 2}, {"seconds": (2, 3)}, {"fps": 30}, {"noise": 0.01}),
        {"tokens": "phones"},
    ],
    ids=str,
)
def test_every_option_changes_the_fingerprint(change):
    assert SyntheticCorpus(**change).fingerprint != SyntheticCorpus().fingerprint


def test_the_fingerprint_follows_meaning_not_spelling(monkeypatch):
    plain = SyntheticCorpus().fingerprint
    assert SyntheticCorpus(seconds=[2.5, 4], fps=25).fingerprint == plain
    monkeypatch.setattr(synthetic, "RENDER_VERSION", RENDER_VERSION + 1)
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


def test_unknown_tokens_are_refused():
    with pytest.raises(UnknownNameError, match=r"'words'.*characters, phones"):
        SyntheticCorpus(tokens="words")


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


# --- levels -----------------------------------------------------------------------------------------------------------


def test_phones_and_characters_tell_of_the_same_pixels():
    options = {"train": 0, "test": 3, "seconds": (1.5, 3.0)}
    letters, phones = SyntheticCorpus(**options), SyntheticCorpus(tokens="phones", **options)
    for name in letters.ids("test"):
        one, other = letters.load(name), phones.load(name)
        np.testing.assert_array_equal(one.frames, other.frames)
        assert one.text == other.text
        assert set(other.tokens) <= set(phones.symbols) == set(PHONES)
        assert (one.duration_source, other.duration_source) == (
            "synthetic, characters by even split",
            "synthetic, phones",
        )


@pytest.mark.parametrize("fps", [25.0, 29.97])
def test_lips_meet_in_every_closure_that_is_seen(fps):
    corpus = SyntheticCorpus(train=40, test=0, seconds=(2.5, 4.0), fps=fps, tokens="phones")
    closures = 0
    for name in corpus.ids("train")[::5]:
        clip = corpus.load(name)
        opening = clip.landmarks[:, 18, 1] - clip.landmarks[:, 14, 1]
        ends = np.cumsum(clip.durations)
        for phone, frames, end in zip(clip.tokens, clip.durations, ends, strict=True):
            if phone in ("b", "m", "p") and frames:
                closures += 1
                assert opening[end - frames : end].min() < 0.01, f"{phone} in {clip.text}"
    assert closures > 10


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
