"""The words of GRID, and the six letters that name a clip and spell its sentence."""

from __future__ import annotations

from lipbench.corpora.tokens import BOUNDARY

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

SLOTS: tuple[dict[str, str], ...] = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},
    dict(zip("z123456789", _DIGITS, strict=True)),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)
"""Letter of the file code to word, for each of the six slots (Cooke et al., JASA 2006, table I): command, colour,
preposition, letter (no w), digit, adverb."""

WORDS: tuple[str, ...] = (BOUNDARY, *sorted({word for slot in SLOTS for word in slot.values()}))
"""All token symbols of the word level."""


def sentence_of_code(code: str) -> str | None:
    """Spell out a GRID file code, which is the transcript in six letters.

    Returns:
        The sentence, or None if `code` is no such code.

    Example:
        >>> sentence_of_code("bbaf2n")
        'bin blue at f two now'
    """
    if len(code) != len(SLOTS):
        return None
    words = [slot.get(letter) for letter, slot in zip(code.lower(), SLOTS, strict=True)]
    return None if None in words else " ".join(word for word in words if word)
