"""A run's report: its opening, and its parts in their order. A new part is a module, and a line or two here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lipbench.reports.formatting import count, join_words
from lipbench.reports.markdown.calibration import calibration_part
from lipbench.reports.markdown.data import ReportData
from lipbench.reports.markdown.latency import latency_part
from lipbench.reports.markdown.natural import natural_part
from lipbench.reports.markdown.paper_comparison import paper_part
from lipbench.reports.markdown.pictures import figures_part, frames_part
from lipbench.reports.markdown.problems import failed_part, not_attempted_part, unread_part
from lipbench.reports.markdown.provenance import provenance_part
from lipbench.reports.markdown.quality import quality_part
from lipbench.reports.markdown.section import Part, Report
from lipbench.reports.markdown.verdict import coverage, findings, sizes, verdict

PARTS: Sequence[Callable[[ReportData], Part | None]] = (
    quality_part,
    frames_part,
    latency_part,
    natural_part,
    figures_part,
    paper_part,
    calibration_part,
    unread_part,
    failed_part,
    not_attempted_part,
    provenance_part,
)
"""In the order of the report."""
OMISSION_ORDER = {
    "calibration": "calibration of the metrics",
    "recipes": "options and training recipes",
    "details": "every cell's percentiles and costs",
    "frames": "frames",
    "figures": "figures",
    "natural": "times of real utterances",
    "latency": "latency",
    "quality": "quality",
    "paper": "the paper's tables",
    "not attempted": "cells not attempted",
    "failed": "failed cells",
    "unread": "records that could not be read",
    "provenance": "provenance",
}
"""Kinds of sections, what is dropped first where room is short standing first, and what they are called."""


def make_report(data: ReportData) -> Report:
    """Put a run's report together."""
    facts = [coverage(data.records), sizes(data.tables), *_warnings(data)]
    return Report(
        title="Text-to-lip benchmark",
        lists=[("", verdict(data.tables))],
        findings=findings(data.tables),
        facts=" ".join(fact for fact in facts if fact),
        parts=[part for make in PARTS if (part := make(data)) is not None],
    )


def _warnings(data: ReportData) -> list[str]:
    """Warnings that stand at the top of the report."""
    warnings: list[str] = []
    machines = len({record.machine.model_dump_json(exclude={"threads"}) for record in data.records})
    threads = sorted({record.machine.threads for record in data.records})
    commits = len({record.software.commit for record in data.records})
    if max(machines, commits, len(threads)) > 1:
        from_where = join_words([count(machines, "machine"), count(commits, "commit")])
        if len(threads) > 1:
            from_where += f", with {join_words(str(n) for n in threads)} threads"
        warnings.append(f"**The records come from {from_where}: compare across them with care.**")
    if data.unread:
        total = len(data.records) + len(data.unread)
        warnings.append(f"**{len(data.unread)} of {count(total, 'record')} could not be read and are not in it.**")
    return warnings
