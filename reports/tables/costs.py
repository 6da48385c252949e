"""What a call of a latency cell costs beside its time, for tables and CSV."""

from __future__ import annotations

from lipbench.reports.tables.latency import LatencyCell


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
