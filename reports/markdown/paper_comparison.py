"""The part on the paper's tables: every number of theirs with ours beside it."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from lipbench.reports.formatting import (
    NO_VALUE,
    decimals_for,
    interval_text,
    join_words,
    milliseconds,
    number,
    paper_number,
    range_text,
    ratio_text,
    shorten,
    signed,
    significant_digits,
)
from lipbench.reports.markdown.cells import Column, Row, Span, Table, TableCell, Text, metric_column
from lipbench.reports.markdown.data import ReportData
from lipbench.reports.markdown.section import DataFile, Part, Section
from lipbench.reports.paper import load_paper
from lipbench.reports.tables.csv import comparison_frame
from lipbench.reports.tables.paper_comparison import METRICS, UNITS, ComparisonCell, ComparisonTable, compare_with_paper
from lipbench.statistics.intervals import Interval

_COLUMNS = {
    **{metric.name: metric_column(metric) for metric in METRICS},
    "latency_s": Column("Latency", "ms", "lower"),
    "speedup": Column("Speed-up", "times as fast as the baseline", "higher"),
}


def paper_part(data: ReportData) -> Part:
    """Every table of the paper."""
    found = compare_with_paper(data.records, data.tables)
    sections = [
        Section(kind="paper", title=f"{one.source} of the paper", text=[one.about], tables=[comparison_table(one)])
        for one in found
    ]
    csv = DataFile("tables/paper.csv", comparison_frame(found), "As data, with every reason in full")
    return Part(title="The paper's tables", sections=sections, notes=comparison_notes(), csv=csv)


def comparison_table(table: ComparisonTable) -> Table:
    """A comparison for reading: ours large; its interval, the paper's value and the status small beneath it."""
    names = [name for name in _COLUMNS if any(name in row.cells for row in table.rows)]
    decimals = {name: _decimals(table, name) for name in names}
    rows = [
        Row(
            (
                TableCell(row.label, lines=tuple(part for part in (row.variant, row.corpus) if part)),
                *(_cell(row.cells.get(name), decimals[name]) for name in names),
            ),
            record=row.record,
            control=row.control,
        )
        for row in table.rows
    ]
    return Table((Column(table.source, left=True), *(_COLUMNS[name] for name in names)), tuple(rows))


def _decimals(table: ComparisonTable, name: str) -> int:
    cells = [row.cells[name] for row in table.rows if name in row.cells]
    return decimals_for(value for cell in cells for value in (cell.ours or 0.0, float(cell.paper or 0)))


def _cell(cell: ComparisonCell | None, decimals: int) -> TableCell:
    if cell is None:
        return TableCell()
    ends, lines = cell.interval, []
    if cell.paper is None:  # a control that scores every clip alike needs no interval of no width
        ends = ends if ends and ends.low < ends.high else None
    else:
        lines = [_beside(cell, cell.paper, decimals), _status(cell, decimals)]
    text, around = _ours(cell, ends, decimals)
    return TableCell(text, cell.ours, mark=cell.mark, interval=around or "", lines=tuple(lines))


def _ours(cell: ComparisonCell, ends: Interval | None, decimals: int) -> tuple[str, str | None]:
    """Our value and its interval in the quantity's own form."""
    if cell.ours is None:
        return NO_VALUE, None
    if cell.quantity in ("latency_s", "speedup"):
        form = milliseconds if cell.quantity == "latency_s" else ratio_text
        return form(cell.ours), range_text(form(ends.low), form(ends.high)) if ends else None
    return number(cell.ours, decimals), interval_text(ends, decimals)


def _beside(cell: ComparisonCell, paper: Decimal, decimals: int) -> Span:
    if cell.quantity == "latency_s":
        return Span(f"paper {paper_number(paper.scaleb(3))}", "em")
    is_ratio = cell.quantity == "speedup"
    apart = "" if cell.difference is None else f" ({signed(cell.difference, 2 if is_ratio else decimals)})"
    return Span(f"paper {paper_number(paper)}{'×' if is_ratio else ''}{apart}", "em")


def _status(cell: ComparisonCell, decimals: int) -> Text:
    """The status in words, with what it was decided by."""
    if cell.distance is None or cell.tolerance is None:
        return cell.status if cell.reason is None else f"{cell.status}: {shorten(cell.reason, 40)}"
    unit = UNITS.get(cell.quantity, "")
    # rounded away from the claim: what is said to be within a distance is, and what is said to be off is too
    away = ROUND_FLOOR if cell.status == "differs" else ROUND_CEILING
    distance = paper_number(Decimal(cell.distance).quantize(Decimal(1).scaleb(-decimals), rounding=away))
    if cell.status == "reproduced":
        return Span("reproduced", "good"), f" within {distance}{unit}"
    if cell.status == "differs":
        return Span("differs", "strong"), f" by {distance}{unit} or more"
    return f"undecided: up to {distance}{unit} away, {significant_digits(cell.tolerance)} allowed"


def comparison_notes() -> list[str]:
    """What a reader must know of the comparison, as markdown."""
    paper = load_paper()
    units = {name: UNITS.get(name, "") for name in paper.tolerances}
    allowed = [f"{m.title} {paper.tolerances[m.name]:g}{units[m.name]}" for m in METRICS if m.name in paper.tolerances]
    allowed.append(f"speed-up {paper.tolerances['speedup'] * 100:g} %")
    return [
        "Every number of the paper's tables 1 to 4 has its place here, with our controls beneath. In brackets behind "
        "the paper's: ours minus it. [ ]: our 95 % interval.",
        "Reproduced within d: no point of our interval is further than d from the paper's number, and d is within "
        f"the tolerance: {join_words(allowed)}. A wide interval therefore never counts as a reproduction. Differs by d "
        "or more: the number, with the rounding of its last digit, is outside our interval, and d from it. Undecided: "
        "our interval holds the number but reaches beyond the tolerance too, or there is none.",
        f"The tolerances are a choice of ours: the paper states neither intervals nor its metric protocol. "
        f"{paper.tolerance_remark}",
        "Bold and *tied with the best* are as in the tables above: among all models that were measured alike, also "
        "those that the paper lacks.",
        "Not comparable: quality of frames that are not of the paper's size or of random weights; seconds on another "
        "machine. Of latency the speed-up alone is judged.",
    ]
