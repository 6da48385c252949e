"""Alignments of the Montreal Forced Aligner: long TextGrids with the tiers ``words`` and ``phones``.

With several speakers the tiers are named "SPEAKER - words" and "SPEAKER - phones". Silence is an interval without text;
older releases write ``sil``, ``sp`` or ``spn``, which FastSpeech 2's public preprocessor takes for silence too.
"""

from __future__ import annotations

from collections.abc import Mapping

from lipbench.corpora.alignments.alignment import Alignment, AlignmentError, LabelInterval, check_speech
from lipbench.corpora.alignments.textgrid import relabel

SILENCES = frozenset({"", "sil", "sp", "spn", "<eps>"})


def is_mfa(tiers: Mapping[str, list[LabelInterval]]) -> bool:
    """Whether a tier is named as MFA names its words."""
    return bool(_speakers(tiers))


def from_mfa(tiers: Mapping[str, list[LabelInterval]], name: str, *, speaker: str | None = None) -> Alignment:
    """Make an alignment of MFA's tiers.

    Args:
        tiers: for which `is_mfa` holds.
        name: of the file, for messages.
        speaker: whose tiers to take; None if the file holds only one speaker.

    Raises:
        AlignmentError: nothing is said, or the file does not hold just the speaker asked for.
    """
    speakers = _speakers(tiers)
    if speaker is None and len(speakers) > 1:
        raise AlignmentError(f"the alignment {name} holds several speakers: {', '.join(speakers)}")
    # a file of one speaker need not name them
    tier_speaker = speaker if speaker in speakers else next(iter(speakers)) if len(speakers) == 1 else None
    if tier_speaker is None or (speaker is not None and tier_speaker not in ("", speaker)):
        raise AlignmentError(f"the alignment {name} holds the speakers {', '.join(speakers)}, not {speaker}")
    words, phones = speakers[tier_speaker]
    word_intervals = relabel(words, SILENCES)
    check_speech(word_intervals, name, "word")
    return Alignment(format="mfa TextGrid", words=word_intervals, phones=relabel(phones, SILENCES, stress=True))


def _speakers(tiers: Mapping[str, list[LabelInterval]]) -> dict[str, tuple[list[LabelInterval], list[LabelInterval]]]:
    """Speaker, "" where none is named, to words and phones (empty if there is no such tier)."""
    lower = {tier.lower(): tier for tier in tiers}
    tiers_by_speaker: dict[str, tuple[list[LabelInterval], list[LabelInterval]]] = {}
    for tier in tiers:
        speaker, _, kind = tier.rpartition(" - ")
        if kind.lower() == "words":
            prefix = f"{speaker} - " if speaker else ""
            phones = lower.get(f"{prefix}phones".lower())
            tiers_by_speaker[speaker] = (tiers[tier], [] if phones is None else tiers[phones])
    return tiers_by_speaker
