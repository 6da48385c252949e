"""What every part of a report is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lipbench.errors import UserError
from lipbench.records.calibration import Calibration
from lipbench.records.record import Record
from lipbench.reports.inputs.run import UnreadableRecord
from lipbench.reports.markdown.section import Picture
from lipbench.reports.tables.labels import SystemNames
from lipbench.reports.tables.make import Tables


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The figures, and what is said of those that are not there; plain text."""

    strips: Sequence[Picture] = ()
    """Figures of sample frames."""
    missing_strips: Sequence[str] = ()
    strip_notes: Sequence[str] = ()
    """Which tables no frames are shown of, and why."""
    figures: Sequence[Picture] = ()
    """All others that stand beside no table."""
    missing_figures: Sequence[str] = ()
    figure_notes: Sequence[str] = ()
    latency: Sequence[Picture | str] = ()
    """Of each latency table, or why it has none."""


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """A run as its report sees it."""

    records: Sequence[Record]
    unread: Sequence[UnreadableRecord] = ()
    """Files among the records that are not in the report."""
    names: SystemNames
    tables: Tables
    pictures: Pictures = field(default_factory=Pictures)
    calibration: Calibration | UserError | None = None
    """Of the run's metrics; None if there is none, or why its file could not be read."""
