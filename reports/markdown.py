"""A run's records as one markdown report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.calibration import Calibration
from benchmarks.record import Record
from reports.calibration import calibration_note, calibration_text
from reports.comparison import ComparedTable
from reports.comparison_text import comparison_notes, comparison_text
from reports.difference_table import difference_note, difference_table, difference_text
from reports.formatting import code, count, escaped, joined, size
from reports.latency_table import LatencyTable
from reports.notes import latency_notes, quality_notes
from reports.paper import Paper
from reports.provenance import failures, provenance
from reports.quality_table import QualityTable
from reports.quality_text import left_out_notes, not_measured_notes, quality_texts
from reports.strips import Strip
from reports.tables import Tables, details_text, latency_text, speedup_text
from reports.templating import template
from reports.text_table import TextTable
from reports.verdict import coverage, findings, place, sizes, verdict


@dataclass(frozen=True)
class Picture:
    """A figure as the report refers to it."""

    path: str
    """Relative to the report, with forward slashes."""
    title: str
    """What it shows, as markdown: its alternative text and its caption."""


@dataclass(frozen=True)
class Section:
    """One table with what belongs to it."""

    title: str
    facts: str
    tables: list[TextTable]
    notes: list[str]
    details: TextTable | None = None
    picture: Picture | None = None
    csv: str | None = None
    """The same table for programs, relative to the report."""


def render_markdown(
    records: Sequence[Record],
    tables: Tables,
    paper: Paper,
    *,
    quality: list[Section],
    latency: list[Section],
    strips: list[Picture],
    missing_strips: list[str],
    comparison: list[ComparedTable],
    comparison_csv: str,
    calibration: Calibration | None,
) -> str:
    """Put the report together.

    Args:
        records: of one run.
        tables: made from them.
        paper: what stands beside.
        quality: see `quality_section`.
        latency: see `latency_section`.
        strips: figures of sample frames.
        missing_strips: why systems are missing from them.
        comparison: the paper's tables, see `reports.comparison.compare_with_paper`.
        comparison_csv: the same for programs, relative to the report.
        calibration: of the run's metrics; None if there is none.

    Returns:
        Markdown with HTML only for line breaks, small print and foldable details.
    """
    text = template("report.md.j2").render(
        verdict=verdict(tables, paper),
        coverage=coverage(records),
        findings=findings(tables, paper),
        sizes=sizes(tables, paper),
        quality=_with_shared(quality),
        latency=_with_shared(latency),
        strips=strips,
        missing_strips=[escaped(reason) for reason in missing_strips],
        comparison=[(table.source, table.about, comparison_text(table)) for table in comparison],
        comparison_notes=comparison_notes(paper),
        comparison_csv=comparison_csv,
        calibration=None if calibration is None else calibration_text(calibration),
        calibration_note=None if calibration is None else calibration_note(calibration),
        failures=failures(records),
        provenance=provenance(records),
        paper=paper,
    )
    return text.strip() + "\n"


def _with_shared(sections: list[Section]) -> tuple[list[str], list[Section]]:
    """Take the notes that all of several sections have out of them, so that they are said once."""
    if len(sections) < 2:
        return [], sections
    shared = [note for note in sections[0].notes if all(note in section.notes for section in sections)]
    own = [[note for note in section.notes if note not in shared] for section in sections]
    return shared, [replace(section, notes=notes) for section, notes in zip(sections, own, strict=True)]


def quality_section(table: QualityTable, paper: Paper, *, csv: str) -> Section:
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
    found = difference_table(table)
    # where every n is too small, the table above says all that can be said
    differences = found if found is not None and found.family else None
    notes = [*quality_notes(table, paper), *left_out_notes(table), *not_measured_notes(table)]
    return Section(
        title=place(table, paper),
        facts="; ".join(fact for fact in facts if fact),
        tables=[*quality_texts(table), *([difference_text(differences)] if differences else [])],
        notes=[*notes, difference_note(differences)] if differences else notes,
        csv=csv,
    )


def latency_section(table: LatencyTable, paper: Paper, *, csv: str, picture: Picture | None) -> Section:
    """One latency table with its heading, notes and figure."""
    parts = [
        table.device.upper(),
        table.dtype,
        f"batch {table.batch}",
        f"preset {table.preset}" if table.preset else "",
    ]
    ratios = speedup_text(table)
    return Section(
        title=escaped(", ".join(part for part in parts if part)),
        facts=escaped(table.hardware),
        tables=[latency_text(table), *([ratios] if ratios else [])],
        notes=latency_notes(table, paper),
        details=details_text(table),
        picture=picture,
        csv=csv,
    )


def latency_title(table: LatencyTable) -> str:
    """Caption of the latency figure."""
    other = f"speed-up over {table.baseline}" if speedup_text(table) else "the same on a linear scale"
    return escaped(
        f"Latency against length (the paper's figure 5), and {other}. Points: medians. Bands: 10th to 90th percentile. "
        "Lines: least squares." + (" Hollow: the paper's table 3." if table.shows_paper else "")
    )


def strip_title(strip: Strip, paper: Paper) -> str:
    """Caption of a frame strip."""
    corpus = paper.corpora.get(strip.corpus, strip.corpus)
    place = f"{strip.utterance}, {corpus}, {strip.durations} durations"
    # what is said in a video file is not known
    return escaped(f"“{strip.text}” ({place}). Numbers: frames." if strip.text else f"{place}. Numbers: frames.")
