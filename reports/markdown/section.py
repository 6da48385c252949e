"""What a report is made of: parts, sections with their tables, pictures and notes. Prose is inline markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from lipbench.reports.markdown.cells import Table


@dataclass(frozen=True)
class Picture:
    """A figure as the report refers to it, in plain text."""

    path: str
    """Relative to the report, with forward slashes."""
    title: str
    caption: str
    alt: str
    """What it shows, for those who do not see it."""


@dataclass(frozen=True)
class DataFile:
    """A section's table for programs."""

    path: str
    """Relative to the report, with forward slashes."""
    frame: pd.DataFrame
    words: str = "As data"


@dataclass(frozen=True)
class Listing:
    """Lines as they are, such as commands; with a summary they are folded beneath that."""

    lines: Sequence[str]
    summary: str = ""
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """One table, or several that belong together, with all that belongs to them."""

    kind: str
    """What it is to a size limit, see `lipbench.reports.markdown.report.OMISSION_ORDER`."""
    title: str = ""
    """Plain text."""
    text: Sequence[str] = ()
    """Paragraphs above all else."""
    listings: Sequence[Listing] = ()
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    notes: Sequence[str] = ()
    csv: DataFile | None = None
    details: Sequence[Table] = ()
    """Long tables beneath, the first to go where room is short."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A heading of the second level with what stands beneath it."""

    title: str
    """Plain text of ours, unlike that of any other part."""
    sections: Sequence[Section]
    intro: str = ""
    notes: Sequence[str] = ()
    """Of all of its sections."""
    csv: DataFile | None = None

    @property
    def kind(self) -> str:
        """That of its sections."""
        return self.sections[0].kind

    @property
    def anchor(self) -> str:
        """Its place in a page; records' begin otherwise."""
        return "part-" + re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


def with_shared_notes(title: str, sections: Sequence[Section]) -> Part | None:
    """A part in which notes that all of several sections have are said once; None without sections."""
    if len(sections) < 2:
        return Part(title=title, sections=sections) if sections else None
    shared = [note for note in sections[0].notes if all(note in section.notes for section in sections)]
    own = [replace(s, notes=[note for note in s.notes if note not in shared]) for s in sections]
    return Part(title=title, sections=own, intro="For all tables of this part:" if shared else "", notes=shared)


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole report: what a reader must see first, then its parts."""

    title: str
    lists: Sequence[tuple[str, Sequence[str]]]
    """Points of the opening, each list with what stands above it."""
    findings: Sequence[str] = ()
    facts: str = ""
    parts: Sequence[Part] = field(default_factory=list)

    def files(self) -> Iterator[DataFile]:
        """Every table for programs."""
        for part in self.parts:
            for holder in (part, *part.sections):
                if holder.csv is not None:
                    yield holder.csv

    def alone(self) -> Report:
        """The same without pictures and links to files: for a place where the report's folder is not."""
        parts = [
            replace(part, csv=None, sections=[replace(s, pictures=(), csv=None) for s in part.sections])
            for part in self.parts
            if part.kind not in ("frames", "figures")
        ]
        return replace(self, parts=parts)
