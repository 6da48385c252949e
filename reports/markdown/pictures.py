"""The parts of pictures that stand beside no table."""

from __future__ import annotations

from collections.abc import Sequence

from lipbench.reports.formatting import escape
from lipbench.reports.markdown.data import ReportData
from lipbench.reports.markdown.section import Part, Picture, Section


def frames_part(data: ReportData) -> Part | None:
    """Sample frames."""
    found = data.pictures
    return _part("Frames", "frames", found.strips, "Left out:", found.missing_strips, found.strip_notes)


def figures_part(data: ReportData) -> Part | None:
    """All other figures."""
    found = data.pictures
    return _part("Figures", "figures", found.figures, "Not drawn:", found.missing_figures, found.figure_notes)


def _part(
    title: str, kind: str, pictures: Sequence[Picture], word: str, missing: Sequence[str], notes: Sequence[str]
) -> Part | None:
    sections = [Section(kind=kind, pictures=pictures)] if pictures else []
    sections += [Section(kind=kind, text=[word], notes=list(map(escape, missing)))] if missing else []
    return Part(title=title, sections=sections, notes=list(map(escape, notes))) if sections else None
