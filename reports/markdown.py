"""A run's records as one markdown report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from benchmarks.calibration import FILE, Calibration
from benchmarks.record import Record
from benchmarks.record_files import UserError  # by way of what raises it: reports may not import models
from reports.budget import Piece, fitted
from reports.calibration import calibration_note, calibration_text
from reports.comparison import ComparedTable
from reports.comparison_text import PART, comparison_notes, comparison_text
from reports.difference_table import DifferenceTable, difference_note, difference_text
from reports.formatting import code, count, escaped, joined, shortened, size
from reports.intake import Unread
from reports.latency_details import costs_text, details_text
from reports.latency_table import LatencyTable
from reports.natural_table import NaturalTable, natural_facts, natural_notes, natural_text, natural_title
from reports.notes import latency_notes, quality_notes
from reports.paper import Paper
from reports.provenance import failures, not_attempted, provenance
from reports.quality_table import QualityTable
from reports.quality_text import left_out_notes, not_measured_notes, quality_texts
from reports.tables import Tables, latency_text, speedup_text
from reports.templating import part
from reports.text_table import TextTable
from reports.verdict import coverage, findings, sizes, verdict

MOST_CELLS = 200
"""Most cells of a latency table that are told one by one; those of more are in its CSV alone."""


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
    """The paper's tables, see `reports.comparison.compare_with_paper`."""
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
        limit: most bytes of UTF-8; sections are dropped as `reports.budget` has it. None: nothing is dropped.

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
        why = [(escaped(FILE), escaped(shortened(content.calibration.problem, 500)))]
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


def quality_section(table: QualityTable, found: DifferenceTable | None, paper: Paper, *, csv: str) -> Section:
    """One quality table with its heading and notes."""
    frames = f"{size(table.frame_size)} pixels" if table.frame_size else "frame size not recorded"
    devices = sorted({row.device for row in table.models if row.device})
    speakers = count(table.speakers, "speaker") if table.speakers else "speakers not known"
    facts = [
        f"{escaped(table.corpus.split)} split, {speakers}",
        f"frames of {frames}" if table.frame_size else frames,
        f"generated on {joined(device.upper() for device in devices)}" if devices else "",
        f"protocol **{escaped(table.protocol.name)}** {code(table.protocol.fingerprint[:12])}",
    ]
    # where every n is too small, the table above says all that can be said
    differences = found if found is not None and found.family else None
    notes = [*quality_notes(table, paper), *left_out_notes(table), *not_measured_notes(table)]
    return Section(
        title=escaped(table.place),
        facts="; ".join(fact for fact in facts if fact),
        tables=[*quality_texts(table), *([difference_text(differences)] if differences else [])],
        notes=[*notes, difference_note(differences)] if differences else notes,
        csv=csv,
    )


def latency_section(
    table: LatencyTable, paper: Paper, *, csv: str, picture: Picture | None, undrawn: str | None = None
) -> Section:
    """One latency table with its heading, notes and figure, or the reason, as plain text, why it has none."""
    parts = [
        table.device.upper(),
        table.dtype,
        f"batch {table.batch}",
        f"preset {table.preset}" if table.preset else "",
    ]
    ratios = speedup_text(table)
    cells = sum(len(row.measured) for row in table.rows)
    many = cells > MOST_CELLS
    more = [f"Percentiles and costs of the {cells} cells are in the CSV: too many to read here."] if many else []
    more += [f"No figure: {escaped(undrawn)}."] if undrawn else []
    return Section(
        title=escaped(", ".join(part for part in parts if part)),
        facts=escaped(table.hardware),
        tables=[latency_text(table), *([ratios] if ratios else [])],
        notes=[*latency_notes(table, paper), *more],
        folded=[] if many else _folded(table),
        picture=picture,
        csv=csv,
    )


def _folded(table: LatencyTable) -> list[tuple[str, TextTable]]:
    found = costs_text(table)
    folded = [("Every cell: percentiles, first call, whether it was stable", details_text(table))]
    return [
        *folded,
        *([] if found is None else [("What a call costs: operations, memory, energy, times the floor", found)]),
    ]


def natural_section(table: NaturalTable, paper: Paper, *, csv: str) -> Section:
    """One table of natural lengths with its heading and notes."""
    return Section(
        title=natural_title(table, paper),
        facts=natural_facts(table),
        tables=[natural_text(table)],
        notes=natural_notes(table),
        csv=csv,
    )
