"""The paper's tables 1 to 4, row by row, with what a run has to set beside each: a value, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from lipbench.records.quality import MetricFacts, Quality
from lipbench.records.record import Cell, Failure, Record
from lipbench.reports.formatting import code, count, escape, size_text
from lipbench.reports.paper import LatencyCondition, QualityCondition, QualityEntry, load_paper
from lipbench.reports.tables.latency import LatencyCell, LatencyTable
from lipbench.reports.tables.make import Tables
from lipbench.reports.tables.quality import QualityCell, QualityRow, QualityTable
from lipbench.reports.tables.tolerance import decide
from lipbench.statistics.intervals import Interval

Status = Literal[
    "reproduced", "differs", "not comparable", "undecided", "not measured", "failed", "not attempted", "control"
]
Mark = Literal["best", "tied"]

METRICS = (
    MetricFacts(name="psnr", title="PSNR", unit="dB", higher_is_better=True),
    MetricFacts(name="ssim", title="SSIM", unit="", higher_is_better=True),
    MetricFacts(name="lmd", title="LMD", unit="px", higher_is_better=False),
    MetricFacts(name="fid", title="FID", unit="", higher_is_better=False),
)
"""The paper's metrics in the order of its tables: known here for tables of which a run measured nothing."""
UNITS = {**{m.name: f" {m.unit}" for m in METRICS if m.unit}, "speedup": "×", "latency_s": " s"}
"""What stands behind a number of each quantity."""


@dataclass(frozen=True, kw_only=True)
class ComparisonCell:
    """One number of the paper and what we have for it."""

    quantity: str
    """Metric name, "latency_s" or "speedup"."""
    paper: Decimal | None
    """None for a control, which the paper has none of."""
    status: Status
    reason: str | None = None
    """What the status rests on; None where it says everything."""
    ours: float | None = None
    interval: Interval | None = None
    n: int | None = None
    """Clips, or timed calls."""
    distance: float | None = None
    """What the status was decided by, see `lipbench.reports.tables.tolerance.ToleranceResult`; None where nothing was
    decided."""
    tolerance: float | None = None
    """The largest distance that counts as a reproduction."""
    mark: Mark | None = None
    """What the run's own table says of ours: best of its models, tied with the best, or neither."""

    @property
    def difference(self) -> float | None:
        """Ours minus the paper's."""
        return None if self.ours is None or self.paper is None else self.ours - float(self.paper)


@dataclass(frozen=True, kw_only=True)
class ComparisonRow:
    """One system of one of the paper's tables."""

    label: str
    """Of our row, or the paper's name of a system that we have none of."""
    variant: str | None
    corpus: str | None
    """Of table 3, whose rows are of two corpora."""
    control: bool = False
    cells: dict[str, ComparisonCell]
    record: str | None = None
    """Key of the cell whose record our numbers are from; None for a row that has none of ours."""


@dataclass(frozen=True, kw_only=True)
class ComparisonTable:
    """One of the paper's tables beside one condition of ours, or beside nothing."""

    source: str
    about: str
    """What ours was measured on, as markdown; why there is nothing, where there is not."""
    rows: list[ComparisonRow]
    """The paper's, then our controls."""
    protocol: str | None = None
    """Name and whole fingerprint; None of latency, and where nothing was scored."""


def compare_with_paper(records: Sequence[Record], tables: Tables) -> list[ComparisonTable]:
    """Set a run beside every number that the paper prints in its tables 1 to 4.

    Whether a number is reproduced is decided by `lipbench.reports.tables.tolerance`, only where the two are of one
    kind: quality of frames of the paper's size and of trained weights; of latency the speed-up alone, as seconds are
    of the machine.

    Args:
        records: of one run.
        tables: made from them.

    Returns:
        One table per condition of ours that fits a table of the paper's, and one for each of those that none fits, in
        the paper's order.
    """
    paper = load_paper()
    comparison_tables: list[ComparisonTable] = []
    for condition in paper.quality:
        ours = [table for table in tables.quality if table.condition == condition]
        comparison_tables += [_quality(condition, table, records) for table in ours]
        comparison_tables += [] if ours else [_no_quality(condition, records)]
    latency_tables = [
        t for t in tables.latency if t.batch == paper.batch and any(c.frames in t.lengths for c in paper.latency)
    ]
    comparison_tables += [_latency(table, records) for table in latency_tables] or [_no_latency(tables, records)]
    return sorted(comparison_tables, key=lambda table: table.source)


# Tables 1, 2 and 4 -----------------------------------------------------------------------------------------------


def _quality(condition: QualityCondition, table: QualityTable, records: Sequence[Record]) -> ComparisonTable:
    rows: list[ComparisonRow] = []
    for entry in condition.rows:
        ours = [row for row in table.models if row.entry == entry]
        failed_rows = [row for row in table.rows if row.failure and row.name == entry.system and row.kind == "model"]
        rows += [_quality_row(row, entry, table) for row in ours]
        if not ours:
            # which losses a cell that failed would have had is not known: it is no news of any variant
            failure = failed_rows[0].failure if failed_rows and entry.variant is None else None
            reason = (
                f"{failure.type}: {failure.message}" if failure else _not_attempted_reason(entry, condition, records)
            )
            rows.append(_absent(entry, "failed" if failure else "not attempted", reason))
    names = {name: None for entry in condition.rows for name in entry.values}
    rows += [_control_row(row, list(names)) for row in table.controls]
    frames = f"{size_text(table.frame_size)} pixels" if table.frame_size else "frame size not recorded"
    clips = sorted({row.clips for row in table.models})
    parts = [
        f"{escape(load_paper().corpora[condition.corpus])}, {condition.durations} durations",
        f"{escape(table.corpus.split)} split",
        " or ".join(count(n, "clip") for n in clips),
        count(table.speakers, "speaker") if table.speakers else "speakers not known",
        frames,
        f"protocol **{escape(table.protocol.name)}** {code(table.protocol.fingerprint[:12])}",
    ]
    return ComparisonTable(
        source=condition.source,
        about="; ".join(part for part in parts if part),
        rows=rows,
        protocol=f"{table.protocol.name} {table.protocol.fingerprint}",
    )


def _quality_row(row: QualityRow, entry: QualityEntry, table: QualityTable) -> ComparisonRow:
    cells = {name: _quality_cell(row, name, value, table) for name, value in entry.values.items()}
    return ComparisonRow(
        label=row.label, variant=entry.variant, corpus=None, cells=cells, record=_source(row.record, cells)
    )


def _source(record: str, cells: Mapping[str, ComparisonCell]) -> str | None:
    """A record's key, where some number is from it."""
    return record if any(cell.ours is not None for cell in cells.values()) else None


def _mark(cell: QualityCell | LatencyCell) -> Mark | None:
    return "best" if cell.best else "tied" if cell.tied else None


def _quality_cell(row: QualityRow, name: str, value: Decimal, table: QualityTable) -> ComparisonCell:
    paper = load_paper()
    cell = row.cells.get(name)
    if cell is None or math.isnan(cell.mean.value):
        reason = row.not_measured.get(name) or (cell.mean.reason if cell else None)
        reason_text = reason or "the metric was not asked for"
        return ComparisonCell(quantity=name, paper=value, status="not measured", reason=reason_text)
    mean = cell.mean
    cell_fields = {
        "quantity": name,
        "paper": value,
        "ours": mean.value,
        "interval": mean.interval,
        "n": mean.n,
        "mark": _mark(cell),
    }
    if row.untrained:
        return ComparisonCell(**cell_fields, status="not comparable", reason="untrained")
    if table.frame_size != paper.frame_size:
        our_size = size_text(table.frame_size) if table.frame_size else "unknown size"
        return ComparisonCell(**cell_fields, status="not comparable", reason=f"frames of {our_size}")
    tolerance = paper.tolerances[name]
    decision = decide(mean.interval, value, tolerance)
    lacking = mean.reason or "one value of all clips, without an interval"
    return ComparisonCell(
        **cell_fields,
        status=decision.status,
        reason=lacking if mean.interval is None else None,
        distance=decision.distance,
        tolerance=tolerance,
    )


def _control_row(row: QualityRow, metrics: Sequence[str]) -> ComparisonRow:
    cells = {
        name: ComparisonCell(
            quantity=name, paper=None, status="control", ours=mean.value, interval=mean.interval, n=mean.n
        )
        for name in metrics
        if name in row.cells
        for mean in [row.cells[name].mean]
    }
    return ComparisonRow(
        label=row.label, variant=None, corpus=None, cells=cells, control=True, record=_source(row.record, cells)
    )


def _not_attempted_reason(entry: QualityEntry, condition: QualityCondition, records: Sequence[Record]) -> str | None:
    """Why a run did not attempt a row of a condition, if it says so; of variants it does not know which."""
    condition_key = (entry.system, condition.corpus, condition.durations)
    if entry.variant is not None:
        return None
    return _first_failure_reason(
        records, lambda cell: cell.kind == "quality" and (cell.system, cell.corpus, cell.durations) == condition_key
    )


def _first_failure_reason(records: Sequence[Record], matches: Callable[[Cell], bool]) -> str | None:
    reasons = (r.failure.message for r in records if r.status == "not_attempted" and r.failure and matches(r.cell))
    return next(reasons, None)


def _absent(entry: QualityEntry, status: Status, reason: str | None = None) -> ComparisonRow:
    cells = {
        n: ComparisonCell(quantity=n, paper=value, status=status, reason=reason) for n, value in entry.values.items()
    }
    return ComparisonRow(label=load_paper().systems[entry.system], variant=entry.variant, corpus=None, cells=cells)


def _no_quality(condition: QualityCondition, records: Sequence[Record]) -> ComparisonTable:
    place = f"{escape(load_paper().corpora[condition.corpus])}, {condition.durations} durations"
    splits = {
        record.result.corpus.split
        for record in records
        if isinstance(record.result, Quality)
        and (record.result.corpus.name, record.result.durations) == (condition.corpus, condition.durations)
    }
    reason = "scored here on another split than the paper's" if splits else "nothing was scored here"
    rows = [
        _absent(entry, "not attempted", _not_attempted_reason(entry, condition, records)) for entry in condition.rows
    ]
    return ComparisonTable(source=condition.source, about=f"{place}: {reason}", rows=rows)


# Table 3 ---------------------------------------------------------------------------------------------------------


def _latency(table: LatencyTable, records: Sequence[Record]) -> ComparisonTable:
    paper = load_paper()
    rows: list[ComparisonRow] = []
    for condition in paper.latency:
        for entry in condition.rows:
            matching_rows = [row for row in table.rows if row.name == entry.system and condition.frames in row.cells]
            # a system that was not timed at this length has its row all the same
            rows += [
                _latency_row(table, label=label, system=entry.system, latency_condition=condition, records=records)
                for label in [row.label for row in matching_rows] or [None]
            ]
    parts = [table.hardware, table.device.upper(), table.dtype, f"preset {table.preset}" if table.preset else ""]
    description = f"{', '.join(part for part in parts if part)} (the paper: {paper.hardware})"
    return ComparisonTable(source=paper.latency[0].source, about=escape(description), rows=rows)


def _latency_row(
    table: LatencyTable | None,
    *,
    label: str | None,
    system: str,
    latency_condition: LatencyCondition,
    records: Sequence[Record],
) -> ComparisonRow:
    paper = load_paper()
    entry = next(row for row in latency_condition.rows if row.system == system)
    row = next((r for r in table.rows if r.label == label), None) if table and label else None
    corpus = f"{paper.corpora[latency_condition.corpus]}, {latency_condition.frames} frames"
    values = {"latency_s": entry.latency_s, "speedup": entry.speedup}
    if row is None or latency_condition.frames not in row.measured:
        failure = row.cells.get(latency_condition.frames) if row else None
        status: Status = "failed" if isinstance(failure, Failure) else "not attempted"
        reason = (
            f"{failure.type}: {failure.message}"
            if isinstance(failure, Failure)
            else _first_failure_reason(
                records,
                lambda cell: (
                    cell.kind == "latency" and (cell.system, cell.frames) == (system, latency_condition.frames)
                ),
            )
        )
        cells = {n: ComparisonCell(quantity=n, paper=v, status=status, reason=reason) for n, v in values.items()}
        return ComparisonRow(label=label or paper.systems[system], variant=None, corpus=corpus, cells=cells)
    cell = row.measured[latency_condition.frames]
    seconds = ComparisonCell(
        quantity="latency_s", paper=entry.latency_s, status="not comparable", reason="another machine",
        ours=cell.wall.median, interval=cell.wall.interval, n=cell.wall.n, mark=_mark(cell),
    )  # fmt: skip
    ratio = _speedup(cell, entry.speedup, itself=system == paper.baseline)
    return ComparisonRow(
        label=row.label,
        variant=None,
        corpus=corpus,
        cells={"latency_s": seconds, "speedup": replace(ratio, mark=_mark(cell))},
        record=row.records[latency_condition.frames],
    )


def _speedup(cell: LatencyCell, value: Decimal, *, itself: bool) -> ComparisonCell:
    if cell.speedup is None:
        reason = "the baseline was not measured at this length"
        return ComparisonCell(quantity="speedup", paper=value, status="not measured", reason=reason)
    ours, n = cell.speedup.value, cell.wall.n
    if itself:
        reason = "1 by definition"
        return ComparisonCell(quantity="speedup", paper=value, status="not comparable", reason=reason, ours=ours, n=n)
    interval, tolerance = cell.speedup.interval, load_paper().tolerances["speedup"] * float(value)
    decision = decide(interval, value, tolerance)
    return ComparisonCell(
        quantity="speedup", paper=value, status=decision.status, ours=ours, interval=interval, n=n,
        reason=cell.speedup.reason,
        distance=decision.distance, tolerance=tolerance,
    )  # fmt: skip


def _no_latency(tables: Tables, records: Sequence[Record]) -> ComparisonTable:
    paper = load_paper()
    lengths = " or ".join(str(condition.frames) for condition in paper.latency)
    reason = f"nothing was timed here at {lengths} frames and a batch of {paper.batch}" if tables.latency else (
        "nothing was timed here"
    )  # fmt: skip
    rows = [
        _latency_row(None, label=None, system=entry.system, latency_condition=condition, records=records)
        for condition in paper.latency
        for entry in condition.rows
    ]
    return ComparisonTable(source=paper.latency[0].source, about=reason, rows=rows)
