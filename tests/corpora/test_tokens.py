from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipbench.corpora.tokens import BOUNDARY, CHARACTERS, characters, frames_per_token
from lipbench.errors import UserError

words = st.text(alphabet=CHARACTERS[1:], min_size=1, max_size=8)


def test_words_stand_between_boundaries():
    assert characters("bin blue") == tuple("|bin|blue|")


def test_case_and_spacing_do_not_matter():
    assert characters("  Set\tAT ") == characters("set at")


def test_unknown_characters_are_passed_on():
    assert "é" in characters("café")


def test_a_boundary_in_the_text_would_pass_for_silence():
    with pytest.raises(UserError, match=r"holds a '\|'"):
        characters("bin|blue")


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_text_is_the_users_to_mend(text):
    with pytest.raises(UserError, match="empty"):
        characters(text)


@settings(deadline=None)
@given(st.lists(words, min_size=1, max_size=6))
def test_tokens_hold_the_text_and_nothing_else(spoken):
    tokens = characters(" ".join(spoken))
    assert "".join(tokens).strip(BOUNDARY).split(BOUNDARY) == spoken
    assert set(tokens) <= set(CHARACTERS)
    assert tokens[0] == tokens[-1] == BOUNDARY


lengths = st.lists(st.floats(0, 9, allow_nan=False), min_size=1, max_size=30)


@settings(deadline=None)
@given(lengths, st.integers(1, 200))
def test_frames_always_sum_to_the_clip(seconds, n_frames):
    frames = frames_per_token(np.concatenate([[0.0], np.cumsum(seconds)]), n_frames)
    assert len(frames) == len(seconds)
    assert frames.sum() == n_frames
    assert (frames >= 0).all()


@settings(deadline=None)
@given(lengths.filter(lambda seconds: sum(seconds) >= 1))
def test_no_boundary_moves_by_more_than_half_a_frame(seconds):
    edges = np.concatenate([[0.0], np.cumsum(seconds)])
    n_frames = int(np.floor(edges[-1] + 0.5))
    rounded = np.cumsum(frames_per_token(edges, n_frames))
    assert np.abs(rounded - edges[1:]).max() <= 0.5 + 1e-9


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(1, 9))
def test_whole_lengths_stay_as_they_are(count, frames):
    edges = np.arange(count + 1) * float(frames)
    assert frames_per_token(edges, count * frames).tolist() == [frames] * count


def test_what_is_missing_goes_to_the_ends():
    assert frames_per_token([3.0, 5.0, 7.0], 10).tolist() == [5, 5]
    assert frames_per_token([-2.0, 5.0, 40.0], 10).tolist() == [5, 5]


@pytest.mark.parametrize("edges", [[], [1.0], [0.0, 2.0, 1.0], [[0.0, 1.0]]])
def test_bad_boundaries_are_refused(edges):
    with pytest.raises(ValueError, match="boundaries"):
        frames_per_token(edges, 5)
