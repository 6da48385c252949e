"""The tables of a report as text for people and as data frames for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from benchmarks.record import Failure, Record
from reports.difference_table import DifferenceTable, difference_table, mark_ties
from reports.formatting import (
    NOTHING,
    between,
    count,
    escaped,
    milliseconds,
    printed,
    significant,
    times,
)
from reports.latency_details import cost_columns
from reports.latency_table import LatencyCell, LatencyRow, LatencyTable, latency_tables
from reports.natural_table import NaturalTable, natural_tables
from reports.paper import Paper
from reports.quality_table import QualityTable, quality_tables
from reports.statistics import TOO_SMALL, Interval
from reports.systems import Naming
from reports.text_table import TIED, TextTable, failed_text, marked, stacked


@dataclass(frozen=True)
class Tables:
    """Every table of a run."""

    quality: list[QualityTable]
    latency: list[LatencyTable]
    differences: list[DifferenceTable | None]
    """Of each quality table, in the same order; None where there is no pair to compare."""
    natural: list[NaturalTable]


def make_tables(records: Sequence[Record], names: Naming, paper: Paper) -> Tables:
    """Sort a run's records into tables.

    Args:
        records: of one run.
        names: see `reports.systems.naming`.
        paper: what to set beside ours.
    """
    quality = quality_tables(records, names, paper)
    differences = [difference_table(table) for table in quality]
    marked = [mark_ties(table, found) for table, found in zip(quality, differences, strict=True)]
    return Tables(marked, latency_tables(records, names, paper), differences, natural_tables(records, names, paper))


def latency_text(table: LatencyTable) -> TextTable:
    """Median latency: systems by lengths, with the paper's beside."""
    lengths = (stacked(f"{n} frames ↓", "ms") for n in table.shown)
    header = ("System", *lengths, stacked("Fit", "ms, L in frames"), stacked("Pace ↓", "ms per frame"))
    header += (stacked("RTF ↓", "s per s of clip"),)
    return TextTable(header, tuple(_latency_row(row, table) for row in table.rows))


def _latency_row(row: LatencyRow, table: LatencyTable) -> tuple[str, ...]:
    cells = []
    for length in table.shown:
        cell = row.cells.get(length)
        if cell is None:
            cells.append(NOTHING)
        elif isinstance(cell, Failure):
            cells.append(failed_text(cell, 120))
        else:
            cells.append(_latency_cell(cell))
    found = list(row.measured.values())
    pace = _range([cell.ms_per_frame for cell in found])
    return (escaped(row.label), *cells, _line_text(row), pace, _range([cell.real_time_factor for cell in found]))


def _range(values: list[float]) -> str:
    """The smallest and the largest of some values; a single number where they do not differ in two digits."""
    if not values:
        return NOTHING
    low, high = significant(min(values)), significant(max(values))
    return low if low == high else f"{low}–{high}"


def _latency_cell(cell: LatencyCell) -> str:
    paper = f"*paper {printed(cell.paper.latency_s.scaleb(3))}*" if cell.paper else None
    doubt = None if cell.unstable is None else "**unstable**" if cell.settled else "**not settled**"
    median = marked(milliseconds(cell.wall.median), best=cell.best)
    return stacked(median, _seconds_interval(cell.wall.interval), _tied(cell), paper, doubt)


def _tied(cell: LatencyCell) -> str | None:
    return TIED if cell.tied else None


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
    over = f"Speed-up over {escaped(table.baseline)}"
    header = (over, *(stacked(f"{n} frames ↑", "times as fast") for n in table.shown))
    rows = (
        (
            escaped(row.label),
            *(_speedup_cell(row.cells.get(n), itself=row.label == table.baseline) for n in table.shown),
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
        return stacked(marked("1×", best=cell.best), _tied(cell))
    ends = cell.speedup.interval
    around = between(times(ends.low), times(ends.high)) if ends else TOO_SMALL
    paper = f"*paper {printed(cell.paper.speedup)}×*" if cell.paper else None
    return stacked(marked(times(cell.speedup.value), best=cell.best), around, _tied(cell), paper)


def latency_frame(table: LatencyTable) -> pd.DataFrame:
    """A latency table for programs: one row per system and length, times in seconds."""
    rows = []
    for row in table.rows:
        for length, cell in sorted(row.cells.items()):
            entry: dict[str, object] = {"system": row.name, "label": row.label, "kind": row.kind, "frames": length}
            entry["condition"] = f"{table.device} {table.dtype} batch {table.batch}"
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
        "p99_s": cell.wall.p99,
        "device_median_s": cell.device.median if cell.device else None,
        "calls": cell.wall.n,
        "first_call_s": cell.first_call_s,
        "first_frame_s": cell.first_frame_s,
        "best": cell.best,
        "tied": cell.tied,
        "settled": cell.settled,
        "unstable": cell.unstable,
        "ms_per_frame": cell.ms_per_frame,
        "real_time_factor": cell.real_time_factor,
        "speedup": ratio.value if ratio else None,
        "speedup_low": around.low if around else None,
        "speedup_high": around.high if around else None,
        "paper_latency_s": float(cell.paper.latency_s) if cell.paper else None,
        "paper_speedup": float(cell.paper.speedup) if cell.paper else None,
        **cost_columns(cell),
    }
