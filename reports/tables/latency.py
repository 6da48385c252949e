"""Latency records as tables: one per device, number type, batch and preset, on one machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lipbench.records.latency import EAGER, Latency
from lipbench.records.record import Cell, Failure, Record
from lipbench.records.system import System
from lipbench.reports.paper import LatencyPoint, load_paper
from lipbench.reports.tables.labels import Kind, SystemNames, hardware, labels, matches_request, variant
from lipbench.statistics.timings import LinearFit, Ratio, Timing, line_over_length, speedup, summarise_timing

MOST_LENGTHS = 12
"""Columns of lengths that still fit onto a page; see `LatencyTable.shown`."""


@dataclass(frozen=True, kw_only=True)
class LatencyCell:
    """One system at one length."""

    result: Latency
    """What the record holds."""
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
    best: bool = False
    """Fastest of at least two models."""
    tied: bool = False
    """A model that is not significantly slower than the fastest, see `mark_ties`."""

    @property
    def unstable(self) -> str | None:
        """Why its samples are to be read with care; None if nothing speaks against them."""
        unsettled = None if self.settled else "the warm-up ended at its limit before the samples were flat"
        return self.result.unstable or unsettled

    @property
    def first_frame_s(self) -> float | None:
        """Median time to the first picture; None where it comes with the last one, or was not timed."""
        first = self.result.first_frame
        return None if first is None else summarise_timing([sample.wall_s for sample in first.samples]).median

    @property
    def over_floor(self) -> float | None:
        """How many times the least possible time the median call took; None without a floor."""
        floor = self.result.floor
        return None if floor is None else self.wall.median / floor.seconds

    @property
    def joules_per_clip(self) -> float | None:
        """Of the whole GPU, idle power included; None where nothing counts it."""
        energy = self.result.energy
        return None if energy is None else energy.joules / (energy.calls * self.batch)

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
    records: dict[int, str]
    """Length in frames to the key of the cell that it comes from."""
    line: LinearFit | None
    """Latency over length; None for fewer than two lengths."""
    paper: list[LatencyPoint]
    """The paper's points for this system, shortest first; empty where it measured otherwise."""

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
    """Label of the row that speed-ups are relative to."""
    has_baseline: bool
    """Whether that row was measured at all."""
    lengths: list[int]
    rows: list[LatencyRow]

    @property
    def frame_sizes(self) -> set[tuple[int, int]]:
        """Frame sizes of the systems timed."""
        return {row.system.frame_size for row in self.rows if row.system is not None and row.system.frame_size}

    @property
    def shows_paper(self) -> bool:
        """Whether points of the paper stand beside ours, in the figure at least."""
        return any(row.paper for row in self.rows if row.measured)

    @property
    def shown(self) -> list[int]:
        """Lengths that have a column where the table is read: all, or `MOST_LENGTHS` of more.

        Of more those of the paper, and others spread evenly, both ends among them.
        """
        if len(self.lengths) <= MOST_LENGTHS:
            return self.lengths
        papers = {point.frames for row in self.rows for point in row.paper} & set(self.lengths)
        places = np.linspace(0, len(self.lengths) - 1, MOST_LENGTHS - len(papers)).round().astype(int)
        return sorted(papers | {self.lengths[place] for place in places})

    def best(self, length: int) -> str | None:
        """Label of the fastest model at a length, if there are at least two to choose from."""
        cell_by_label = {row.label: row.cells.get(length) for row in self.rows if row.kind == "model"}
        medians = {label: cell.wall.median for label, cell in cell_by_label.items() if isinstance(cell, LatencyCell)}
        return min(medians, key=medians.__getitem__) if len(medians) > 1 else None

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

    @property
    def order(self) -> tuple[str, str, str, int, str]:
        """Where its table stands among the others."""
        return self.device, self.hardware, self.dtype, self.batch, self.preset or ""


def latency_tables(records: Sequence[Record], names: SystemNames) -> list[LatencyTable]:
    """Sort latency records into tables.

    Machines are kept apart too: a ratio of two machines' times says nothing about two models.

    Args:
        records: a run's records, of any kind.
        names: see `lipbench.reports.tables.labels.collect_names`.

    Returns:
        The tables. A failed cell stands in every table that it fits; where nothing of its condition was measured there
        is no table to put it in.
    """
    groups: dict[_Key, list[tuple[Record, Latency]]] = {}
    for record in records:
        if isinstance(record.result, Latency):
            groups.setdefault(_key(record, record.result), []).append((record, record.result))
    failed_records = [r for r in records if r.status == "failed" and r.cell.kind == "latency"]
    tables = []
    for key, group in sorted(groups.items(), key=lambda item: item[0].order):
        failures = [record for record in failed_records if _belongs(record, key)]
        tables.append(_table(key, group, failures, names))
    return tables


def _key(record: Record, result: Latency) -> _Key:
    place = hardware(record.machine, result.device)
    return _Key(result.device, place, result.dtype, result.batch, result.system.preset)


def _belongs(failed_record: Record, key: _Key) -> bool:
    """Whether a failed cell asked for what a table shows. Whatever a cell did not name fits everything."""
    cell = failed_record.cell
    return (
        matches_request(cell.device, key.device)
        and matches_request(cell.preset, key.preset)
        and matches_request(cell.batch, key.batch)
        and hardware(failed_record.machine, key.device) == key.hardware
    )


@dataclass(frozen=True)
class _RowRecords:
    """What will be one row: one system, asked for in one way, at all its lengths."""

    measured: list[tuple[Record, Latency]]
    failed: list[Record]

    @property
    def first(self) -> Record:
        return self.measured[0][0] if self.measured else self.failed[0]


def _table(key: _Key, group: list[tuple[Record, Latency]], failures: list[Record], names: SystemNames) -> LatencyTable:
    paper, row_records = load_paper(), _by_system(group, failures)
    lengths = sorted({result.frames for _, result in group} | {r.cell.frames for r in failures if r.cell.frames})
    titles = labels([variant(row_source.first, names) for row_source in row_records])
    # of several variants the first is the baseline
    base = _baseline(row_records)
    slow = {} if base is None else {result.frames: _walls(result) for _, result in row_records[base].measured}
    rows = [
        _row(row_source, title, lengths, slow, names, key.batch)
        for row_source, title in zip(row_records, titles, strict=True)
    ]
    rows.sort(key=lambda row: (row.kind == "control", names.place(row.name), row.label))
    table = LatencyTable(
        device=key.device,
        hardware=key.hardware,
        dtype=key.dtype,
        batch=key.batch,
        preset=key.preset,
        fps=tuple(sorted({result.fps for _, result in group})),
        baseline=paper.systems[paper.baseline] if base is None else titles[base],
        has_baseline=base is not None,
        lengths=lengths,
        rows=rows,
    )
    return mark_ties(table)


def mark_ties(table: LatencyTable) -> LatencyTable:
    """Mark the fastest model of each length and those that are not told from it.

    Tied is a model of which the bootstrap interval of the ratio of medians holds 1, the rule by which `lipbench
    compare` shows no difference. Where there are too few calls for an interval, no model is: a tie by eye is none.

    Args:
        table: systems that were timed alike.
    """
    marked_cells: dict[str, dict[int, LatencyCell | Failure]] = {row.label: dict(row.cells) for row in table.rows}
    models = [row for row in table.rows if row.kind == "model"]
    for length in table.lengths:
        first = next((row.measured[length] for row in models if row.label == table.best(length)), None)
        if first is None:
            continue
        for row in models:
            cell = row.cells.get(length)
            if isinstance(cell, LatencyCell):
                best = cell is first
                marked_cells[row.label][length] = replace(cell, best=best, tied=not best and _is_tied(first, cell))
    return replace(table, rows=[replace(row, cells=marked_cells[row.label]) for row in table.rows])


def _is_tied(first: LatencyCell, other_cell: LatencyCell) -> bool:
    fast, slow = _walls(first.result), _walls(other_cell.result)
    if max(fast) < min(slow):
        return False  # so is every resample: there is nothing to draw
    interval = speedup(slow, fast).interval
    return interval is not None and interval.low <= 1 <= interval.high


def _baseline(row_records: Sequence[_RowRecords]) -> int | None:
    """Place of the row that speed-ups are relative to: the model as it is, where it was timed so."""
    places = [
        i
        for i, row_source in enumerate(row_records)
        if row_source.measured and row_source.first.cell.system == load_paper().baseline
    ]
    return min(places, key=lambda i: row_records[i].measured[0][1].variant != EAGER, default=None)


def _by_system(group: list[tuple[Record, Latency]], failures: list[Record]) -> list[_RowRecords]:
    """Gather lengths into rows. A failed length stands in the row of the cells that asked for the same system."""
    rows: dict[str, _RowRecords] = {}
    for record, result in group:
        identity = _cell_key(record.cell) + result.system.model_dump_json()
        rows.setdefault(identity, _RowRecords([], [])).measured.append((record, result))
    measured_rows = list(rows.values())
    for record in failures:
        matching_row = next((row for row in measured_rows if _same_system(record.cell, row.first.cell)), None)
        row = matching_row or rows.setdefault(_cell_key(record.cell), _RowRecords([], []))
        row.failed.append(record)
    return list(rows.values())


def _cell_key(cell: Cell) -> str:
    """The cell's request without its length."""
    return cell.model_copy(update={"frames": None}).model_dump_json()


def _same_system(failed_cell: Cell, measured_cell: Cell) -> bool:
    """Whether a failed cell is a length of what another cell measured."""
    return (
        failed_cell.system == measured_cell.system
        and matches_request(failed_cell.preset, measured_cell.preset)
        and matches_request(failed_cell.corpus, measured_cell.corpus)
        and (failed_cell.corpus is None or failed_cell.corpus_options == measured_cell.corpus_options)
        and failed_cell.options == measured_cell.options
        and failed_cell.checkpoint == measured_cell.checkpoint
    )


def _by_length(failures: list[Record], lengths: list[int]) -> dict[int, Failure]:
    """Failures by the lengths that they were of; one that came before there was a length is of all lengths."""
    failure_by_length: dict[int, Failure] = {}
    for record in failures:
        if record.failure is not None:
            for length in lengths if record.cell.frames is None else [record.cell.frames]:
                failure_by_length.setdefault(length, record.failure)
    return failure_by_length


def _keys(failures: list[Record], lengths: list[int]) -> dict[int, str]:
    """Keys of the failed cells by the lengths that they were of, as `_by_length` has their failures."""
    key_by_length: dict[int, str] = {}
    for record in failures:
        for length in lengths if record.cell.frames is None else [record.cell.frames]:
            key_by_length.setdefault(length, record.cell.key)
    return key_by_length


def _walls(result: Latency) -> list[float]:
    return [sample.wall_s for sample in result.samples]


def _row(
    row_source: _RowRecords,
    label: str,
    lengths: list[int],
    baseline: dict[int, list[float]],
    names: SystemNames,
    batch: int,
) -> LatencyRow:
    """One row; the paper's points are of its own batch size."""
    paper, name = load_paper(), row_source.first.cell.system
    points = paper.latencies(name) if batch == paper.batch and names.kinds[name] == "model" else []
    paper_by_length = {point.frames: point for point in points}
    measured_cells = {
        r.frames: _cell(r, baseline.get(r.frames), paper_by_length.get(r.frames)) for _, r in row_source.measured
    }
    return LatencyRow(
        name=name,
        label=label,
        kind=names.kinds[name],
        system=row_source.measured[0][1].system if row_source.measured else None,
        cells={**_by_length(row_source.failed, lengths), **measured_cells},
        records={
            **_keys(row_source.failed, lengths),
            **{r.frames: record.cell.key for record, r in row_source.measured},
        },
        line=line_over_length({n: cell.wall.median for n, cell in sorted(measured_cells.items())}),
        paper=points,
    )


def _cell(result: Latency, baseline: list[float] | None, paper: LatencyPoint | None) -> LatencyCell:
    walls = _walls(result)
    on_device = [sample.device_s for sample in result.samples if sample.device_s is not None]
    return LatencyCell(
        result=result,
        frames=result.frames,
        tokens=result.tokens,
        batch=result.batch,
        fps=result.fps,
        wall=summarise_timing(walls),
        device=summarise_timing(on_device) if on_device else None,
        first_call_s=result.first_call_s,
        settled=result.settled,
        speedup=speedup(baseline, walls) if baseline else None,
        paper=paper,
    )
