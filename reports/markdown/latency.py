"""What latency records hold beside the median, cell by cell: how calls scattered, and what a call costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lipbench.records.record import Failure
from lipbench.reports.formatting import (
    NOTHING,
    TIED,
    TextTable,
    between,
    count,
    escaped,
    failed_text,
    joined,
    marked,
    milliseconds,
    number,
    printed,
    significant,
    stacked,
    times,
)
from lipbench.reports.markdown.section import Picture, Section
from lipbench.reports.paper import Paper, incomparable
from lipbench.reports.tables.latency import LatencyCell, LatencyRow, LatencyTable, cost_columns
from lipbench.statistics.intervals import TOO_SMALL, Interval
from lipbench.statistics.timings import MIN_LENGTHS, MIN_SAMPLES

REASONS_SHOWN = 8
"""So many cells are named with the reason why they are unstable; the CSV has them all."""


def details_text(table: LatencyTable) -> TextTable:
    """How the calls of each cell scattered: percentiles, first call, first frame, stability."""
    cells = _cells(table)
    on_device = any(cell.device for _, cell in cells)
    streamed = any(cell.first_frame_s is not None for _, cell in cells)
    timed = ["Median", "p90", "p95", "p99", "First call", *(["First frame"] if streamed else [])]
    header = ["System", "Frames", "Tokens", *(stacked(f"{name} ↓", "ms") for name in timed)]
    header += [stacked("Pace ↓", "ms per frame"), stacked("RTF ↓", "s per s of clip"), "Calls", "Passes", "Stable"]
    header += [stacked("Device median ↓", "ms")] if on_device else []
    rows = []
    for row, cell in cells:
        wall = cell.wall
        shown = [escaped(row.label), str(cell.frames), str(cell.tokens)]
        shown += [milliseconds(s) for s in (wall.median, wall.p90, wall.p95, wall.p99, cell.first_call_s)]
        shown += [_or_nothing(cell.first_frame_s, milliseconds)] if streamed else []
        shown += [significant(cell.ms_per_frame), significant(cell.real_time_factor), str(wall.n)]
        shown += [str(cell.result.blocks), "yes" if cell.unstable is None else "**no**"]
        shown += [_or_nothing(cell.device.median if cell.device else None, milliseconds)] if on_device else []
        rows.append(tuple(shown))
    return TextTable(tuple(header), tuple(rows))


_COSTS: tuple[tuple[str, str, str, float, Callable[[float], str]], ...] = (
    ("Latency", "times the floor", "over_floor", 1, lambda value: f"{significant(value)}×"),
    ("Operations", "G", "operations", 1e9, significant),
    ("Launches", "", "launches", 1, lambda value: number(value, 0)),
    ("Activations", "MB", "activation_bytes", 1e6, significant),
    ("Allocated", "MB", "allocated_bytes", 1e6, lambda value: number(value, 0)),
    ("GPU in use", "MB", "device_bytes", 1e6, lambda value: number(value, 0)),
    ("Process", "MB", "resident_bytes", 1e6, lambda value: number(value, 0)),
    ("Energy", "J per clip", "joules_per_clip", 1, significant),
    ("Load", "ms", "load_s", 1e-3, lambda value: number(value, 0)),
    ("Deviation", "of a level in [0, 1]", "deviation", 1, lambda value: f"{value:.1e}"),
)
"""Heading, unit, column of `cost_columns`, how much of it one unit is, and how it is written. Of all less is better."""


def costs_text(table: LatencyTable) -> TextTable | None:
    """What one call of each cell costs, in columns that any cell has a value of; None if there is none."""
    cells = [(row, cell, cost_columns(cell)) for row, cell in _cells(table)]
    shown = [kind for kind in _COSTS if any(columns[kind[2]] is not None for _, _, columns in cells)]
    if not shown:
        return None
    rows = (
        (
            escaped(row.label),
            str(cell.frames),
            *(_or_nothing(columns[name], lambda value, to=to, one=one: to(value / one))
              for _, _, name, one, to in shown),
        )
        for row, cell, columns in cells
    )  # fmt: skip
    heads = (stacked(f"{title} ↓", unit) for title, unit, *_ in shown)
    return TextTable(("System", "Frames", *heads), tuple(rows))


def stability_notes(table: LatencyTable) -> list[str]:
    """Which cells are to be read with care, and why, as markdown."""
    cells = _cells(table)
    unstable = [(row, cell, cell.unstable) for row, cell in cells if cell.unstable]
    lost = [(row, cell, cell.result.lost) for row, cell in cells if cell.result.lost]
    notes: list[str] = []
    unsettled = sum(not cell.settled for _, cell, _ in unstable)
    if unsettled:
        notes.append(f"{count(unsettled, 'cell')} had not settled when the warm-up ended at its limit: read with care.")
    others = [one for one in unstable if one[1].settled]
    if others:
        notes.append(f"{count(len(others), 'cell')} unstable: {_listed(others)}.")
    if lost:
        notes.append(
            f"Of {count(len(lost), 'cell')} a later pass failed, and the passes before it stand: {_listed(lost)}."
        )
    return notes


def _listed(found: Sequence[tuple[LatencyRow, LatencyCell, str | None]]) -> str:
    shown = [f"{row.label} at {cell.frames} frames ({reason})" for row, cell, reason in found[:REASONS_SHOWN]]
    more = len(found) - len(shown)
    return escaped("; ".join(shown)) + (f"; and {more} more, see the CSV" if more else "")


def _cells(table: LatencyTable) -> list[tuple[LatencyRow, LatencyCell]]:
    return [(row, cell) for row in table.rows for cell in row.measured.values()]


def _or_nothing(value: float | None, shown: Callable[[float], str]) -> str:
    return NOTHING if value is None else shown(value)


MOST_CELLS = 200
"""Most cells of a latency table that are told one by one; those of more are in its CSV alone."""


def latency_section(
    table: LatencyTable, paper: Paper, *, csv: str, picture: Picture | None, undrawn: str | None = None
) -> Section:
    """One latency table with its heading, notes and figure, or the reason, as plain text, why it has none."""
    parts = [
        table.device.upper(),
        table.dtype,
        f"batch {table.batch}",
        f"preset {table.preset}" if table.preset else "",
    ]
    ratios = speedup_text(table)
    cells = sum(len(row.measured) for row in table.rows)
    many = cells > MOST_CELLS
    more = [f"Percentiles and costs of the {cells} cells are in the CSV: too many to read here."] if many else []
    more += [f"No figure: {escaped(undrawn)}."] if undrawn else []
    return Section(
        title=escaped(", ".join(part for part in parts if part)),
        facts=escaped(table.hardware),
        tables=[latency_text(table), *([ratios] if ratios else [])],
        notes=[*latency_notes(table, paper), *more],
        folded=[] if many else _folded(table),
        picture=picture,
        csv=csv,
    )


def _folded(table: LatencyTable) -> list[tuple[str, TextTable]]:
    found = costs_text(table)
    folded = [("Every cell: percentiles, first call, whether it was stable", details_text(table))]
    return [
        *folded,
        *([] if found is None else [("What a call costs: operations, memory, energy, times the floor", found)]),
    ]


def latency_notes(table: LatencyTable, paper: Paper) -> list[str]:
    """Notes under a latency table, as markdown."""
    notes = [
        "Median time of a call, from before it to after the device has finished. [ ]: its 95 % interval from order "
        f"statistics (at least {MIN_SAMPLES} calls).",
        "Pace and RTF: smallest and largest over the lengths. RTF (real-time factor) is latency over the clip's own "
        f"duration at {joined(f'{fps:g}' for fps in table.fps)} fps; below 1 is faster than real time.",
    ]
    measured = [cell for row in table.rows for cell in row.measured.values()]
    if any(cell.tied for cell in measured):
        notes.append(
            "Bold: the fastest model. Tied: the 95 % bootstrap interval of the ratio of the two medians holds 1, the "
            "rule of lipbench compare; it covers the scatter within this run alone, and does not prove them equal."
        )
    if len(table.shown) < len(table.lengths):
        notes.append(
            f"{len(table.shown)} of {len(table.lengths)} lengths have a column, spread evenly; the fit is through all, "
            "and the CSV has them."
        )
    if any(row.line is not None for row in table.rows):
        notes.append(
            f"Fit: least squares through the medians, a + b L, with 95 % t intervals (at least {MIN_LENGTHS} lengths)."
        )
    if table.batch != paper.batch:
        notes.append(f"The paper measured at batch size {paper.batch} only, so none of its values stands beside these.")
    if table.shows_paper:
        notes.append(f"*Paper*: Table 3, measured on {paper.hardware}. {paper.latency_remark}")
        reasons = {incomparable(frame_size, paper) for frame_size in table.frame_sizes or {None}} - {None}
        notes += [f"**Paper values are {reason}.**" for reason in sorted(filter(None, reasons))]
    notes += stability_notes(table)
    if any(cell.over_floor is not None for cell in measured):
        notes.append(
            "Times the floor: the median over the least time that this machine could take, by the measured speed of a "
            "large matrix product or of a convolution as the models have, the faster of the two, or of a large copy, "
            "whichever takes longer."
        )
    below = sum(cell.over_floor is not None and cell.over_floor < 1 for cell in measured)
    if below:
        notes.append(
            f"{below} cell{'s' if below > 1 else ''} took less than the floor: the machine is faster than what its "
            "ceilings were measured by (before 27 November 2026 the matrix product alone)."
        )
    if not table.has_baseline:
        notes.append(f"No speed-up is given: {escaped(table.baseline)} was not measured here.")
    return notes


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
