"""What a synthetic speaker says, and when: words and phones with their times."""

from __future__ import annotations

import zlib
from itertools import pairwise

import numpy as np

from lipbench.corpora.alignments.alignment import Alignment, LabelInterval
from lipbench.corpora.grid.vocabulary import SLOTS
from lipbench.corpora.synthetic.lexicon import PRONUNCIATIONS
from lipbench.corpora.utterance import Split

GRID_SLOTS: tuple[tuple[str, ...], ...] = tuple(tuple(slot.values()) for slot in SLOTS)
"""The words of each slot of a GRID sentence."""

MORE_WORDS: tuple[str, ...] = (
    "about", "apple", "baby", "before", "bottom", "cover", "daughter", "evening", "family", "father", "follow",
    "garden", "happy", "house", "island", "jump", "kitchen", "laugh", "moment", "morning", "mother", "never",
    "open", "over", "paper", "people", "problem", "quiet", "river", "school", "shadow", "simple", "summer", "table",
    "thumb", "travel", "under", "value", "very", "voice", "water", "weather", "window", "wolf", "yellow", "zebra",
)  # fmt: skip
"""Words that lengthen a sentence until it fills its clip."""

SECONDS_PER_BEAT = 0.095
"""Mean length of a phone: ten to eleven in a second, as in read speech."""

BEATS: dict[str, float] = {
    **dict.fromkeys(("aw", "ay", "ey", "ow", "oy"), 1.5),
    **dict.fromkeys(("aa", "ae", "ao", "er", "iy", "uw"), 1.3),
    **dict.fromkeys(("ah", "eh", "ih", "uh"), 1.0),
    **dict.fromkeys(("ch", "f", "jh", "s", "sh", "th", "v", "z", "zh"), 1.05),
    **dict.fromkeys(("b", "l", "m", "n", "ng", "p", "r", "w", "y"), 0.9),
    **dict.fromkeys(("d", "dh", "g", "hh", "k", "t"), 0.75),
}
"""Length of each phone relative to `SECONDS_PER_BEAT`."""

PAUSE_BEATS = 1.6
PAUSE_CHANCE = 0.12
SPREAD = 0.14
"""Standard deviation of the logarithm of a phone's length, from one utterance to the next."""

TEST_SHARE = 6
"""One sentence in so many is kept for testing."""


def write_sentence(rng: np.random.Generator, *, seconds: float, split: Split) -> Alignment:
    """Make up a sentence that fills a clip.

    It begins as a GRID sentence and goes on with drawn words; a clip too short for six words gets a few
    neighbouring ones of them.

    Args:
        rng: where the choices come from.
        seconds: length of the clip, above 0.
        split: which split the clip belongs to. The text alone decides the split that a sentence can occur in, so no
            sentence is ever in both.

    Returns:
        Words and phones with their times, as an aligner would find them: silence at both ends, and here and there
        between two words.
    """
    silences = rng.uniform(0.12, 0.36, size=2)
    silences *= min(1.0, 0.3 * seconds / silences.sum())
    speech = seconds - float(silences.sum())
    beats = speech / SECONDS_PER_BEAT
    words = _draw_words(rng, beats)
    while split_of(" ".join(words)) != split:
        words = _draw_words(rng, beats)
    return _speak(rng, words, begin=float(silences[0]), seconds=speech)


def split_of(text: str) -> Split:
    """The one split that a sentence may occur in, decided by its letters."""
    return "test" if zlib.crc32(text.encode()) % TEST_SHARE == 0 else "train"


def _draw_words(rng: np.random.Generator, beats: float) -> list[str]:
    words = [slot[rng.integers(len(slot))] for slot in GRID_SLOTS]
    while len(words) > 1 and _word_beats(words) > 1.15 * beats:
        words.pop(0 if rng.random() < 0.5 else -1)
    while True:
        word = MORE_WORDS[rng.integers(len(MORE_WORDS))]
        # Stop where the rate of speech is nearest to the usual one.
        if abs(_word_beats([*words, word]) - beats) >= abs(_word_beats(words) - beats):
            return words
        words.append(word)


def _word_beats(words: list[str]) -> float:
    return sum(BEATS[phone] for word in words for phone in PRONUNCIATIONS[word].split())


def _speak(rng: np.random.Generator, words: list[str], *, begin: float, seconds: float) -> Alignment:
    word_phones = [PRONUNCIATIONS[word].split() for word in words]
    pauses = [*np.where(rng.random(len(words) - 1) < PAUSE_CHANCE, PAUSE_BEATS, 0.0), 0.0]
    usual = [[*(BEATS[phone] for phone in phones), pause] for phones, pause in zip(word_phones, pauses, strict=True)]
    beats = np.concatenate(usual)
    beats *= np.exp(SPREAD * rng.standard_normal(len(beats)))
    times = iter((begin + seconds * np.concatenate([[0.0], np.cumsum(beats)]) / beats.sum()).tolist())
    word_times, phone_times = [], []
    for word, phones in zip(words, word_phones, strict=True):
        # the last of a word's times is where it ends and the pause begins, be it of no length
        edges = [next(times) for _ in range(len(phones) + 1)]
        word_times.append(LabelInterval(edges[0], edges[-1], word))
        phone_times += [LabelInterval(*edge, phone) for edge, phone in zip(pairwise(edges), phones, strict=True)]
    return Alignment(format="synthetic", words=tuple(word_times), phones=tuple(phone_times))
