"""A section of the report and its pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

from lipbench.reports.formatting import TextTable


@dataclass(frozen=True)
class Picture:
    """A figure as the report refers to it."""

    path: str
    """Relative to the report, with forward slashes."""
    title: str
    """Its caption, as markdown."""
    alt: str
    """What it shows, as markdown, for those who do not see it."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The figures that stand beside no table, and what is said of those that are not there."""

    strips: list[Picture] = field(default_factory=list)
    """Figures of sample frames."""
    missing_strips: list[str] = field(default_factory=list)
    """Why systems are missing from them; plain text, as all that follows."""
    strip_notes: list[str] = field(default_factory=list)
    """Which tables no frames are shown of, and why."""
    figures: list[Picture] = field(default_factory=list)
    """All others."""
    missing_figures: list[str] = field(default_factory=list)
    """Why some are not there."""
    figure_notes: list[str] = field(default_factory=list)
    """Which tables no figures are drawn of, and why."""


@dataclass(frozen=True)
class Section:
    """One table with what belongs to it."""

    title: str
    facts: str
    tables: list[TextTable]
    notes: list[str]
    folded: list[tuple[str, TextTable]] = field(default_factory=list)
    """Long tables that stand folded beneath, each with its title: ours, as nothing escapes markup in a summary."""
    picture: Picture | None = None
    csv: str | None = None
    """The same table for programs, relative to the report."""
