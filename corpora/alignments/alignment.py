"""What an aligner found: words and phones with their times, whatever the format they came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lipbench.errors import UserError

SILENCE = ""
"""Label of silences and pauses, however the format writes them."""


class AlignmentError(UserError):
    """An alignment that cannot be used."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, remedy="Fetch the file again, or correct it by hand")


@dataclass(frozen=True)
class LabelInterval:
    """One word, phone or silence; times in seconds from the first frame."""

    start: float
    end: float
    label: str
    """In lower case; `SILENCE` where nothing is said."""


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """Words and phones with their times. Intervals are sorted and do not overlap; gaps are silence."""

    format: str
    """Where it comes from, as `duration_source` says it: "grid align", "p2fa TextGrid", "mfa TextGrid", "htk mlf"."""
    words: tuple[LabelInterval, ...] = ()
    """Empty if the format has only phones."""
    phones: tuple[LabelInterval, ...] = ()
    """Empty if the format has only words. Stress digits are taken off."""
    repairs: tuple[str, ...] = ()
    """What was wrong in the file and has been put right."""


def read_text(path: Path) -> str:
    """Read an alignment file as text.

    Raises:
        AlignmentError: it is missing, unreadable, empty or no text.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise AlignmentError(f"the alignment {path.name} is missing") from None
    except OSError as error:
        raise AlignmentError(f"the alignment {path.name} cannot be read: {error.strerror}") from error
    # Praat, and of those who write alignments only Praat, uses UTF-16 as soon as a label holds more than ASCII
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is None or (wide and "ooTextFile" not in text[:40]):
        raise AlignmentError(f"the alignment {path.name} is not text")
    if not text.strip():
        raise AlignmentError(f"the alignment {path.name} is empty")
    return text


def quote_label(label: str) -> str:
    """A label as messages write it."""
    return "a silence" if label == SILENCE else f"'{label}'"


def check_order(intervals: Sequence[LabelInterval], places: Sequence[str]) -> None:
    """Make sure that each interval has a length, if it is no silence, and begins where the one before has ended.

    Args:
        intervals: as the file has them.
        places: where each stands, for the message.

    Raises:
        AlignmentError: one does not.
    """
    for interval, place in zip(intervals, places, strict=True):
        if interval.end < interval.start or (interval.end == interval.start and interval.label != SILENCE):
            raise AlignmentError(f"{place}: {quote_label(interval.label)} ends before it has begun")
    for before, after, place in zip(intervals, intervals[1:], places[1:], strict=False):
        if after.start < before.end:
            raise AlignmentError(
                f"{place}: {quote_label(after.label)} starts before {quote_label(before.label)} has ended"
            )


def check_speech(intervals: Sequence[LabelInterval], name: str, kind: str) -> None:
    """Make sure that something is said.

    Raises:
        AlignmentError: all is silence, or there is no interval.
    """
    if all(interval.label == SILENCE for interval in intervals):
        raise AlignmentError(f"the alignment {name} holds no {kind}")
