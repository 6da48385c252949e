"""The parts on what is not in a report's tables: records that cannot be read, cells that failed or were not tried."""

from __future__ import annotations

from lipbench.reports.formatting import shorten
from lipbench.reports.markdown.cells import Span, Text, listing
from lipbench.reports.markdown.data import ReportData
from lipbench.reports.markdown.section import Part, Section


def unread_part(data: ReportData) -> Part | None:
    """Records that could not be read."""
    rows: list[tuple[Text, ...]] = [(one.name, shorten(one.problem, 500)) for one in data.unread]
    return _part("Records that could not be read", "unread", "File", rows)


def failed_part(data: ReportData) -> Part | None:
    """Every cell that was tried and failed, with its whole reason."""
    rows: list[tuple[Text, ...]] = [
        (Span(r.cell.key, "code", r.cell.key), shorten(f"{r.failure.type}: {r.failure.message}", 2000))
        for r in data.records
        if r.status == "failed" and r.failure is not None
    ]
    return _part("Failed cells", "failed", "Cell", rows)


def not_attempted_part(data: ReportData) -> Part | None:
    """Every cell that was asked for and not tried, with the reason: that is no failure of a model's."""
    rows: list[tuple[Text, ...]] = [
        (Span(r.cell.key, "code", r.cell.key), shorten(r.failure.message, 2000))
        for r in data.records
        if r.status == "not_attempted" and r.failure is not None
    ]
    return _part("Cells not attempted", "not attempted", "Cell", rows)


def _part(title: str, kind: str, head: str, rows: list[tuple[Text, ...]]) -> Part | None:
    return Part(title=title, sections=[Section(kind=kind, tables=[listing((head, "Why"), rows)])]) if rows else None
