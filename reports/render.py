"""A run's folder in, a report out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lipbench.errors import UserError
from lipbench.records.calibration import Calibration, load_calibration
from lipbench.reports.figures.figure import Absent, Drawn
from lipbench.reports.figures.frames import STRIP
from lipbench.reports.figures.gallery import Choice, Placed, absences, choose_tables, draw_figures, report_looks
from lipbench.reports.figures.latency import draw_latency
from lipbench.reports.figures.style import Look, render_figure
from lipbench.reports.files import ReportFiles, Summary, add_to
from lipbench.reports.formatting import escaped
from lipbench.reports.inputs.run import Intake, Unread, held_run
from lipbench.reports.inputs.strips import load_strips
from lipbench.reports.inputs.training_logs import load_training_logs
from lipbench.reports.markdown.latency import latency_section
from lipbench.reports.markdown.natural import natural_section
from lipbench.reports.markdown.quality import quality_section
from lipbench.reports.markdown.report import Content, render_markdown
from lipbench.reports.markdown.section import Picture, Pictures, Section
from lipbench.reports.page.page import render_page
from lipbench.reports.page.player import CLIPS
from lipbench.reports.paper import Paper, load_paper
from lipbench.reports.tables.csv import comparison_frame, latency_frame, natural_frame, quality_frame
from lipbench.reports.tables.differences import DifferenceTable
from lipbench.reports.tables.labels import naming
from lipbench.reports.tables.latency import LatencyTable
from lipbench.reports.tables.make import Tables, make_tables
from lipbench.reports.tables.natural import NaturalTable
from lipbench.reports.tables.paper_comparison import compare_with_paper
from lipbench.reports.tables.quality import QualityTable


@dataclass(frozen=True)
class RenderedReport:
    """The files of a report."""

    markdown: Path
    html: Path
    figures: list[Path] = field(default_factory=list)
    """PNG and SVG files."""
    tables: list[Path] = field(default_factory=list)
    """CSV files, one per table."""
    summary: Path | None = None
    unread: list[Unread] = field(default_factory=list)
    """Files among the records that are not in the report, because they could not be read."""


def render(run: Path, out: Path | None = None, *, clips: int = CLIPS, summary: Summary | None = None) -> RenderedReport:
    """Render the report of a run, from its records, its sample frames and the logs of its trainings alone.

    Args:
        run: the run's folder (with ``records/`` in it), a folder of records, or one record.
        out: where to write ``report.md``, ``index.html``, ``figures/`` and ``tables/``;
            default ``report`` in the run's folder.
        clips: most clips that can be played in the page.
        summary: also write the report there, without pictures, within a number of bytes; see
            `lipbench.reports.markdown.size_limit`.

    Returns:
        What was written.

    Raises:
        UserError: there are no records, none can be read, or `out` cannot be written. Records that cannot be read
            beside others that can are named in the report.
    """
    root = _root(run.resolve())  # so that "." has a name and a parent
    folder = out if out is not None else root / "report"
    paper = load_paper()
    with held_run(run) as intake:
        calibration = _calibration(root)
        names = naming(intake.records, paper)
        tables = make_tables(intake.records, names, paper)
        try:
            return _write(
                folder, root, intake, tables, report_looks(tables, names.order), paper, calibration, clips, summary
            )
        except OSError as error:
            place = error.filename or folder
            raise UserError(
                f"the report cannot be written: {place}: {error.strerror or error}",
                remedy="Give another folder (out=…), or make room there",
            ) from error


def _root(run: Path) -> Path:
    """The run's folder, which strip files are relative to, whichever of its parts was given."""
    folder = run.parent if run.is_file() else run
    return folder.parent if folder.name == "records" else folder


def _calibration(root: Path) -> Calibration | UserError | None:
    """A run's calibration, or why it cannot be read: the records can be reported all the same."""
    try:
        return load_calibration(root)
    except UserError as error:
        return error


def _write(
    folder: Path,
    root: Path,
    intake: Intake,
    tables: Tables,
    style: Mapping[str, Look],
    paper: Paper,
    calibration: Calibration | UserError | None,
    clips: int,
    summary: Summary | None,
) -> RenderedReport:
    files = ReportFiles(folder)
    try:
        quality = [
            _quality(i, table, differences, paper, files)
            for i, (table, differences) in enumerate(zip(tables.quality, tables.differences, strict=True), 1)
        ]
        choice = choose_tables(tables.quality, tables.latency)
        latency = [
            _latency(i, table, style, paper, files, undrawn=None if i - 1 in choice.latency else choice.latency_rule)
            for i, table in enumerate(tables.latency, 1)
        ]
        natural = [_natural(i, table, paper, files) for i, table in enumerate(tables.natural, 1)]
        pictures = _pictures(tables, choice, root, style, paper, files)
        comparison = compare_with_paper(intake.records, tables, paper)
        comparison_csv = files.write("tables/paper.csv", comparison_frame(comparison).to_csv(index=False).encode())
        content = Content(
            records=intake.records,
            tables=tables,
            paper=paper,
            quality=quality,
            latency=latency,
            natural=natural,
            pictures=pictures,
            comparison=comparison,
            comparison_csv=comparison_csv,
            calibration=calibration,
            unread=intake.unread,
        )
        text = render_markdown(content)
        # The pages come last: whoever finds one finds everything that it refers to.
        files.write("report.md", text.encode())
        page = render_page(
            text,
            intake.records,
            tables,
            comparison,
            paper,
            quality=[section.csv for section in quality],
            latency=[section.csv for section in latency],
            natural=[section.csv for section in natural],
            folder=folder,
            root=root,
            style=style,
            clips=clips,
        )
        files.write("index.html", page.encode())
        files.remove_stale()
    finally:
        files.write_list()
    if summary is not None:
        add_to(summary, lambda limit: render_markdown(content.alone(), limit=limit))
    written = [folder / name for name in files.written]
    return RenderedReport(
        folder / "report.md",
        folder / "index.html",
        figures=[path for path in written if path.parent.name == "figures"],
        tables=[path for path in written if path.parent.name == "tables"],
        summary=None if summary is None else summary.file,
        unread=intake.unread,
    )


def _quality(
    index: int, table: QualityTable, differences: DifferenceTable | None, paper: Paper, files: ReportFiles
) -> Section:
    name = _slug(str(index), table.corpus.name, table.durations, table.protocol.name)
    csv = files.write(f"tables/quality-{name}.csv", quality_frame(table).to_csv(index=False).encode())
    return quality_section(table, differences, paper, csv=csv)


def _latency(
    index: int, table: LatencyTable, style: Mapping[str, Look], paper: Paper, files: ReportFiles, *, undrawn: str | None
) -> Section:
    """One latency table; `undrawn` is why it has no figure, None if it shall have one."""
    name = _slug(str(index), table.device, table.dtype, f"batch{table.batch}", table.preset or "")
    csv = files.write(f"tables/latency-{name}.csv", latency_frame(table).to_csv(index=False).encode())
    if undrawn is not None:
        return latency_section(table, paper, csv=csv, picture=None, undrawn=undrawn)
    drawn = draw_latency(table, style, paper)
    if isinstance(drawn, Absent):
        return latency_section(table, paper, csv=csv, picture=None, undrawn=drawn.reason)
    return latency_section(table, paper, csv=csv, picture=_picture(drawn, f"latency-{name}", files))


def _natural(index: int, table: NaturalTable, paper: Paper, files: ReportFiles) -> Section:
    name = _slug(str(index), table.corpus, table.timer, table.device, table.preset or "")
    csv = files.write(f"tables/natural-{name}.csv", natural_frame(table).to_csv(index=False).encode())
    return natural_section(table, paper, csv=csv)


def _pictures(
    tables: Tables, choice: Choice, root: Path, style: Mapping[str, Look], paper: Paper, files: ReportFiles
) -> Pictures:
    """Draw and write the figures that stand beside no table."""
    strips, missing = load_strips([tables.quality[i] for i in sorted(choice.quality)], root)
    frames: list[Picture] = []
    figures: list[Picture] = []
    absent: list[Placed] = []
    for one in draw_figures(tables, choice, strips, load_training_logs(root), style, paper):
        if isinstance(one.what, Drawn):
            name = _slug(one.what.name, *one.of)
            (frames if one.what.name == STRIP else figures).append(_picture(one.what, name, files))
        else:
            absent.append(one)
    return Pictures(
        strips=frames,
        missing_strips=missing,
        strip_notes=choice.quality_notes,
        figures=figures,
        missing_figures=absences(absent),
        figure_notes=choice.notes,
    )


def _picture(drawn: Drawn, name: str, files: ReportFiles) -> Picture:
    """Write a figure in both kinds; the page takes the SVG, markdown the PNG."""
    files.write(f"figures/{name}.svg", render_figure(drawn.figure, "svg"))
    path = files.write(f"figures/{name}.png", render_figure(drawn.figure, "png"))
    return Picture(path, f"**{escaped(drawn.title)}.** {escaped(drawn.caption)}", escaped(drawn.alt))


def _slug(*parts: str) -> str:
    """A file name that needs no quoting anywhere, and fits any file system; the leading number keeps it unique."""
    return "-".join(re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_")[:40] for part in parts if part)
