"""The tables of a report as text for people and as data frames for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from benchmarks.record import Corpus, Failure, MetricFacts, Record, Training
from reports.formatting import (
    NOTHING,
    between,
    code,
    count,
    decimals_for,
    escaped,
    interval_of,
    milliseconds,
    number,
    printed,
    shortened,
    signed,
    significant,
    times,
)
from reports.latency_table import LatencyCell, LatencyRow, LatencyTable, latency_tables
from reports.paper import Paper
from reports.quality_table import QualityCell, QualityRow, QualityTable, quality_tables
from reports.statistics import TOO_SMALL, Interval, Mean
from reports.systems import Naming

CONTROLS_HEAD = "*Controls*"
"""First cell of the row that opens the block of controls."""
FAILED = "failed:"
"""How the cell of a failure begins."""


@dataclass(frozen=True)
class TextTable:
    """A table of markdown cells. A row that is shorter than the header leaves the rest empty."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Tables:
    """Every table of a run."""

    quality: list[QualityTable]
    latency: list[LatencyTable]


def make_tables(records: Sequence[Record], names: Naming, paper: Paper) -> Tables:
    """Sort a run's records into tables.

    Args:
        records: of one run.
        names: see `reports.systems.naming`.
        paper: what to set beside ours.
    """
    return Tables(quality_tables(records, names, paper), latency_tables(records, names, paper))


def arrow(metric: MetricFacts) -> str:
    """Which way is better: up, down, or in between."""
    return {True: "↑", False: "↓", None: "↔"}[metric.higher_is_better]


def failed_text(failure: Failure, width: int = 300) -> str:
    """Why a cell has no value, as a table cell."""
    return f"{FAILED} {escaped(shortened(f'{failure.type}: {failure.message}', width))}"


def stacked(*lines: str | None) -> str:
    """The first line large, the others small beneath it."""
    first, *rest = [line for line in lines if line]
    return "<br>".join([first, *(f"<small>{line}</small>" for line in rest)])


# Quality ---------------------------------------------------------------------------------------------------------


def quality_text(table: QualityTable) -> TextTable:
    """A quality table for reading: models, then controls."""
    predicted = table.durations == "predicted"
    header = ["System", *(stacked(f"{escaped(m.title)} {arrow(m)}", escaped(m.unit)) for m in table.metrics)]
    header += [stacked("Length error ↓", "frames")] if predicted else []
    header.append("Clips")
    decimals = {metric.name: _metric_decimals(table, metric) for metric in table.metrics}
    rows: list[tuple[str, ...]] = []
    for row in table.rows:
        if row.kind == "control" and CONTROLS_HEAD not in {shown[0] for shown in rows}:
            rows.append((CONTROLS_HEAD,))
        rows.append(_quality_row(row, table, decimals))
    return TextTable(tuple(header), tuple(rows))


def _metric_decimals(table: QualityTable, metric: MetricFacts) -> int:
    cells = [row.cells[metric.name] for row in table.rows if metric.name in row.cells]
    return decimals_for(value for cell in cells for value in (cell.mean.value, float(cell.paper or 0)))


def _quality_row(row: QualityRow, table: QualityTable, decimals: dict[str, int]) -> tuple[str, ...]:
    name = stacked(escaped(row.label), _facts(row, table.corpus))
    if row.failure is not None:
        return (name, failed_text(row.failure))
    cells = [name]
    cells += [_quality_cell(row.cells.get(m.name), decimals[m.name]) for m in table.metrics]
    if table.durations == "predicted":
        cells.append(_mean_text(row.length_error, 2) if row.length_error else NOTHING)
    cells.append(str(row.clips))
    return tuple(cells)


def _facts(row: QualityRow, corpus: Corpus) -> str | None:
    """What a reader must know of a model before its numbers."""
    if row.system is None or row.kind == "control":
        return None
    parts = ["**untrained**" if row.untrained else ""]
    trained = row.system.training
    if trained is not None:
        parts.append(f"{number(trained.steps, 0)} steps")
    parts.append(f"{number(row.system.parameters / 1e6, 1)} M parameters" if row.system.parameters else "")
    facts = ", ".join(part for part in parts if part)
    foreign = _foreign_training(trained, corpus) if trained is not None else ""
    return "<br>".join(part for part in (facts, foreign) if part) or None


def _foreign_training(trained: Training, scored: Corpus) -> str:
    """What a model was trained on, if that is something else than what it was scored on."""
    if trained.corpus != scored.name:
        return f"**trained on {escaped(trained.corpus)}**"
    if trained.corpus_fingerprint != scored.fingerprint:
        return f"**trained on another {escaped(trained.corpus)}** {code(trained.corpus_fingerprint[:8])}"
    return ""


def _quality_cell(cell: QualityCell | None, decimals: int) -> str:
    if cell is None:
        return NOTHING
    text = _mean_text(cell.mean, decimals, bold=cell.best)
    beside = None
    if cell.paper is not None and cell.difference is not None:
        beside = f"*paper {printed(cell.paper)} ({signed(cell.difference, decimals)})*"
    return stacked(text, beside, "**beats every model**" if cell.above_models else None)


def _mean_text(mean: Mean, decimals: int, *, bold: bool = False) -> str:
    value = number(mean.value, decimals)
    coverage = f"{mean.n} of {mean.n + mean.missing} clips" if mean.missing else None
    # the value says itself that it is not finite, and a note under the table says where n is too small
    reason = None if mean.reason and mean.reason.startswith(("not finite", TOO_SMALL)) else mean.reason
    # a control that scores every clip alike needs no interval of no width
    interval = mean.interval if mean.interval and mean.interval.low < mean.interval.high else None
    return stacked(f"**{value}**" if bold else value, interval_of(interval, decimals) or reason, coverage)


def quality_frame(table: QualityTable) -> pd.DataFrame:
    """A quality table for programs: one row per system and plain columns per metric."""
    rows = []
    for row in table.rows:
        entry: dict[str, object] = {
            "system": row.name,
            "label": row.label,
            "kind": row.kind,
            "status": "failed" if row.failure else "measured",
            "failure": f"{row.failure.type}: {row.failure.message}" if row.failure else None,
            "untrained": row.untrained,
            "trained_on": row.system.training.corpus if row.system and row.system.training else None,
            "clips": row.clips,
        }
        for metric in table.metrics:
            cell = row.cells.get(metric.name)
            entry |= _mean_columns(metric.name, cell.mean if cell else None)
            entry[f"{metric.name}_paper"] = float(cell.paper) if cell and cell.paper is not None else None
            entry[f"{metric.name}_difference"] = cell.difference if cell else None
        if table.durations == "predicted":
            entry |= _mean_columns("length_error", row.length_error)
        rows.append(entry)
    return pd.DataFrame(rows)


def _mean_columns(name: str, mean: Mean | None) -> dict[str, object]:
    interval = mean.interval if mean else None
    return {
        name: mean.value if mean else None,
        f"{name}_low": interval.low if interval else None,
        f"{name}_high": interval.high if interval else None,
        f"{name}_clips": mean.n if mean else None,
    }


# Latency ---------------------------------------------------------------------------------------------------------


def latency_text(table: LatencyTable) -> TextTable:
    """Median latency: systems by lengths, with the paper's beside."""
    lengths = (stacked(f"{n} frames", "ms") for n in table.lengths)
    header = ("System", *lengths, stacked("Fit", "ms, L in frames"), stacked("Pace", "ms per frame"), "RTF")
    return TextTable(header, tuple(_latency_row(row, table) for row in table.rows))


def _latency_row(row: LatencyRow, table: LatencyTable) -> tuple[str, ...]:
    cells = []
    for length in table.lengths:
        cell = row.cells.get(length)
        best = row.kind == "model" and table.best(length) == row.label
        if cell is None:
            cells.append(NOTHING)
        elif isinstance(cell, Failure):
            cells.append(failed_text(cell, 120))
        else:
            cells.append(_latency_cell(cell, bold=best))
    found = list(row.measured.values())
    pace = _range([cell.ms_per_frame for cell in found])
    return (escaped(row.label), *cells, _line_text(row), pace, _range([cell.real_time_factor for cell in found]))


def _range(values: list[float]) -> str:
    """The smallest and the largest of some values; a single number where they do not differ in two digits."""
    if not values:
        return NOTHING
    low, high = significant(min(values)), significant(max(values))
    return low if low == high else f"{low}–{high}"


def _latency_cell(cell: LatencyCell, *, bold: bool) -> str:
    paper = f"*paper {printed(cell.paper.latency_s.scaleb(3))}*" if cell.paper else None
    unsettled = None if cell.settled else "**not settled**"
    median = milliseconds(cell.wall.median)
    return stacked(f"**{median}**" if bold else median, _seconds_interval(cell.wall.interval), paper, unsettled)


def _seconds_interval(interval: Interval | None) -> str:
    if interval is None:
        return TOO_SMALL
    return between(milliseconds(interval.low), milliseconds(interval.high))


def _line_text(row: LatencyRow) -> str:
    line = row.line
    if line is None:
        return NOTHING
    sign = "−" if line.slope < 0 else "+"
    text = f"{milliseconds(line.intercept)} {sign} {significant(abs(line.slope) * 1000)} L"
    if line.intercept_interval is None or line.slope_interval is None:
        return stacked(text, f"{TOO_SMALL}: {count(line.n, 'length')}")
    slopes = between(*(significant(end * 1000) for end in (line.slope_interval.low, line.slope_interval.high)))
    return stacked(text, f"a {_seconds_interval(line.intercept_interval)}", f"b {slopes}")


def speedup_text(table: LatencyTable) -> TextTable | None:
    """Speed-up over the baseline, or None if the baseline was not measured."""
    if not any(cell.speedup for row in table.rows for cell in row.measured.values()):
        return None
    header = (f"Speed-up over {escaped(table.baseline)}", *(f"{n} frames" for n in table.lengths))
    rows = (
        (
            escaped(row.label),
            *(_speedup_cell(row.cells.get(n), itself=row.label == table.baseline) for n in table.lengths),
        )
        for row in table.rows
        if row.measured
    )
    return TextTable(header, tuple(rows))


def _speedup_cell(cell: LatencyCell | Failure | None, *, itself: bool) -> str:
    if not isinstance(cell, LatencyCell):
        return NOTHING if cell is None else "failed"
    if cell.speedup is None:
        return NOTHING
    if itself:
        return "1×"
    ends = cell.speedup.interval
    around = between(times(ends.low), times(ends.high)) if ends else TOO_SMALL
    return stacked(times(cell.speedup.value), around, f"*paper {printed(cell.paper.speedup)}×*" if cell.paper else None)


def details_text(table: LatencyTable) -> TextTable:
    """Everything else about each cell: percentiles, first call, whether it settled."""
    cells = [(row, cell) for row in table.rows for cell in row.measured.values()]
    on_device = any(cell.device for _, cell in cells)
    header = ["System", "Frames", "Tokens", "Median ms", "p90 ms", "p95 ms", "First call ms"]
    header += ["ms per frame", "RTF", "Calls", "Settled"]
    rows = []
    for row, cell in cells:
        wall = [milliseconds(s) for s in (cell.wall.median, cell.wall.p90, cell.wall.p95, cell.first_call_s)]
        pace = [significant(cell.ms_per_frame), significant(cell.real_time_factor)]
        shown = [escaped(row.label), str(cell.frames), str(cell.tokens), *wall, *pace, str(cell.wall.n)]
        shown.append("yes" if cell.settled else "**no**")
        if on_device:
            shown.append(milliseconds(cell.device.median) if cell.device else NOTHING)
        rows.append(tuple(shown))
    return TextTable((*header, *(["Device median ms"] if on_device else [])), tuple(rows))


def latency_frame(table: LatencyTable) -> pd.DataFrame:
    """A latency table for programs: one row per system and length, times in seconds."""
    rows = []
    for row in table.rows:
        for length, cell in sorted(row.cells.items()):
            entry: dict[str, object] = {"system": row.name, "label": row.label, "kind": row.kind, "frames": length}
            if isinstance(cell, Failure):
                entry |= {"status": "failed", "failure": f"{cell.type}: {cell.message}"}
            else:
                entry |= {"status": "measured", "failure": None, **_latency_columns(cell)}
            rows.append(entry)
    return pd.DataFrame(rows)


def _latency_columns(cell: LatencyCell) -> dict[str, object]:
    interval, ratio = cell.wall.interval, cell.speedup
    around = ratio.interval if ratio else None
    return {
        "median_s": cell.wall.median,
        "median_low_s": interval.low if interval else None,
        "median_high_s": interval.high if interval else None,
        "p10_s": cell.wall.p10,
        "p90_s": cell.wall.p90,
        "p95_s": cell.wall.p95,
        "device_median_s": cell.device.median if cell.device else None,
        "calls": cell.wall.n,
        "first_call_s": cell.first_call_s,
        "settled": cell.settled,
        "ms_per_frame": cell.ms_per_frame,
        "real_time_factor": cell.real_time_factor,
        "speedup": ratio.value if ratio else None,
        "speedup_low": around.low if around else None,
        "speedup_high": around.high if around else None,
        "paper_latency_s": float(cell.paper.latency_s) if cell.paper else None,
        "paper_speedup": float(cell.paper.speedup) if cell.paper else None,
    }
