"""Text and durations: what a synthetic speaker says, and how long each character lasts."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpora.grid.vocabulary import SLOTS
from corpora.tokens import BOUNDARY, characters, frames_per_token
from corpora.utterance import Split

GRID_SLOTS: tuple[tuple[str, ...], ...] = tuple(tuple(slot.values()) for slot in SLOTS)
"""The words of each slot of a GRID sentence."""

MORE_WORDS: tuple[str, ...] = (
    "about", "apple", "baby", "before", "bottom", "cover", "daughter", "evening", "family", "father", "follow",
    "garden", "happy", "house", "island", "jump", "kitchen", "laugh", "moment", "morning", "mother", "never",
    "open", "over", "paper", "people", "problem", "quiet", "river", "school", "shadow", "simple", "summer", "table",
    "thumb", "travel", "under", "value", "very", "voice", "water", "weather", "window", "wolf", "yellow", "zebra",
)  # fmt: skip
"""Words that lengthen a sentence until it fills its clip."""

SECONDS_PER_BEAT = 0.082
"""Mean length of a character: GRID speakers say about twelve in a second."""

BEATS: dict[str, float] = {
    **dict.fromkeys("aou", 1.4),
    **dict.fromkeys("ei", 1.15),
    **dict.fromkeys("fmsvwxyz", 1.05),
    **dict.fromkeys("bcghjlnpqr", 0.9),
    **dict.fromkeys("dkt", 0.7),
    "'": 0.2,
}
"""Length of each character relative to `SECONDS_PER_BEAT`."""

PAUSE_BEATS = 1.6
PAUSE_CHANCE = 0.12
SPREAD = 0.14
"""Standard deviation of the logarithm of a character's length, from one utterance to the next."""

TEST_SHARE = 6
"""One sentence in so many is kept for testing."""


class Sentence(NamedTuple):
    """What is said, and when."""

    text: str
    tokens: tuple[str, ...]
    durations: NDArray[np.int64]
    """(m,) frames per token, summing to the clip's length."""


def write_sentence(rng: np.random.Generator, *, n_frames: int, fps: float, split: Split) -> Sentence:
    """Make up a sentence that fills a clip.

    It begins as a GRID sentence and goes on with drawn words; a clip too short for six words gets a few
    neighbouring ones of them.

    Args:
        rng: where the choices come from.
        n_frames: length of the clip, at least 1.
        fps: frames per second.
        split: which split the clip belongs to. The text alone decides the split that a sentence can occur in, so no
            sentence is ever in both.

    Returns:
        The sentence, with silence at both ends unless the clip is shorter than a few frames.
    """
    silences = rng.uniform(0.12, 0.36, size=2)
    silences *= min(1.0, 0.3 * n_frames / fps / silences.sum())
    beats = (n_frames / fps - silences.sum()) / SECONDS_PER_BEAT
    text = _draw_text(rng, beats)
    while split_of(text) != split:
        text = _draw_text(rng, beats)
    tokens = characters(text)
    lengths = _token_beats(rng, tokens)
    speech = n_frames / fps - silences.sum()
    seconds = np.concatenate([silences[:1], lengths * speech / lengths.sum(), silences[1:]])
    edges = np.concatenate([[0.0], np.cumsum(seconds)]) * fps
    return Sentence(text, tokens, frames_per_token(edges, n_frames))


def split_of(text: str) -> Split:
    """The one split that a sentence may occur in, decided by its letters."""
    return "test" if zlib.crc32(text.encode()) % TEST_SHARE == 0 else "train"


def _draw_text(rng: np.random.Generator, beats: float) -> str:
    words = [slot[rng.integers(len(slot))] for slot in GRID_SLOTS]
    while len(words) > 1 and _word_beats(words) > 1.15 * beats:
        words.pop(0 if rng.random() < 0.5 else -1)
    while True:
        word = MORE_WORDS[rng.integers(len(MORE_WORDS))]
        # Stop where the rate of speech is nearest to the usual one.
        if abs(_word_beats([*words, word]) - beats) >= abs(_word_beats(words) - beats):
            return " ".join(words)
        words.append(word)


def _word_beats(words: list[str]) -> float:
    return sum(BEATS[letter] for word in words for letter in word)


def _token_beats(rng: np.random.Generator, tokens: tuple[str, ...]) -> NDArray[np.float64]:
    """Lengths of all tokens but the silences at both ends."""
    inner = tokens[1:-1]
    pauses = np.where(rng.random(len(inner)) < PAUSE_CHANCE, PAUSE_BEATS, 0.0)
    usual = np.array([pause if token == BOUNDARY else BEATS[token] for token, pause in zip(inner, pauses, strict=True)])
    return usual * np.exp(SPREAD * rng.standard_normal(len(inner)))
