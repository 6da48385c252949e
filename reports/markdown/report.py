"""A run's records as one markdown report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lipbench.errors import UserError
from lipbench.records.calibration import Calibration
from lipbench.records.record import Record
from lipbench.records.run_folder import CALIBRATION
from lipbench.reports.formatting import count, escaped, joined, shortened
from lipbench.reports.inputs.run import Unread
from lipbench.reports.markdown.calibration import calibration_note, calibration_text
from lipbench.reports.markdown.paper_comparison import PART, comparison_notes, comparison_text
from lipbench.reports.markdown.provenance import failures, not_attempted, provenance
from lipbench.reports.markdown.section import Pictures, Section
from lipbench.reports.markdown.size_limit import Piece, fitted
from lipbench.reports.markdown.templating import part
from lipbench.reports.markdown.verdict import coverage, findings, sizes, verdict
from lipbench.reports.paper import Paper
from lipbench.reports.tables.make import Tables
from lipbench.reports.tables.paper_comparison import ComparedTable


@dataclass(frozen=True, kw_only=True)
class Content:
    """Everything that a report is made of."""

    records: Sequence[Record]
    tables: Tables
    paper: Paper
    quality: list[Section]
    """See `quality_section`."""
    latency: list[Section]
    """See `latency_section`."""
    natural: list[Section]
    """See `natural_section`."""
    pictures: Pictures
    comparison: list[ComparedTable]
    """The paper's tables, see `lipbench.reports.tables.paper_comparison.compare_with_paper`."""
    comparison_csv: str | None
    """The same for programs, relative to the report."""
    calibration: Calibration | UserError | None
    """The error is why the run's file of it could not be read."""
    """Of the run's metrics; None if there is none."""
    unread: list[Unread] = field(default_factory=list)
    """Files among the records that are not in the report."""

    def alone(self) -> Content:
        """The same without pictures and links to files: for a place where the report's folder is not."""
        return replace(
            self,
            quality=[replace(section, picture=None, csv=None) for section in self.quality],
            latency=[replace(section, picture=None, csv=None) for section in self.latency],
            natural=[replace(section, picture=None, csv=None) for section in self.natural],
            pictures=Pictures(),
            comparison_csv=None,
        )


def render_markdown(content: Content, *, limit: int | None = None) -> str:
    """Put the report together, the verdict first.

    Args:
        content: what it is made of.
        limit: most bytes of UTF-8; sections are dropped as `lipbench.reports.markdown.size_limit` has it. None: nothing
            is dropped.

    Returns:
        Markdown with HTML only for line breaks, small print and foldable details.
    """
    facts = [coverage(content.records), sizes(content.tables, content.paper), *_doubts(content)]
    opening = part(
        "opening",
        verdict(content.tables),
        findings(content.tables),
        [fact for fact in facts if fact],
    )
    return fitted(opening, _pieces(content), limit)


def _doubts(content: Content) -> list[str]:
    """What makes a reader read all else with care, before all else."""
    found: list[str] = []
    machines = len({record.machine.model_dump_json(exclude={"threads"}) for record in content.records})
    threads = sorted({record.machine.threads for record in content.records})
    commits = len({record.software.commit for record in content.records})
    if max(machines, commits, len(threads)) > 1:
        from_where = joined([count(machines, "machine"), count(commits, "commit")])
        if len(threads) > 1:
            from_where += f", with {joined(str(n) for n in threads)} threads"
        found.append(f"**The records come from {from_where}: compare across them with care.**")
    if content.unread:
        total = len(content.records) + len(content.unread)
        found.append(f"**{len(content.unread)} of {count(total, 'record')} could not be read and are not in it.**")
    return found


def _pieces(content: Content) -> list[Piece]:
    pieces = _of_sections("Quality", "quality", content.quality)
    shown = content.pictures
    if shown.strips or shown.missing_strips:
        pieces.append(
            Piece("frames", part("frames", shown.strips, _escaped(shown.missing_strips), _escaped(shown.strip_notes)))
        )
    pieces += _of_sections("Latency", "latency", content.latency)
    pieces += _of_sections("Latency at natural lengths", "natural", content.natural)
    if shown.figures or shown.missing_figures or shown.figure_notes:
        drawn = part("figures", shown.figures, _escaped(shown.missing_figures), _escaped(shown.figure_notes))
        pieces.append(Piece("figures", drawn))
    heading = part("paper_heading", PART, comparison_notes(content.paper), content.comparison_csv)
    pieces += [
        Piece("paper", part("paper_table", table.source, table.about, comparison_text(table)), heading)
        for table in content.comparison
    ]
    if isinstance(content.calibration, UserError):
        why = [(escaped(CALIBRATION), escaped(shortened(content.calibration.problem, 500)))]
        pieces += _cells("calibration", "Calibration that could not be read", ("File", "Why"), why)
    elif content.calibration is not None:
        text = part("calibrated", calibration_note(content.calibration), calibration_text(content.calibration))
        pieces.append(Piece("calibration", text))
    pieces += _cells("unread", "Records that could not be read", ("File", "Why"),
                     [(escaped(one.name), escaped(shortened(one.problem, 500))) for one in content.unread])  # fmt: skip
    pieces += _cells("failed", "Failed cells", ("Cell", "Why"), failures(content.records))
    pieces += _cells("not attempted", "Cells not attempted", ("Cell", "Why"), not_attempted(content.records))
    found = provenance(content.records)
    pieces += [
        Piece("provenance", part("sources", "Provenance", found, content.paper)),
        Piece("recipes", part("recipes", found)),
    ]
    return [piece for piece in pieces if piece.text]


def _escaped(texts: Sequence[str]) -> list[str]:
    return [escaped(text) for text in texts]


def _of_sections(title: str, kind: str, sections: list[Section]) -> list[Piece]:
    shared, sections = _with_shared(sections)
    heading = part("heading", title, shared)
    pieces: list[Piece] = []
    for section in sections:
        pieces.append(Piece(kind, part("section", section), heading))
        pieces += [Piece("details", part("details", *folded), heading) for folded in section.folded]
    return pieces


def _cells(kind: str, title: str, header: tuple[str, str], rows: list[tuple[str, str]]) -> list[Piece]:
    return [Piece(kind, part("cells", title, header, rows))] if rows else []


def _with_shared(sections: list[Section]) -> tuple[list[str], list[Section]]:
    """Take the notes that all of several sections have out of them, so that they are said once."""
    if len(sections) < 2:
        return [], sections
    shared = [note for note in sections[0].notes if all(note in section.notes for section in sections)]
    own = [[note for note in section.notes if note not in shared] for section in sections]
    return shared, [replace(section, notes=notes) for section, notes in zip(sections, own, strict=True)]
