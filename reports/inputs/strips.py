"""Sample frames of a run, put together for figures in the manner of the paper's figure 3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from lipbench.records.system import System
from lipbench.reports.tables.quality import QualityRow, QualityTable

TRUTH = "Ground truth"
"""Label of the rows that hold the real frames."""
CONTROLS_SHOWN = frozenset({"first_frame", "mean_frame"})
"""Controls that get a row: what a motionless mouth looks like. The truth has its own row already."""


@dataclass(frozen=True, kw_only=True)
class StripRow:
    """One system's sample frames of one utterance."""

    label: str
    frames: NDArray[np.uint8]
    """(K, H, W, 3) RGB."""
    numbers: tuple[int, ...]
    """(K,) frame number of each within the clip, from 0."""
    system: System | None = None
    """What made them; None: they are real."""


@dataclass(frozen=True, kw_only=True)
class Strip:
    """One utterance: the truth first, then systems."""

    utterance: str
    text: str
    table: QualityTable
    """Whose rows these are."""
    frames: int | None
    """True length of the clip; None if no record tells."""
    case: Literal["short", "long"] | None = None
    """Which of a table's utterances this is; None if they are equally long."""
    rows: list[StripRow]


@dataclass(frozen=True, kw_only=True)
class _StripSample:
    utterance: str
    text: str
    numbers: tuple[int, ...]
    truth: NDArray[np.uint8]
    generated: NDArray[np.uint8]


def load_strips(tables: Sequence[QualityTable], root: Path) -> tuple[list[Strip], list[str]]:
    """Read the sample frames behind every row of the quality tables.

    Args:
        tables: a run's quality tables; a strip has its rows in their order, under the same labels.
        root: the run's folder, which strip files are relative to.

    Returns:
        One strip per utterance and table, and one sentence per reason why systems are left out.
    """
    strips: list[Strip] = []
    missing: dict[str, list[str]] = {}
    for table in tables:
        rows_with_samples = []
        for row in table.rows:
            if row.kind == "control" and row.name not in CONTROLS_SHOWN:
                continue
            samples, reason = _read(row, root)
            if reason:
                place = f"{reason} ({table.corpus.name}, {table.durations} durations)"
                missing.setdefault(place, []).append(row.label)
            rows_with_samples.append((row, samples))
        strips += _assemble(table, rows_with_samples)
    return strips, [f"{', '.join(left_out)}: {reason}" for reason, left_out in missing.items()]


def _read(row: QualityRow, root: Path) -> tuple[list[_StripSample], str | None]:
    """The samples of one row, or why there are none."""
    if row.failure is not None:
        return [], "the cell failed"
    if row.strip is None:
        return [], "the record names no strip file"
    path = root / row.strip
    if not path.resolve().is_relative_to(root.resolve()):
        return [], f"{row.strip} lies outside the run's folder"
    if not path.is_file():
        return [], f"{row.strip} is not there"
    try:
        with safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
            indices = sorted({key.split("/")[0] for key in file.keys()}, key=lambda i: (len(i), i))  # noqa: SIM118
            return [_sample(file, metadata, index) for index in indices], None
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        return [], f"{row.strip} cannot be read as sample frames: {error}"


def _sample(file: safe_open, metadata: dict[str, str], index: str) -> _StripSample:
    truth_frames, generated_frames = file.get_tensor(f"{index}/truth"), file.get_tensor(f"{index}/generated")
    numbers = tuple(int(n) for n in metadata[f"{index}/frame_numbers"].split(","))
    for name, frames in (("truth", truth_frames), ("generated", generated_frames)):
        if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or len(frames) != len(numbers):
            raise ValueError(f"{index}/{name} is {frames.dtype} {frames.shape}, not uint8 ({len(numbers)}, H, W, 3)")
    return _StripSample(
        utterance=metadata[f"{index}/id"],
        text=metadata[f"{index}/text"],
        numbers=numbers,
        truth=truth_frames,
        generated=generated_frames,
    )


def _assemble(table: QualityTable, rows_with_samples: list[tuple[QualityRow, list[_StripSample]]]) -> list[Strip]:
    """Gather the systems' samples of each utterance; the truth is drawn once per set of frame numbers."""
    lengths = {clip.utterance: clip.frames for row in table.rows for clip in row.scores}
    strips: dict[str, Strip] = {}
    for row, samples in rows_with_samples:
        for sample in samples:
            strip = strips.setdefault(
                sample.utterance,
                Strip(
                    utterance=sample.utterance,
                    text=sample.text,
                    table=table,
                    frames=lengths.get(sample.utterance),
                    rows=[],
                ),
            )
            if sample.numbers not in {earlier_row.numbers for earlier_row in strip.rows}:
                strip.rows.append(StripRow(label=TRUTH, frames=sample.truth, numbers=sample.numbers))
            place = max(i for i, earlier_row in enumerate(strip.rows) if earlier_row.numbers == sample.numbers) + 1
            new_row = StripRow(label=row.label, frames=sample.generated, numbers=sample.numbers, system=row.system)
            strip.rows.insert(place, new_row)
    return _mark_cases(list(strips.values()))


def _mark_cases(strips: list[Strip]) -> list[Strip]:
    """Say which utterance is the short and which the long one, the short one first."""
    strips_by_length = sorted(
        (strip for strip in strips if strip.frames is not None), key=lambda strip: strip.frames or 0
    )
    if len(strips_by_length) < 2 or strips_by_length[0].frames == strips_by_length[-1].frames:
        return strips
    short, long = replace(strips_by_length[0], case="short"), replace(strips_by_length[-1], case="long")
    others = [strip for strip in strips if strip.utterance not in (short.utterance, long.utterance)]
    return [short, long, *others]
