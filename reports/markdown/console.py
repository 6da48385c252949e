"""Tables as lines for a terminal."""

from __future__ import annotations

from lipbench.reports.formatting import shorten
from lipbench.reports.markdown.cells import Table, TableCell

WIDTH = 160
"""Signs of a line up to which numbers stand with their intervals."""
LONGEST = 40
"""Signs of a cell; a reason why there is no value may be longer, and the record has it all."""


def table_lines(table: Table) -> list[str]:
    """A table as lines of equal columns: every cell's first line, with its interval where there is room."""
    lines = _lines(table, intervals=True)
    return lines if max(map(len, lines)) <= WIDTH else _lines(table, intervals=False)


def _lines(table: Table, *, intervals: bool) -> list[str]:
    def text(cell: TableCell) -> str:
        parts = cell.plain[: 2 if intervals and cell.interval else 1]
        return shorten(" ".join(parts), LONGEST) if cell.mark == "failed" else " ".join(parts)

    rows = [[column.head for column in table.columns]]
    rows += [[column.unit for column in table.columns]] if any(column.unit for column in table.columns) else []
    rows += [[*map(text, row.cells), *[""] * (len(table.columns) - len(row.cells))] for row in table.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = [column.left for column in table.columns]
    padded = (
        (
            cell.ljust(width) if to_left else cell.rjust(width)
            for cell, width, to_left in zip(row, widths, left, strict=True)
        )
        for row in rows
    )
    # in a terminal no line breaks, and a no-break space counts as unprintable
    return [f"  {'  '.join(row)}".rstrip().replace("\u00a0", " ") for row in padded]
