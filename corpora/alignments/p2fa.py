"""Alignments of the Penn Phonetics Lab Forced Aligner: short TextGrids with the tiers ``phone`` and ``word``.

Facts from ``p2fa/align.py`` of jaekookang/p2fa_py3. To each of HTK's times P2FA adds 12.5 ms, half of HTK's 25 ms
analysis window, so that a boundary lies in the middle of the window that it was found in. Times are therefore used as
they are written. They begin at 0.0125 s (at 11.025 kHz, scaled by 11000/11025) and end short of the clip: both rests
are silence. Words are in upper case, phones are ARPABET with stress digits, ``sp`` is a pause, and each word lasts
until the next one begins. Words that P2FA did not know are missing, and nothing says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from lipbench.corpora.alignments.alignment import SILENCE, Alignment, LabelInterval, check_speech
from lipbench.corpora.alignments.textgrid import find_tier, relabel

SILENCES = frozenset({"", "sp", "sil"})
NOISES = frozenset({"br", "ns", "lg", "cg", "ls"})
"""Breath, noise, laugh, cough, lip smack; in braces among the words. No token stands for them."""


def is_p2fa(tiers: Mapping[str, list[LabelInterval]]) -> bool:
    """Whether tiers are named as P2FA names them."""
    return find_tier(tiers, "word") is not None and find_tier(tiers, "phone") is not None


def from_p2fa(tiers: Mapping[str, list[LabelInterval]], name: str) -> Alignment:
    """Make an alignment of P2FA's tiers.

    Args:
        tiers: for which `is_p2fa` holds.
        name: of the file, for messages.

    Raises:
        AlignmentError: nothing is said.
    """
    words = relabel(find_tier(tiers, "word") or [], SILENCES)
    phones = relabel(find_tier(tiers, "phone") or [], SILENCES, stress=True)
    noises = sorted({word.label for word in words if word.label.strip("{}") in NOISES and word.label[0] == "{"})
    check_speech([word for word in words if word.label not in noises], name, "word")
    return Alignment(
        format="p2fa TextGrid",
        words=_without(words, frozenset(noises)),
        phones=_without(phones, NOISES),
        repairs=(f"{' '.join(noises)} in {name} counts as silence",) if noises else (),
    )


def _without(intervals: tuple[LabelInterval, ...], noises: frozenset[str]) -> tuple[LabelInterval, ...]:
    return tuple(LabelInterval(i.start, i.end, SILENCE) if i.label in noises else i for i in intervals)
