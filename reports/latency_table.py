"""Latency records as tables: one per device, number type, batch and preset, on one machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.record import Failure, Latency, Record, System
from reports.paper import LatencyPoint, Paper
from reports.statistics import Line, Ratio, Timing, line_over_length, speedup, timing
from reports.systems import Kind, Naming, hardware, labels


@dataclass(frozen=True, kw_only=True)
class LatencyCell:
    """One system at one length."""

    frames: int
    tokens: int
    batch: int
    fps: float
    wall: Timing
    device: Timing | None
    """Time between device events; None on a CPU."""
    first_call_s: float
    settled: bool
    speedup: Ratio | None
    """Over the baseline at the same length; None if the baseline was not measured there."""
    paper: LatencyPoint | None
    """The paper's value at exactly this length."""

    @property
    def ms_per_frame(self) -> float:
        """Milliseconds per frame made, all clips of the batch counted."""
        return self.wall.median * 1000 / (self.frames * self.batch)

    @property
    def real_time_factor(self) -> float:
        """Waiting time over the clip's own duration; below 1 is faster than real time."""
        return self.wall.median * self.fps / self.frames


@dataclass(frozen=True, kw_only=True)
class LatencyRow:
    """One system."""

    name: str
    label: str
    kind: Kind
    system: System | None
    """None if every cell failed."""
    cells: dict[int, LatencyCell | Failure]
    """Length in frames to what was found there; an absent length was not attempted."""
    line: Line | None
    """Latency over length; None for fewer than two lengths."""

    @property
    def measured(self) -> dict[int, LatencyCell]:
        """The cells that have a value, shortest first."""
        return {n: cell for n, cell in sorted(self.cells.items()) if isinstance(cell, LatencyCell)}


@dataclass(frozen=True, kw_only=True)
class LatencyTable:
    """Systems that were timed alike."""

    device: str
    hardware: str
    dtype: str
    batch: int
    preset: str | None
    fps: tuple[float, ...]
    """Frame rates found; more than one makes real-time factors incomparable."""
    baseline: str
    """Title of the system that speed-ups are relative to."""
    baseline_name: str
    lengths: list[int]
    rows: list[LatencyRow]

    @property
    def frame_sizes(self) -> set[tuple[int, int]]:
        """Frame sizes of the systems timed."""
        return {row.system.frame_size for row in self.rows if row.system is not None and row.system.frame_size}

    @property
    def shows_paper(self) -> bool:
        """Whether a value of the paper stands beside ours."""
        return any(cell.paper is not None for row in self.rows for cell in row.measured.values())

    def best(self, length: int) -> str | None:
        """Label of the fastest model at a length, if there are at least two to choose from."""
        present = [row for row in self.rows if row.kind == "model" and length in row.measured]
        return min(present, key=lambda row: row.measured[length].wall.median).label if len(present) > 1 else None

    def fastest(self) -> tuple[int, LatencyRow] | None:
        """The fastest model at the longest length that most models were measured at, with that length."""
        models = [row for row in self.rows if row.kind == "model" and row.measured]
        if not models:
            return None
        counts = {n: sum(n in row.measured for row in models) for n in self.lengths}
        length = max(counts, key=lambda n: (counts[n], n))
        present = [row for row in models if length in row.measured]
        return length, min(present, key=lambda row: row.measured[length].wall.median)


@dataclass(frozen=True)
class _Key:
    device: str
    hardware: str
    dtype: str
    batch: int
    preset: str | None


def latency_tables(records: Sequence[Record], names: Naming, paper: Paper) -> list[LatencyTable]:
    """Sort latency records into tables.

    Machines are kept apart too: a ratio of two machines' times says nothing about two models.

    Args:
        records: a run's records, of any kind.
        names: see `reports.systems.naming`.
        paper: what to set beside ours.

    Returns:
        The tables. A failed cell stands in every table that it fits; where nothing of its condition was measured there
        is no table to put it in.
    """
    groups: dict[_Key, list[tuple[Record, Latency]]] = {}
    for record in records:
        if isinstance(record.result, Latency):
            groups.setdefault(_key(record, record.result), []).append((record, record.result))
    failed = [r for r in records if r.status == "failed" and r.cell.kind == "latency"]
    tables = []
    for key, group in sorted(groups.items(), key=lambda item: [str(part) for part in vars(item[0]).values()]):
        failures = [record for record in failed if _belongs(record, key)]
        tables.append(_table(key, [result for _, result in group], failures, names, paper))
    return tables


def _key(record: Record, result: Latency) -> _Key:
    place = hardware(record.machine, result.device)
    return _Key(result.device, place, result.dtype, result.batch, result.system.preset)


def _belongs(failed: Record, key: _Key) -> bool:
    """Whether a failed cell asked for what a table shows. A cell that named no preset fits every preset."""
    cell = failed.cell
    return (
        cell.device in (None, key.device)
        and cell.preset in (None, key.preset)
        and hardware(failed.machine, key.device) == key.hardware
    )


def _table(key: _Key, results: list[Latency], failures: list[Record], names: Naming, paper: Paper) -> LatencyTable:
    lengths = {result.frames for result in results} | {r.cell.frames for r in failures if r.cell.frames is not None}
    baseline: dict[int, list[float]] = {}
    for result in results:
        if result.system.name == paper.baseline:  # of several variants the first is the baseline
            baseline.setdefault(result.frames, _walls(result))
    by_label: dict[str, list[Latency]] = {}
    for result, label in zip(results, labels([result.system for result in results]), strict=True):
        by_label.setdefault(label, []).append(result)
    rows = [_row(label, group, baseline, paper) for label, group in by_label.items()]
    rows = _with_failures(rows, failures, sorted(lengths), names)
    rows.sort(key=lambda row: (row.kind == "control", names.place(row.name)))
    return LatencyTable(
        device=key.device,
        hardware=key.hardware,
        dtype=key.dtype,
        batch=key.batch,
        preset=key.preset,
        fps=tuple(sorted({result.fps for result in results})),
        baseline=names.titles.get(paper.baseline, paper.systems[paper.baseline]),
        baseline_name=paper.baseline,
        lengths=sorted(lengths),
        rows=rows,
    )


def _walls(result: Latency) -> list[float]:
    return [sample.wall_s for sample in result.samples]


def _row(label: str, results: list[Latency], baseline: dict[int, list[float]], paper: Paper) -> LatencyRow:
    system = results[0].system
    points = {p.frames: p for p in paper.latencies(system.name)} if system.kind == "model" else {}
    cells: dict[int, LatencyCell | Failure] = {}
    medians: dict[int, float] = {}
    for result in results:
        cell = _cell(result, baseline.get(result.frames), points.get(result.frames))
        cells[result.frames] = cell
        if isinstance(cell, LatencyCell):
            medians[result.frames] = cell.wall.median
    return LatencyRow(
        name=system.name,
        label=label,
        kind=system.kind,
        system=system,
        cells=cells,
        line=line_over_length(dict(sorted(medians.items()))),
    )


def _cell(result: Latency, baseline: list[float] | None, paper: LatencyPoint | None) -> LatencyCell | Failure:
    if not result.samples:
        return Failure(type="no samples", message="the record says measured but holds no timed call")
    walls = _walls(result)
    on_device = [sample.device_s for sample in result.samples if sample.device_s is not None]
    return LatencyCell(
        frames=result.frames,
        tokens=result.tokens,
        batch=result.batch,
        fps=result.fps,
        wall=timing(walls),
        device=timing(on_device) if on_device else None,
        first_call_s=result.first_call_s,
        settled=result.settled,
        speedup=speedup(baseline, walls) if baseline else None,
        paper=paper,
    )


def _with_failures(
    rows: list[LatencyRow], failures: list[Record], lengths: list[int], names: Naming
) -> list[LatencyRow]:
    """Set failed cells into the rows of their systems; a system that only failed gets a row of its own."""
    for record in failures:
        name = record.cell.system
        failure = record.failure or Failure(type="unknown", message="the record gives no reason")
        if not any(row.name == name for row in rows):
            title, kind = names.titles[name], names.kinds[name]
            rows.append(LatencyRow(name=name, label=title, kind=kind, system=None, cells={}, line=None))
        row = next(row for row in rows if row.name == name)
        # A cell that failed before it had a length failed at all lengths.
        for length in lengths if record.cell.frames is None else [record.cell.frames]:
            row.cells.setdefault(length, failure)
    return rows
