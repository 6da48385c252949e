"""GRID word alignments (``.align``).

A line is ``start end word``, 1000 units per video frame (25 frames per second), words in lower case, ``sil`` at both
ends and ``sp`` for a pause inside. The last end is usually 74500 in a clip of 75 frames.
"""

from __future__ import annotations

import re
from pathlib import Path

from lipbench.corpora.alignments.alignment import (
    SILENCE,
    Alignment,
    AlignmentError,
    LabelInterval,
    check_order,
    check_speech,
    read_text,
)
from lipbench.corpora.tokens import LETTERS

UNITS_PER_SECOND = 25_000
PAUSES = frozenset({"sil", "sp"})


def read_grid(path: Path) -> Alignment:
    """Read and check one ``.align`` file: words only.

    Raises:
        AlignmentError: the file is missing, empty, no text, or a line is garbled, out of order or overlaps.
    """
    lines = [(number, line.split()) for number, line in enumerate(read_text(path).splitlines(), 1) if line.strip()]
    places = [f"{path.name} line {number}" for number, _ in lines]
    intervals = [_interval(fields, place) for (_, fields), place in zip(lines, places, strict=True)]
    check_order(intervals, places)
    check_speech(intervals, path.name, "word")
    return Alignment(format="grid align", words=tuple(intervals))


def _interval(fields: list[str], place: str) -> LabelInterval:
    if len(fields) != 3 or not re.fullmatch(r"\d{1,9}", fields[0]) or not re.fullmatch(r"\d{1,9}", fields[1]):
        line_text = " ".join(fields)[:40]
        raise AlignmentError(f"{place}: {line_text!r} is not 'start end word' with whole numbers")
    word = fields[2].lower()
    if word not in PAUSES and not set(word) <= set(LETTERS):
        raise AlignmentError(f"{place}: {word[:40]!r} is no word")
    label = SILENCE if word in PAUSES else word
    return LabelInterval(int(fields[0]) / UNITS_PER_SECOND, int(fields[1]) / UNITS_PER_SECOND, label)
