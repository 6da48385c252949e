"""What latency records hold beside the median, cell by cell: how calls scattered, and what a call costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reports.formatting import NOTHING, count, escaped, milliseconds, number, significant
from reports.latency_table import LatencyCell, LatencyRow, LatencyTable
from reports.text_table import TextTable, stacked

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


def cost_columns(cell: LatencyCell) -> dict[str, float | None]:
    """The costs of a cell by name, in plain units; None for what its record does not hold."""
    result = cell.result
    costs, memory = result.costs, result.memory
    return {
        "over_floor": cell.over_floor,
        "floor_s": result.floor.seconds if result.floor else None,
        "operations": costs.operations if costs else None,
        "launches": costs.launches if costs else None,
        "activation_bytes": costs.activation_bytes if costs else None,
        "allocated_bytes": memory.allocated_bytes if memory else None,
        "reserved_bytes": memory.reserved_bytes if memory else None,
        "device_bytes": memory.device_bytes if memory else None,
        "resident_bytes": memory.resident_bytes if memory else None,
        "joules_per_clip": cell.joules_per_clip,
        "load_s": result.load_s,
        "deviation": result.deviation,
    }


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
