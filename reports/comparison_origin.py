"""From a comparison with the paper back to the run's own table: its marks, and the records of its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from reports.comparison import ComparedRow, ComparedTable
from reports.latency_table import LatencyCell, LatencyRow, LatencyTable
from reports.quality_table import QualityRow, QualityTable
from reports.tables import Tables

Own = QualityTable | LatencyTable
"""A table of the run's."""
Mark = Literal["best", "tied"]
_LENGTH = re.compile(r"(\d+) frames$")


class _Timed(NamedTuple):
    """A row of a latency table at the length that a row of the comparison is of."""

    row: LatencyRow
    frames: int
    cell: LatencyCell


def origins(compared: Sequence[ComparedTable], tables: Tables) -> list[Own | None]:
    """The table of the run's that each comparison is made from.

    Args:
        compared: as `reports.comparison.compare_with_paper` makes them of `tables`, which keeps their order.
        tables: of the run.

    Returns:
        One for each comparison; None where the run has nothing to set beside it.
    """
    left: dict[str, Iterator[QualityTable]] = {}
    timed = list(tables.latency)
    found: list[Own | None] = []
    for one in compared:
        if one.protocol is None:
            own = next((table for table in timed if _is_of(one, table)), None)
            # the next may have the very same times
            timed = [table for table in timed if table is not own]
            found.append(own)
            continue
        if one.source not in left:
            ours = [t for t in tables.quality if t.condition is not None and t.condition.source == one.source]
            left[one.source] = iter(ours)
        found.append(next(left[one.source]))
    return found


def record_of(row: ComparedRow, own: Own | None) -> str | None:
    """Key of the record that a row's numbers come from; None for a row that has none of ours.

    Args:
        row: of a comparison.
        own: its table, see `origins`.
    """
    if isinstance(own, QualityTable):
        scored = _scored(row, own)
        return None if scored is None else scored.record
    timed = None if own is None else _timed(row, own)
    return None if timed is None else timed.row.records[timed.frames]


def mark_of(row: ComparedRow, quantity: str, own: Own | None) -> Mark | None:
    """What the run's own table says of a number: best of its models, tied with the best, or neither.

    Args:
        row: of a comparison.
        quantity: a key of its cells.
        own: its table, see `origins`.
    """
    if isinstance(own, QualityTable):
        scored = _scored(row, own)
        cell = None if scored is None else scored.cells.get(quantity)
    else:
        timed = None if own is None else _timed(row, own)
        cell = None if timed is None else timed.cell
    return None if cell is None else "best" if cell.best else "tied" if cell.tied else None


def _scored(row: ComparedRow, own: QualityTable) -> QualityRow | None:
    if all(cell.ours is None for cell in row.cells.values()):
        return None
    return next((one for one in own.rows if one.label == row.label and one.failure is None), None)


def _timed(row: ComparedRow, own: LatencyTable) -> _Timed | None:
    length = _LENGTH.search(row.corpus or "")
    if length is None or all(cell.ours is None for cell in row.cells.values()):
        return None
    frames = int(length[1])
    found = ((one, one.measured.get(frames)) for one in own.rows if one.label == row.label)
    return next((_Timed(one, frames, cell) for one, cell in found if cell is not None), None)


def _is_of(compared: ComparedTable, own: LatencyTable) -> bool:
    """Whether a comparison's times are those of a table."""
    pairs = [(row.cells["latency_s"].ours, _timed(row, own)) for row in compared.rows if "latency_s" in row.cells]
    ours = [(value, timed) for value, timed in pairs if value is not None]
    return bool(ours) and all(timed is not None and timed.cell.wall.median == value for value, timed in ours)
