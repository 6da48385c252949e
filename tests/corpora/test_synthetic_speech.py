"""What synthetic speakers say, and how their mouths stand when they say it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipbench.corpora.alignments.durations import align_tokens
from lipbench.corpora.synthetic.lexicon import PRONUNCIATIONS
from lipbench.corpora.synthetic.pose import VISEMES, Pose, trajectory
from lipbench.corpora.synthetic.sentences import BEATS, GRID_SLOTS, MORE_WORDS, split_of, write_sentence
from lipbench.corpora.tokens import PHONE_SILENCE, PHONES, characters

# --- sentences --------------------------------------------------------------------------------------------------------


WORDS = {*MORE_WORDS, *(word for slot in GRID_SLOTS for word in slot)}


def test_every_word_can_be_said_and_every_phone_has_a_length():
    assert set(PRONUNCIATIONS) == WORDS
    said = {phone for word in WORDS for phone in PRONUNCIATIONS[word].split()}
    assert said <= set(BEATS) == set(PHONES[1:])


def write(seed=0, *, n_frames=75, fps=25.0, split="train"):
    return write_sentence(np.random.default_rng(seed), seconds=n_frames / fps, split=split)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 250), st.sampled_from([25.0, 29.97]), st.sampled_from(["train", "test"]))
def test_a_sentence_fills_its_clip_and_stays_in_its_split(seed, n_frames, fps, split):
    spoken = write(seed, n_frames=n_frames, fps=fps, split=split)
    letters, phones = (align_tokens(spoken, level, n_frames, fps=fps) for level in ("characters", "phones"))
    assert letters.text == phones.text
    assert letters.tokens == characters(letters.text)
    assert [p for p in phones.tokens if p != PHONE_SILENCE] == [
        phone for word in phones.text.split() for phone in PRONUNCIATIONS[word].split()
    ]
    assert phones.tokens[0] == phones.tokens[-1] == PHONE_SILENCE
    assert letters.durations.sum() == phones.durations.sum() == n_frames
    # both levels begin and end their words at the same frame
    assert letters.durations[0] == phones.durations[0]
    assert letters.durations[-1] == phones.durations[-1]
    assert split_of(letters.text) == split


def test_each_letter_may_stand_in_either_split_even_alone():
    """The shortest clips hold a single word of a GRID sentence; both splits need some to draw from."""
    assert {split_of(word) for word in GRID_SLOTS[3]} == {"train", "test"}


def test_speech_runs_at_the_rate_of_speech():
    for seed in range(120):
        spoken = write(seed, n_frames=(62, 75, 100)[seed % 3])
        lengths = [phone.end - phone.start for phone in spoken.phones]
        assert 0.07 < np.mean(lengths) < 0.13
        assert min(lengths) > 0.03


def test_vowels_last_longer_than_stops():
    heard = {phone: [] for phone in PHONES}
    for seed in range(80):
        for phone in write(seed, n_frames=80).phones:
            heard[phone.label].append(phone.end - phone.start)
    assert np.mean(heard["ay"]) > np.mean(heard["ih"]) > np.mean(heard["t"])
    assert np.std(heard["iy"]) > 0.008


def test_some_words_are_followed_by_a_pause():
    gaps = [after.start - before.end for seed in range(40) for before, after in pairwise(write(seed).words)]
    paused = np.array(gaps) > 0.05
    assert 0.05 < paused.mean() < 0.25
    assert np.abs(np.array(gaps)[~paused]).max() == 0


# --- pose -------------------------------------------------------------------------------------------------------------


def test_every_symbol_has_a_viseme():
    assert set(VISEMES) == set(PHONES)


def poses(phones, frames=3):
    """Pose in the middle of each phone, by its place and name; silence around."""
    said = ("sil", *phones.split(), "sil")
    track = trajectory(said, np.full(len(said), frames), fps=25.0)
    return {(index, phone): Pose(*track[frames * index + frames // 2]) for index, phone in enumerate(said)}


@pytest.mark.parametrize("closed", "bmp")
@pytest.mark.parametrize("vowel", ["aa", "eh", "ow", "uw"])
@pytest.mark.parametrize("frames", [1, 2, 3, 6])
def test_closures_close_between_vowels(closed, vowel, frames):
    pose = poses(f"{vowel} {closed} {vowel}", frames)[2, closed]
    assert pose.aperture < 0.05
    assert pose.press > 0.7


@pytest.mark.parametrize("vowel", ["aa", "eh", "ow"])
def test_a_closure_leaves_the_vowel_open(vowel):
    assert poses(f"{vowel} b {vowel}")[1, vowel].aperture > 0.3


@pytest.mark.parametrize(
    ("part", "phone"),
    [("aperture", "aa"), ("jaw", "aa"), ("spread", "iy"), ("rounding", "uw"), ("press", "b"), ("bite", "f")],
)
def test_phones_look_like_themselves(part, phone):
    pose = {said: getattr(pose, part) for (_, said), pose in poses("aa b iy uw f aa").items()}
    assert max(pose, key=lambda said: pose[said]) == phone
    assert pose[phone] > 0.4


def test_neighbours_colour_a_consonant():
    assert poses("ow t ow")[2, "t"].rounding > poses("iy t iy")[2, "t"].rounding + 0.3
    assert poses("aa t aa")[2, "t"].aperture > poses("uw t uw")[2, "t"].aperture + 0.1


def test_a_diphthong_moves_from_one_vowel_to_another():
    track = trajectory(("sil", "ay", "sil"), np.array([6, 6, 6]), fps=25.0)
    first, last = Pose(*track[7]), Pose(*track[10])
    assert first.aperture > last.aperture + 0.1
    assert last.tongue > first.tongue + 0.05


def test_silence_rests_and_motion_is_smooth():
    said = ("sil", "ah", "b", "aw", "t", "ah", "b", "ey", "b", "iy", "sil")
    track = trajectory(said, np.array([9, 3, 2, 4, 2, 2, 2, 4, 2, 3, 9]), fps=25.0)
    assert np.abs(track[[0, 1, -2, -1]]).max() < 0.1
    assert ((track >= 0) & (track <= 1)).all()
    assert np.abs(np.diff(track, axis=0)).max() < 0.75


def test_a_phone_of_no_frame_leaves_no_trace():
    with_it = trajectory(("sil", "aa", "b", "aa", "sil"), np.array([3, 4, 0, 4, 3]), fps=25.0)
    without = trajectory(("sil", "aa", "aa", "sil"), np.array([3, 4, 4, 3]), fps=25.0)
    np.testing.assert_allclose(with_it, without, atol=1e-9)


def test_the_same_speech_at_twice_the_rate_is_the_same_motion():
    said = ("sil", "b", "ae", "d", "sil")
    slow = trajectory(said, np.array([4, 2, 4, 2, 4]), fps=25.0)
    fast = trajectory(said, np.array([8, 4, 8, 4, 8]), fps=50.0)
    assert np.abs(0.5 * (fast[::2] + fast[1::2]) - slow).max() < 0.12
