"""The part on latency: medians by length, speed-ups, how calls scattered, and what a call costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lipbench.records.record import Failure
from lipbench.reports.files import slug
from lipbench.reports.formatting import (
    count,
    escape,
    join_words,
    milliseconds,
    number,
    paper_number,
    range_text,
    ratio_text,
    significant_digits,
)
from lipbench.reports.markdown.cells import Column, Mark, Row, Span, Table, TableCell, Text, failed_cell, number_cell
from lipbench.reports.markdown.data import ReportData
from lipbench.reports.markdown.quality_notes import incomparable_reason
from lipbench.reports.markdown.section import DataFile, Part, Picture, Section, with_shared_notes
from lipbench.reports.paper import load_paper
from lipbench.reports.tables.costs import cost_columns
from lipbench.reports.tables.csv import latency_frame
from lipbench.reports.tables.latency import LatencyCell, LatencyRow, LatencyTable
from lipbench.statistics.intervals import TOO_SMALL, Interval
from lipbench.statistics.timings import MIN_LENGTHS, MIN_SAMPLES, Ratio

MOST_CELLS = 200
"""Cells up to which a latency table lists each cell; larger tables have them in the CSV only."""
REASONS_SHOWN = 8
"""So many cells are named with the reason why they are unstable; the CSV has them all."""
SYSTEM = Column("System", left=True)
PACE, REAL_TIME = Column("Pace", "ms per frame", "lower"), Column("RTF", "s per s of clip", "lower")


def latency_part(data: ReportData) -> Part | None:
    """Every latency table with what belongs to it."""
    pictures = data.pictures.latency or [""] * len(data.tables.latency)
    pairs = zip(data.tables.latency, pictures, strict=True)
    return with_shared_notes("Latency", [latency_section(i, *pair) for i, pair in enumerate(pairs, 1)])


def latency_name(index: int, table: LatencyTable) -> str:
    """Stem of its files."""
    return "latency-" + slug(str(index), table.device, table.dtype, f"batch{table.batch}", table.preset or "")


def latency_section(index: int, table: LatencyTable, picture: Picture | str) -> Section:
    """One latency table with its notes and its figure, or the reason, as plain text, why it has none."""
    preset = f"preset {table.preset}" if table.preset else ""
    parts = [table.device.upper(), table.dtype, f"batch {table.batch}", preset]
    ratios = speedup_table(table)
    cells = sum(len(row.measured) for row in table.rows)
    many = cells > MOST_CELLS
    more = [f"Percentiles and costs of the {cells} cells are in the CSV: too many to read here."] if many else []
    more += [f"No figure: {escape(picture)}."] if isinstance(picture, str) and picture else []
    costs = costs_table(table)
    return Section(
        kind="latency",
        title=", ".join(part for part in parts if part),
        text=[escape(table.hardware)],
        tables=[medians_table(table), *([ratios] if ratios else [])],
        pictures=[picture] if isinstance(picture, Picture) else [],
        notes=[*latency_notes(table), *more],
        csv=DataFile(f"tables/{latency_name(index, table)}.csv", latency_frame(table)),
        details=[] if many else [cells_table(table), *([costs] if costs else [])],
    )


def medians_table(table: LatencyTable) -> Table:
    """Median latency: systems by lengths, with the paper's beside."""
    lengths = (Column(f"{n}\u00a0frames", "ms", "lower") for n in table.shown)
    columns = (SYSTEM, *lengths, Column("Fit", "ms, L in frames"), PACE, REAL_TIME)
    return Table(columns, tuple(_medians_row(row, table) for row in table.rows))


def _medians_row(row: LatencyRow, table: LatencyTable) -> Row:
    measured = list(row.measured.values())
    cells = (
        TableCell(row.label),
        *(_median(row.cells.get(length), row.records.get(length)) for length in table.shown),
        _fit(row),
        _range([cell.ms_per_frame for cell in measured]),
        _range([cell.real_time_factor for cell in measured]),
    )
    return Row(cells, system=row.name)


def _median(cell: LatencyCell | Failure | None, record: str | None) -> TableCell:
    if cell is None:
        return TableCell()
    if isinstance(cell, Failure):
        return failed_cell(cell, 120, record)
    lines: list[Text] = []
    if cell.paper:
        lines.append(Span(f"paper {paper_number(cell.paper.latency_s.scaleb(3))}", "em"))
    if cell.unstable is not None:
        lines.append(Span("unstable" if cell.settled else "not settled", "strong"))
    interval = milliseconds_interval(cell.wall.interval)
    median = cell.wall.median
    return TableCell(
        milliseconds(median), median, mark=mark(cell), interval=interval, lines=tuple(lines), record=record
    )


def mark(cell: LatencyCell) -> Mark | None:
    """Fastest of its column, or tied with that."""
    return "best" if cell.best else "tied" if cell.tied else None


def _range(values: list[float]) -> TableCell:
    """The smallest and the largest of some values; a single number where they do not differ in two digits."""
    if not values:
        return TableCell()
    low, high = significant_digits(min(values)), significant_digits(max(values))
    return TableCell(low if low == high else f"{low}–{high}", min(values))


def milliseconds_interval(interval: Interval | None) -> str:
    """An interval of seconds in ms, or that there are too few calls for one."""
    return range_text(milliseconds(interval.low), milliseconds(interval.high)) if interval else TOO_SMALL


def _fit(row: LatencyRow) -> TableCell:
    line = row.line
    if line is None:
        return TableCell()
    sign = "−" if line.slope < 0 else "+"
    text = f"{milliseconds(line.intercept)} {sign} {significant_digits(abs(line.slope) * 1000)} L"
    if line.intercept_interval is None or line.slope_interval is None:
        return TableCell(text, line.intercept, lines=(f"{TOO_SMALL}: {count(line.n, 'length')}",))
    slopes = range_text(
        *(significant_digits(end * 1000) for end in (line.slope_interval.low, line.slope_interval.high))
    )
    ends = (("a ", milliseconds_interval(line.intercept_interval)), ("b ", slopes))
    return TableCell(text, line.intercept, lines=tuple((name, Span(around, "interval")) for name, around in ends))


def speedup_table(table: LatencyTable) -> Table | None:
    """Speed-up over the baseline, or None if the baseline was not measured."""
    if not any(cell.speedup for row in table.rows for cell in row.measured.values()):
        return None
    lengths = (Column(f"{n}\u00a0frames", "times as fast", "higher") for n in table.shown)
    rows = (
        Row(
            (
                TableCell(row.label),
                *(_speedup(row.cells.get(n), row.records.get(n), row.label == table.baseline) for n in table.shown),
            )
        )
        for row in table.rows
        if row.measured
    )
    return Table((Column(f"Speed-up over {table.baseline}", left=True), *lengths), tuple(rows))


def _speedup(cell: LatencyCell | Failure | None, record: str | None, itself: bool) -> TableCell:
    if isinstance(cell, Failure):
        return TableCell("failed", mark="failed", record=record)
    if cell is None:
        return TableCell()
    paper = () if cell.paper is None or itself else (Span(f"paper {paper_number(cell.paper.speedup)}×", "em"),)
    return ratio_cell(cell.speedup, mark=mark(cell), lines=paper, record=record, itself=itself)


def ratio_cell(
    ratio: Ratio | None,
    *,
    mark: Mark | None = None,
    lines: tuple[Text, ...] = (),
    record: str | None = None,
    itself: bool,
) -> TableCell:
    """How many times as fast as the baseline; `itself` is that it is the baseline."""
    if itself:
        return TableCell("1", 1, "×", mark=mark, record=record)
    if ratio is None:
        return TableCell()
    ends = ratio.interval
    around = range_text(ratio_text(ends.low), ratio_text(ends.high)) if ends else TOO_SMALL
    return TableCell(
        ratio_text(ratio.value)[:-1], ratio.value, "×", mark=mark, interval=around, lines=lines, record=record
    )


def cells_table(table: LatencyTable) -> Table:
    """How the calls of each cell scattered: percentiles, first call, first frame, stability."""
    cells = _cells(table)
    on_device = any(cell.device for _, cell in cells)
    streamed = any(cell.first_frame_s is not None for _, cell in cells)
    timed = ["Median", "p90", "p95", "p99", "First call", *(["First frame"] if streamed else [])]
    columns = [SYSTEM, Column("Frames", left=True), Column("Tokens")]
    columns += [Column(name, "ms", "lower") for name in timed]
    columns += [PACE, REAL_TIME, Column("Calls"), Column("Passes"), Column("Stable")]
    columns += [Column("Device median", "ms", "lower")] if on_device else []
    rows = []
    for row, cell in cells:
        wall = cell.wall
        shown = [TableCell(row.label), _count(cell.frames), _count(cell.tokens)]
        shown += [number_cell(s, milliseconds) for s in (wall.median, wall.p90, wall.p95, wall.p99, cell.first_call_s)]
        shown += [number_cell(cell.first_frame_s, milliseconds)] if streamed else []
        shown += [number_cell(value, significant_digits) for value in (cell.ms_per_frame, cell.real_time_factor)]
        shown += [_count(wall.n), _count(cell.result.blocks)]
        shown += [TableCell("yes") if cell.unstable is None else TableCell("no", mark="doubtful")]
        shown += [number_cell(cell.device.median if cell.device else None, milliseconds)] if on_device else []
        rows.append(Row(tuple(shown), record=row.records[cell.frames]))
    return Table(tuple(columns), tuple(rows), "Every cell: percentiles, first call, whether it was stable")


def _count(n: int) -> TableCell:
    return TableCell(str(n), n)


_COSTS: tuple[tuple[str, str, str, float, Callable[[float], str]], ...] = (
    ("Latency", "times the floor", "over_floor", 1, lambda value: f"{significant_digits(value)}×"),
    ("Operations", "G", "operations", 1e9, significant_digits),
    ("Launches", "", "launches", 1, lambda value: number(value, 0)),
    ("Activations", "MB", "activation_bytes", 1e6, significant_digits),
    ("Allocated", "MB", "allocated_bytes", 1e6, lambda value: number(value, 0)),
    ("GPU in use", "MB", "device_bytes", 1e6, lambda value: number(value, 0)),
    ("Process", "MB", "resident_bytes", 1e6, lambda value: number(value, 0)),
    ("Energy", "J per clip", "joules_per_clip", 1, significant_digits),
    ("Load", "ms", "load_s", 1e-3, lambda value: number(value, 0)),
    ("Deviation", "of a level in [0, 1]", "deviation", 1, lambda value: f"{value:.1e}"),
)
"""Heading, unit, column of `cost_columns`, how much of it one unit is, and how it is written. Of all less is better."""


def costs_table(table: LatencyTable) -> Table | None:
    """What one call of each cell costs, in columns that any cell has a value of; None if there is none."""
    cells = [(row, cell, cost_columns(cell)) for row, cell in _cells(table)]
    shown = [kind for kind in _COSTS if any(columns[kind[2]] is not None for _, _, columns in cells)]
    if not shown:
        return None
    rows = []
    for row, cell, columns in cells:
        costs = (
            number_cell(columns[name], lambda value, to=to, one=one: to(value / one)) for _, _, name, one, to in shown
        )
        rows.append(Row((TableCell(row.label), _count(cell.frames), *costs), record=row.records[cell.frames]))
    heads = (Column(title, unit, "lower") for title, unit, *_ in shown)
    summary = "What a call costs: operations, memory, energy, times the floor"
    return Table((SYSTEM, Column("Frames", left=True), *heads), tuple(rows), summary)


def latency_notes(table: LatencyTable) -> list[str]:
    """Notes under a latency table, as markdown."""
    paper = load_paper()
    notes = [
        "Median time of a call, from before it to after the device has finished. [ ]: its 95 % interval from order "
        f"statistics (at least {MIN_SAMPLES} calls).",
        "Pace and RTF: smallest and largest over the lengths. RTF (real-time factor) is latency over the clip's own "
        f"duration at {join_words(f'{fps:g}' for fps in table.fps)} fps; below 1 is faster than real time.",
    ]
    measured_cells = [cell for row in table.rows for cell in row.measured.values()]
    if any(cell.tied for cell in measured_cells):
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
        reasons = {incomparable_reason(frame_size) for frame_size in table.frame_sizes or {None}} - {None}
        notes += [f"**Paper values are {reason}.**" for reason in sorted(filter(None, reasons))]
    notes += stability_notes(table)
    if any(cell.over_floor is not None for cell in measured_cells):
        notes.append(
            "Times the floor: the median over the least time that this machine could take, by the measured speed of a "
            "large matrix product or of a convolution as the models have, the faster of the two, or of a large copy, "
            "whichever takes longer."
        )
    below = sum(cell.over_floor is not None and cell.over_floor < 1 for cell in measured_cells)
    if below:
        notes.append(
            f"{below} cell{'s' if below > 1 else ''} took less than the floor: the machine is faster than what its "
            "ceilings were measured by (before 27 November 2026 the matrix product alone)."
        )
    if not table.has_baseline:
        notes.append(f"No speed-up is given: {escape(table.baseline)} was not measured here.")
    return notes


def stability_notes(table: LatencyTable) -> list[str]:
    """Which cells are to be read with care, and why, as markdown."""
    cells = _cells(table)
    unstable = [(row, cell, cell.unstable) for row, cell in cells if cell.unstable]
    failed_passes = [(row, cell, cell.result.lost) for row, cell in cells if cell.result.lost]
    notes: list[str] = []
    unsettled = sum(not cell.settled for _, cell, _ in unstable)
    if unsettled:
        notes.append(f"{count(unsettled, 'cell')} had not settled when the warm-up ended at its limit: read with care.")
    others = [entry for entry in unstable if entry[1].settled]
    if others:
        notes.append(f"{count(len(others), 'cell')} unstable: {_list_cells(others)}.")
    if failed_passes:
        notes.append(
            f"Of {count(len(failed_passes), 'cell')} a later pass failed, and the passes before it stand: "
            f"{_list_cells(failed_passes)}."
        )
    return notes


def _list_cells(cells_with_reason: Sequence[tuple[LatencyRow, LatencyCell, str | None]]) -> str:
    cell_texts = [
        f"{row.label} at {cell.frames} frames ({reason})" for row, cell, reason in cells_with_reason[:REASONS_SHOWN]
    ]
    more = len(cells_with_reason) - len(cell_texts)
    return escape("; ".join(cell_texts)) + (f"; and {more} more, see the CSV" if more else "")


def _cells(table: LatencyTable) -> list[tuple[LatencyRow, LatencyCell]]:
    return [(row, cell) for row in table.rows for cell in row.measured.values()]
