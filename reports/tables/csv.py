"""The tables of a report as data frames for programs: what their CSV files hold."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from lipbench.records.quality import changed_lengths, total_effect
from lipbench.records.record import Failure
from lipbench.reports.tables.costs import cost_columns
from lipbench.reports.tables.latency import LatencyCell, LatencyTable
from lipbench.reports.tables.paper_comparison import UNITS, ComparisonTable
from lipbench.reports.tables.quality import QualityRow, QualityTable
from lipbench.statistics.intervals import Mean

_EFFECTS = ("preds_dropped", "target_dropped", "preds_repeated", "target_repeated")


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
            "left_out": len(row.left_out),
            **length_columns(row),
        }
        for metric in table.metrics:
            cell = row.cells.get(metric.name)
            entry |= _mean_columns(metric.name, cell.mean if cell else None)
            entry[f"{metric.name}_paper"] = float(cell.paper) if cell and cell.paper is not None else None
            entry[f"{metric.name}_difference"] = cell.difference if cell else None
            entry[f"{metric.name}_best"] = cell.best if cell else None
            entry[f"{metric.name}_tied"] = cell.tied if cell else None
            if cell is not None and cell.together is not None:
                entry[f"{metric.name}_floor"] = cell.together.floor
                entry[f"{metric.name}_failed_frames"] = cell.together.failed_frames
                entry[f"{metric.name}_real_failed_frames"] = cell.together.real_failed_frames
            entry[f"{metric.name}_not_measured"] = row.not_measured.get(metric.name)
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


def length_columns(row: QualityRow) -> dict[str, object]:
    """The effect for programs: clips, and frames of them all."""
    effect = total_effect(row.scores)
    return {
        "clips_of_another_length": len(changed_lengths(row.scores)),
        **{f"length_{name}": None if effect is None else getattr(effect, name) for name in _EFFECTS},
    }


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
    ratio_interval = ratio.interval if ratio else None
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
        "speedup_low": ratio_interval.low if ratio_interval else None,
        "speedup_high": ratio_interval.high if ratio_interval else None,
        "paper_latency_s": float(cell.paper.latency_s) if cell.paper else None,
        "paper_speedup": float(cell.paper.speedup) if cell.paper else None,
        **cost_columns(cell),
    }


def comparison_frame(tables: Iterable[ComparisonTable]) -> pd.DataFrame:
    """All comparisons for programs: one row per number of the paper."""
    return pd.DataFrame(
        {
            "source": table.source,
            "system": row.label,
            "variant": row.variant,
            "corpus": row.corpus,
            "quantity": cell.quantity,
            "ours": cell.ours,
            "low": cell.interval.low if cell.interval else None,
            "high": cell.interval.high if cell.interval else None,
            "n": cell.n,
            "paper": None if cell.paper is None else float(cell.paper),
            "difference": cell.difference,
            "unit": UNITS.get(cell.quantity, "").strip() or None,
            "protocol": table.protocol,
            "status": cell.status,
            "distance": cell.distance,
            "tolerance": cell.tolerance,
            "reason": cell.reason,
        }
        for table in tables
        for row in table.rows
        for cell in row.cells.values()
    )
