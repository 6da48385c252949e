"""A report within a number of bytes: whole sections are dropped in a stated order, and the report says which.

A step summary of the usual code hosts holds 1 MiB and a comment 64 KiB; what is larger is refused there, not cut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lipbench.reports.formatting import count, join_words

LIMITS = {"step": 2**20, "comment": 2**16}
"""Names of limits to their bytes of UTF-8."""
_GAP = "\n\n"


@dataclass(frozen=True)
class Piece:
    """A section of a report."""

    kind: str
    """A key of the order in which pieces are dropped."""
    text: str
    heading: str | None = None
    """Stands above the first of the pieces that have the same one, which follow one another."""


REPORT_HINT = "The report itself has it all."
"""Where what was dropped is to be found."""


def fit_to_limit(
    opening: str,
    pieces: Sequence[Piece],
    order: Mapping[str, str],
    limit: int | None = None,
    *,
    in_full: str = REPORT_HINT,
) -> str:
    """Put a report together.

    Args:
        opening: what stands first whatever happens.
        pieces: the sections, in the order of the report.
        order: their kinds, what is dropped first standing first, and what each is called. Within a kind the last goes
            first. The opening is no section: it is cut only where it alone is too large.
        limit: most bytes of UTF-8; None: as many as it takes.
        in_full: where what is dropped is to be found, as a sentence.

    Returns:
        The report, not larger than the limit, with a note on what was dropped if that leaves room for one.
    """
    full_report = _join(opening, pieces)
    if limit is None or _size(full_report) <= limit:
        return full_report
    # sizes are followed from drop to drop: joining what is left anew each time would take forever
    used = _size(full_report)
    under = Counter(piece.heading for piece in pieces if piece.heading is not None)
    totals = Counter(piece.kind for piece in pieces)
    dropped_indices: set[int] = set()
    dropped_counts: Counter[str] = Counter()
    for kind in order:
        for place in reversed([i for i, piece in enumerate(pieces) if piece.kind == kind]):
            piece = pieces[place]
            dropped_indices.add(place)
            used -= _size(_GAP + piece.text)
            if piece.heading is not None:
                under[piece.heading] -= 1
                used -= 0 if under[piece.heading] else _size(_GAP + piece.heading)
            dropped_counts[kind] += 1
            note = _GAP + _note(dropped_counts, totals, order, limit, in_full)
            if used + _size(note) <= limit:
                return _join(opening + note, [piece for i, piece in enumerate(pieces) if i not in dropped_indices])
    note = _GAP + _note(dropped_counts, totals, order, limit, in_full)
    room = limit - _size(note) - 1
    return _join(_cut_to(opening, room) + note, []) if room > 0 else _cut_to(opening, limit)


def _note(
    dropped_counts: Mapping[str, int], totals: Mapping[str, int], order: Mapping[str, str], limit: int, in_full: str
) -> str:
    parts = [
        f"{order[kind]} ({n} of {count(totals[kind], 'section')})" if n < totals[kind] else order[kind]
        for kind, n in dropped_counts.items()
    ]
    omissions = join_words(parts) or "the rest of this text"
    return f"*Left out to keep within {limit} bytes: {omissions}. {in_full}*"


def _join(opening: str, pieces: Sequence[Piece]) -> str:
    blocks = [opening]
    heading = None
    for piece in pieces:
        if piece.heading is not None and piece.heading != heading:
            blocks.append(piece.heading)
        heading = piece.heading
        blocks.append(piece.text)
    return _GAP.join(blocks) + "\n"


def _cut_to(text: str, limit: int) -> str:
    """Whole lines from the start of a text that fit, or as much of its first line."""
    raw = text.encode()[: max(0, limit)]
    if len(raw) == len(text.encode()):
        return text
    lines = raw.rpartition(b"\n")[0]
    # bytes of a sign that was cut through are dropped
    return (lines or raw).decode(errors="ignore").rstrip()


def _size(text: str) -> int:
    return len(text.encode())
