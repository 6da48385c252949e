"""GRID word alignments (``.align``) to frames per character.

A line is ``start end word``, 1000 units per video frame (25 frames per second), words in lower case, ``sil`` at both
ends and ``sp`` for a pause inside. The last end is usually 74500 in a clip of 75 frames: the rest goes to the closing
silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpora.tokens import LETTERS, characters, frames_per_token
from models.errors import UserError

UNITS_PER_FRAME = 1000
DURATION_SOURCE = "grid align, characters by even split"
PAUSES = frozenset({"sil", "sp"})

_OVERHANG = 1.0
"""Frames by which the last silence may end after the video."""


class AlignmentError(UserError):
    """An alignment file that cannot be used."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, remedy="Fetch the file again, or correct it by hand")


@dataclass(frozen=True)
class Interval:
    """One word or pause; times in frames."""

    start: float
    end: float
    word: str


@dataclass(frozen=True)
class CharacterAlignment:
    """What a clip says and when."""

    text: str
    tokens: tuple[str, ...]
    durations: NDArray[np.int64]
    """(m,) frames per token, summing to the frames of the clip."""


def read_alignment(path: Path) -> list[Interval]:
    """Read and check one ``.align`` file.

    Returns:
        Intervals in order, in frames, not overlapping, with at least one word among them.

    Raises:
        AlignmentError: the file is missing, empty, no text, or a line is garbled, out of order or overlaps.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise AlignmentError(f"the alignment {path.name} is missing") from None
    except OSError as error:
        raise AlignmentError(f"the alignment {path.name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise AlignmentError(f"the alignment {path.name} is not text") from None
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        raise AlignmentError(f"the alignment {path.name} is empty")
    intervals = [_interval(fields, f"{path.name} line {number}") for number, fields in lines]
    for before, after, (number, _) in zip(intervals, intervals[1:], lines[1:], strict=False):
        if after.start < before.end:
            raise AlignmentError(f"{path.name} line {number}: '{after.word}' starts before '{before.word}' has ended")
    if all(interval.word in PAUSES for interval in intervals):
        raise AlignmentError(f"the alignment {path.name} holds no word")
    return intervals


def _interval(fields: list[str], place: str) -> Interval:
    if len(fields) != 3 or not re.fullmatch(r"\d{1,9}", fields[0]) or not re.fullmatch(r"\d{1,9}", fields[1]):
        shown = " ".join(fields)[:40]
        raise AlignmentError(f"{place}: {shown!r} is not 'start end word' with whole numbers")
    start, end, word = int(fields[0]) / UNITS_PER_FRAME, int(fields[1]) / UNITS_PER_FRAME, fields[2].lower()
    if word not in PAUSES and not set(word) <= set(LETTERS):
        raise AlignmentError(f"{place}: {word[:40]!r} is no word")
    if end < start or (end == start and word not in PAUSES):
        raise AlignmentError(f"{place}: '{word}' ends before it has begun")
    return Interval(start, end, word)


def align_characters(intervals: Sequence[Interval], n_frames: int) -> CharacterAlignment:
    """Split words evenly into characters and round to whole frames.

    ``|`` stands at both ends and between words. Silence, pauses and unlabelled gaps belong to the ``|`` around them;
    between words that touch it lasts 0 frames.

    Args:
        intervals: from `read_alignment`.
        n_frames: length of the video, at least 1.

    Raises:
        AlignmentError: a word, or more than one frame of silence, lies beyond the video.
    """
    words = [interval for interval in intervals if interval.word not in PAUSES]
    if words[-1].end > n_frames or intervals[-1].end > n_frames + _OVERHANG:
        raise AlignmentError(f"the alignment runs to frame {intervals[-1].end:g}, the video has only {n_frames}")
    edges = [0.0]
    for word in words:
        edges.extend(np.linspace(word.start, word.end, len(word.word) + 1).tolist())
    edges.append(max(float(n_frames), intervals[-1].end))
    text = " ".join(word.word for word in words)
    return CharacterAlignment(text=text, tokens=characters(text), durations=frames_per_token(edges, n_frames))
