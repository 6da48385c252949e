"""A comparison with the paper as text for people, and as a data frame for programs."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from lipbench.reports.formatting import (
    NOTHING,
    TIED,
    TextTable,
    between,
    decimals_for,
    escaped,
    interval_of,
    joined,
    marked,
    milliseconds,
    number,
    printed,
    shortened,
    signed,
    significant,
    stacked,
    times,
)
from lipbench.reports.markdown.quality import CONTROLS_HEAD
from lipbench.reports.paper import Paper
from lipbench.reports.tables.paper_comparison import METRICS, UNITS, Compared, ComparedTable

PART = "The paper's tables"
"""Heading of the part that they stand in."""
_HEADS = {
    **{m.name: stacked(f"{m.title} {'↑' if m.higher_is_better else '↓'}", m.unit) for m in METRICS},
    "latency_s": stacked("Latency ↓", "ms"),
    "speedup": stacked("Speed-up ↑", "times as fast as the baseline"),
}


def comparison_text(table: ComparedTable) -> TextTable:
    """A comparison for reading: ours large; its interval, the paper's value and the status small beneath it."""
    names = [name for name in _HEADS if any(name in row.cells for row in table.rows)]
    rows: list[tuple[str, ...]] = []
    for row in table.rows:
        if row.control and CONTROLS_HEAD not in {shown[0] for shown in rows}:
            rows.append((CONTROLS_HEAD,))
        title = stacked(escaped(row.label), *(escaped(part) for part in (row.variant, row.corpus) if part))
        cells = (_text(row.cells.get(name), _decimals(table, name)) for name in names)
        rows.append((title, *cells))
    return TextTable((escaped(table.source), *(_HEADS[name] for name in names)), tuple(rows))


def _decimals(table: ComparedTable, name: str) -> int:
    cells = [row.cells[name] for row in table.rows if name in row.cells]
    return decimals_for(value for cell in cells for value in (cell.ours or 0.0, float(cell.paper or 0)))


def _text(cell: Compared | None, decimals: int) -> str:
    if cell is None:
        return NOTHING
    if cell.paper is None:
        around = cell.interval if cell.interval and cell.interval.low < cell.interval.high else None
        return stacked(NOTHING if cell.ours is None else number(cell.ours, decimals), interval_of(around, decimals))
    ends = cell.interval
    if cell.quantity == "latency_s":
        value = None if cell.ours is None else milliseconds(cell.ours)
        around = between(milliseconds(ends.low), milliseconds(ends.high)) if ends else None
        beside = printed(cell.paper.scaleb(3))
    elif cell.quantity == "speedup":
        value = None if cell.ours is None else times(cell.ours)
        around = between(times(ends.low), times(ends.high)) if ends else None
        beside = f"{printed(cell.paper)}×{_difference(cell, 2)}"
    else:
        value = None if cell.ours is None else number(cell.ours, decimals)
        around = interval_of(ends, decimals)
        beside = f"{printed(cell.paper)}{_difference(cell, decimals)}"
    tied = TIED if cell.mark == "tied" else None
    first = marked(value or NOTHING, best=cell.mark == "best")
    return stacked(first, around, tied, f"*paper {beside}*", _status(cell, decimals))


def _difference(cell: Compared, decimals: int) -> str:
    return "" if cell.difference is None else f" ({signed(cell.difference, decimals)})"


def _status(cell: Compared, decimals: int) -> str:
    """The status in words, with what it was decided by."""
    if cell.distance is None or cell.tolerance is None:
        return escaped(cell.status if cell.reason is None else f"{cell.status}: {shortened(cell.reason, 40)}")
    unit = UNITS.get(cell.quantity, "")
    # rounded away from the claim: what is said to be within a distance is, and what is said to be off is too
    away = ROUND_FLOOR if cell.status == "differs" else ROUND_CEILING
    distance = printed(Decimal(cell.distance).quantize(Decimal(1).scaleb(-decimals), rounding=away))
    if cell.status == "reproduced":
        return f"**reproduced** within {distance}{unit}"
    if cell.status == "differs":
        return f"**differs** by {distance}{unit} or more"
    return f"undecided: up to {distance}{unit} away, {significant(cell.tolerance)} allowed"


def comparison_notes(paper: Paper) -> list[str]:
    """What a reader must know of the comparison, as markdown."""
    units = {name: UNITS.get(name, "") for name in paper.tolerances}
    allowed = [f"{m.title} {paper.tolerances[m.name]:g}{units[m.name]}" for m in METRICS if m.name in paper.tolerances]
    allowed.append(f"speed-up {paper.tolerances['speedup'] * 100:g} %")
    return [
        "Every number of the paper's tables 1 to 4 has its place here, with our controls beneath. In brackets behind "
        "the paper's: ours minus it. [ ]: our 95 % interval.",
        "**Reproduced** within d: no point of our interval is further than d from the paper's number, and d is within "
        f"the tolerance: {joined(allowed)}. A wide interval therefore never counts as a reproduction. **Differs** by d "
        "or more: the number, with the rounding of its last digit, is outside our interval, and d from it. Undecided: "
        "our interval holds the number but reaches beyond the tolerance too, or there is none.",
        f"The tolerances are a choice of ours: the paper states neither intervals nor its metric protocol. "
        f"{paper.tolerance_remark}",
        "Bold and *tied with the best* are as in the tables above: among all models that were measured alike, also "
        "those that the paper lacks.",
        "Not comparable: quality of frames that are not of the paper's size or of random weights; seconds on another "
        "machine. Of latency the speed-up alone is judged.",
    ]
