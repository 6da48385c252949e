"""HTK master label files (``.mlf``): the labels of many utterances in one file, times in units of 100 ns.

    #!MLF!#
    "…/volunteers/01M/Clips/straightcam/sa1.rec"
    0 9100000 sil
    9100000 10500000 sh
    .

The HTK Book, section 6.3, has the syntax. Known faults of TCD-TIMIT's files are put right and said: a missing ``.`` at
the end of an utterance, a line written twice, neighbours that overlap or leave a gap. Two neighbours of one label are
kept, as a phone may end one word and begin the next, and said too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lipbench.corpora.alignments.alignment import (
    SILENCE,
    Alignment,
    AlignmentError,
    LabelInterval,
    check_speech,
    quote_label,
    read_text,
)

UNITS_PER_SECOND = 10_000_000
SILENCES = frozenset({"sil", "sp"})
GAP_UNITS = 500_000
"""A longer gap between two labels is a silence; a shorter one, or an overlap, is shared between them."""


@dataclass(frozen=True)
class LabelBlock:
    """The labels of one utterance, not yet parsed: small, and cheap to send to another process."""

    name: str
    """As the file names it, with ``/`` between folders and without the extension."""
    file: str
    first_line: int
    lines: tuple[str, ...]
    closed: bool
    """Whether a ``.`` ends it."""


def read_blocks(path: Path) -> list[LabelBlock]:
    """Split a master label file into its utterances.

    Raises:
        AlignmentError: the file is missing, empty, no text, or no master label file.
    """
    lines = read_text(path).splitlines()
    if lines[0].strip() != "#!MLF!#":
        raise AlignmentError(f"{path.name} is no master label file: it does not begin with #!MLF!#")
    return list(_split(lines, path.name))


def _split(lines: list[str], file: str) -> Iterator[LabelBlock]:
    name: str | None = None
    first, block_lines = 0, list[str]()

    def block(is_closed: bool) -> LabelBlock:
        return LabelBlock(name or "", file, first, tuple(block_lines), is_closed)

    for number, line in enumerate(lines[1:], start=2):
        text = line.strip()
        if text.startswith('"') or text == ".":
            if name is not None:
                yield block(is_closed=text == ".")
            name = None
            if text != ".":
                name, first, block_lines = _name(text), number + 1, []
        elif text and name is None:
            raise AlignmentError(f"{file} line {number}: {text[:40]!r} belongs to no utterance")
        elif name is not None:
            block_lines.append(text)
    if name is not None:
        yield block(is_closed=False)


def _name(header: str) -> str:
    return re.sub(r"\.\w+$", "", header.strip('"').replace("\\", "/"))


def parse_block(block: LabelBlock) -> Alignment:
    """Parse and mend one utterance's labels: phones only.

    Raises:
        AlignmentError: there is no label, or one is garbled, out of order or inside another.
    """
    if not any(block.lines):
        raise AlignmentError(f"{block.file} line {block.first_line}: the utterance has no label")
    numbered_lines = [(block.first_line + i, line.split()) for i, line in enumerate(block.lines) if line]
    labels = [_label(fields, f"{block.file} line {number}") for number, fields in numbered_lines]
    places = [f"{block.file} line {number}" for number, _ in numbered_lines]
    repairs = [] if block.closed else [f"no '.' ends the labels before {block.file} line {_end(block)}"]
    repaired_labels, label_repairs = _mend(labels, places)
    phones = tuple(LabelInterval(a / UNITS_PER_SECOND, b / UNITS_PER_SECOND, label) for a, b, label in repaired_labels)
    check_speech(phones, f"in {block.file} from line {block.first_line} on", "phone")
    return Alignment(format="htk mlf", phones=phones, repairs=(*repairs, *label_repairs))


def _end(block: LabelBlock) -> int:
    return block.first_line + len(block.lines)


def _label(fields: list[str], place: str) -> tuple[float, float, str]:
    # HTK may write scores and words behind the label
    if len(fields) < 3 or not all(re.fullmatch(r"\d{1,12}", field) for field in fields[:2]):
        raise AlignmentError(f"{place}: {' '.join(fields)[:40]!r} is not 'start end label' with whole numbers")
    start, end, label = int(fields[0]), int(fields[1]), fields[2].lower()
    if end <= start:
        raise AlignmentError(f"{place}: {quote_label(label)} ends before it has begun")
    return start, end, SILENCE if label in SILENCES else label


def _mend(
    labels: list[tuple[float, float, str]], places: list[str]
) -> tuple[list[tuple[float, float, str]], list[str]]:
    repaired_labels, repairs = labels[:1], []
    for (start, end, label), place in zip(labels[1:], places[1:], strict=True):
        before_start, before_end, before = repaired_labels[-1]
        if (start, end, label) == repaired_labels[-1]:
            repairs.append(f"{place} stands there twice: used once")
            continue
        if start < before_start or (start < before_end and end <= before_end):
            raise AlignmentError(f"{place}: {quote_label(label)} is out of order or inside {quote_label(before)}")
        if start != before_end and start - before_end <= GAP_UNITS:
            verb_phrase = "overlap" if start < before_end else "leave a gap"
            seconds = abs(start - before_end) / UNITS_PER_SECOND
            repairs.append(
                f"{place}: {quote_label(before)} and {quote_label(label)} {verb_phrase} by {seconds:g} s: shared"
            )
            start = (before_end + start) / 2
            repaired_labels[-1] = (before_start, start, before)
        elif start > before_end:
            seconds = (start - before_end) / UNITS_PER_SECOND
            repairs.append(f"{place}: {seconds:g} s before {quote_label(label)} have no label: taken for silence")
        if label == before != SILENCE:
            repairs.append(f"{place}: '{label}' stands twice in a row: kept")
        repaired_labels.append((start, end, label))
    return repaired_labels, repairs
