"""The phone symbols of TCD-TIMIT's labels."""

from __future__ import annotations

from corpora.tokens import PHONE_SILENCE

PHONES: tuple[str, ...] = (
    PHONE_SILENCE,
    "aa", "ae", "ah", "aw", "ay", "b", "ch", "d", "dh", "eh", "er", "ey", "f", "g", "hh", "ih", "iy", "jh", "k", "l",
    "m", "n", "ng", "ow", "oy", "p", "r", "s", "sh", "t", "th", "uh", "uw", "v", "w", "y", "z",
)  # fmt: skip
"""Silence and 37 phones: ARPABET without stress, "ao" and "zh" (pyVSR, ``tcdtimit/htkconfigs/phonemes_dict``)."""
