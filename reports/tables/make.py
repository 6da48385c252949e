"""The tables that several parts of a report are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lipbench.records.record import Record
from lipbench.reports.tables.differences import DifferenceTable, difference_table, mark_ties
from lipbench.reports.tables.labels import SystemNames
from lipbench.reports.tables.latency import LatencyTable, latency_tables
from lipbench.reports.tables.quality import QualityTable, quality_tables


@dataclass(frozen=True)
class Tables:
    """Quality and latency of a run."""

    quality: list[QualityTable]
    latency: list[LatencyTable]
    differences: list[DifferenceTable | None]
    """Of each quality table, in the same order; None where there is no pair to compare."""


def make_tables(records: Sequence[Record], names: SystemNames) -> Tables:
    """Sort a run's records into tables.

    Args:
        records: of one run.
        names: see `lipbench.reports.tables.labels.collect_names`.
    """
    quality = quality_tables(records, names)
    differences = [difference_table(table) for table in quality]
    marked_tables = [
        mark_ties(table, differences_of_table) for table, differences_of_table in zip(quality, differences, strict=True)
    ]
    return Tables(marked_tables, latency_tables(records, names), differences)
