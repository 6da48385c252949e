"""Sample frames of a run, put together for figures in the manner of the paper's figure 3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from benchmarks.record import Quality, Record
from reports.quality_table import quality_key
from reports.systems import Naming, labels

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


@dataclass(frozen=True, kw_only=True)
class Strip:
    """One utterance: the truth first, then systems."""

    utterance: str
    text: str
    corpus: str
    durations: str
    protocol: str
    rows: list[StripRow]


@dataclass(frozen=True, kw_only=True)
class _Sample:
    utterance: str
    text: str
    numbers: tuple[int, ...]
    truth: NDArray[np.uint8]
    generated: NDArray[np.uint8]


def load_strips(records: Sequence[Record], root: Path, names: Naming) -> tuple[list[Strip], list[str]]:
    """Read the sample frames of every quality record.

    Args:
        records: a run's records.
        root: the run's folder, which `Quality.strip` is relative to.
        names: for the order of rows.

    Returns:
        One strip per utterance and condition, and one sentence per reason why systems are left out.
    """
    groups: dict[tuple[object, ...], list[Quality]] = {}
    for record in records:
        if isinstance(record.result, Quality) and _shown(record.result):
            groups.setdefault(quality_key(record.result), []).append(record.result)
    strips: list[Strip] = []
    missing: dict[str, list[str]] = {}
    for record in records:
        if record.status == "failed" and record.cell.kind == "quality":
            place = f"{record.cell.corpus}, {record.cell.durations} durations: the cell failed"
            missing.setdefault(place, []).append(names.titles[record.cell.system])
    for group in groups.values():
        group.sort(key=lambda q: (q.system.kind == "control", names.place(q.system.name)))
        found = []
        for result, label in zip(group, labels([q.system for q in group]), strict=True):
            samples, reason = _read(result, root)
            if reason:
                place = f"{result.corpus.name}, {result.durations} durations: {reason}"
                missing.setdefault(place, []).append(label)
            found.append((label, samples))
        strips += _assemble(group[0], found)
    return strips, [f"{place} ({', '.join(left_out)})" for place, left_out in missing.items()]


def _shown(result: Quality) -> bool:
    return result.system.kind == "model" or result.system.name in CONTROLS_SHOWN


def _read(result: Quality, root: Path) -> tuple[list[_Sample], str | None]:
    """The samples of one record, or why there are none."""
    if result.strip is None:
        return [], "the record names no strip file"
    path = root / result.strip
    if not path.resolve().is_relative_to(root.resolve()):
        return [], f"{result.strip} lies outside the run's folder"
    if not path.is_file():
        return [], f"{result.strip} is not there"
    try:
        with safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
            indices = sorted({key.split("/")[0] for key in file.keys()}, key=lambda i: (len(i), i))  # noqa: SIM118
            return [_sample(file, metadata, index) for index in indices], None
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        return [], f"{result.strip} cannot be read as sample frames: {error}"


def _sample(file: safe_open, metadata: dict[str, str], index: str) -> _Sample:
    truth, generated = file.get_tensor(f"{index}/truth"), file.get_tensor(f"{index}/generated")
    numbers = tuple(int(n) for n in metadata[f"{index}/frame_numbers"].split(","))
    for name, frames in (("truth", truth), ("generated", generated)):
        if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or len(frames) != len(numbers):
            raise ValueError(f"{index}/{name} is {frames.dtype} {frames.shape}, not uint8 ({len(numbers)}, H, W, 3)")
    return _Sample(
        utterance=metadata[f"{index}/id"],
        text=metadata[f"{index}/text"],
        numbers=numbers,
        truth=truth,
        generated=generated,
    )


def _assemble(condition: Quality, found: list[tuple[str, list[_Sample]]]) -> list[Strip]:
    """Gather the systems' samples of each utterance; the truth is drawn once per set of frame numbers."""
    strips: dict[str, Strip] = {}
    for label, samples in found:
        for sample in samples:
            strip = strips.setdefault(
                sample.utterance,
                Strip(
                    utterance=sample.utterance,
                    text=sample.text,
                    corpus=condition.corpus.name,
                    durations=condition.durations,
                    protocol=condition.protocol.name,
                    rows=[],
                ),
            )
            if sample.numbers not in {row.numbers for row in strip.rows}:
                strip.rows.append(StripRow(label=TRUTH, frames=sample.truth, numbers=sample.numbers))
            place = max(i for i, row in enumerate(strip.rows) if row.numbers == sample.numbers) + 1
            strip.rows.insert(place, StripRow(label=label, frames=sample.generated, numbers=sample.numbers))
    return list(strips.values())
