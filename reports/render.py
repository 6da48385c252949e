"""A run's folder in, a report out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lipbench.errors import UserError
from lipbench.records.calibration import Calibration, load_calibration
from lipbench.reports.figures.figure import MissingFigure, ReportFigure
from lipbench.reports.figures.frames import STRIP
from lipbench.reports.figures.gallery import (
    PlacedFigure,
    choose_tables,
    draw_figures,
    missing_figure_sentences,
    report_styles,
)
from lipbench.reports.figures.latency import draw_latency
from lipbench.reports.figures.style import PlotStyle, render_figure
from lipbench.reports.files import ReportFiles, SummaryTarget, append_summary, slug
from lipbench.reports.inputs.run import UnreadableRecord, read_run
from lipbench.reports.inputs.strips import load_strips
from lipbench.reports.inputs.training_logs import load_training_logs
from lipbench.reports.markdown.data import Pictures, ReportData
from lipbench.reports.markdown.latency import latency_name
from lipbench.reports.markdown.render import render_markdown
from lipbench.reports.markdown.report import OMISSION_ORDER, make_report
from lipbench.reports.markdown.section import Picture
from lipbench.reports.page.links import gather_records
from lipbench.reports.page.page import render_page
from lipbench.reports.page.player import CLIPS, load_player
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.make import Tables, make_tables


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
    unread: list[UnreadableRecord] = field(default_factory=list)
    """Files among the records that are not in the report, because they could not be read."""


def render(
    run: Path, out: Path | None = None, *, clips: int = CLIPS, summary: SummaryTarget | None = None
) -> RenderedReport:
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
    run_inputs = read_run(run)
    names = collect_names(run_inputs.records)
    data = ReportData(
        records=run_inputs.records,
        unread=run_inputs.unread,
        names=names,
        tables=make_tables(run_inputs.records, names),
        calibration=_calibration(root),
    )
    try:
        return _write(data, folder, root, clips, summary)
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


def _write(data: ReportData, folder: Path, root: Path, clips: int, summary: SummaryTarget | None) -> RenderedReport:
    files = ReportFiles(folder)
    style = report_styles(data.tables, data.names.order)
    try:
        report = make_report(replace(data, pictures=_pictures(data.tables, root, style, files)))
        for csv in report.files():
            files.write(csv.path, csv.frame.to_csv(index=False).encode())
        # The pages come last, so that every file they refer to exists.
        files.write("report.md", render_markdown(report, OMISSION_ORDER).encode())
        player = load_player(data.tables.quality, root, style=style, limit=clips)
        systems = gather_records(data.records, data.names, root=root, page=folder)
        files.write("index.html", render_page(report, folder, systems=systems, player=player).encode())
        files.remove_stale()
    finally:
        files.write_list()
    if summary is not None:
        append_summary(summary, lambda limit: render_markdown(report.alone(), OMISSION_ORDER, limit=limit))
    written_files = [folder / name for name in files.written]
    return RenderedReport(
        folder / "report.md",
        folder / "index.html",
        figures=[path for path in written_files if path.parent.name == "figures"],
        tables=[path for path in written_files if path.parent.name == "tables"],
        summary=None if summary is None else summary.file,
        unread=list(data.unread),
    )


def _pictures(tables: Tables, root: Path, style: Mapping[str, PlotStyle], files: ReportFiles) -> Pictures:
    """Draw and write all figures."""
    choice = choose_tables(tables.quality, tables.latency)
    latency: list[Picture | str] = []
    for i, table in enumerate(tables.latency):
        drawn = draw_latency(table, style) if i in choice.latency else choice.latency_rule
        if isinstance(drawn, ReportFigure):
            latency.append(_picture(drawn, latency_name(i + 1, table), files))
        else:
            latency.append(drawn.reason if isinstance(drawn, MissingFigure) else drawn)
    strips, missing = load_strips([tables.quality[i] for i in sorted(choice.quality)], root)
    frames: list[Picture] = []
    figures: list[Picture] = []
    absent: list[PlacedFigure] = []
    for placed_figure in draw_figures(tables, choice, strips, load_training_logs(root), style):
        if isinstance(placed_figure.what, ReportFigure):
            (frames if placed_figure.what.name == STRIP else figures).append(
                _picture(placed_figure.what, slug(placed_figure.what.name, *placed_figure.of), files)
            )
        else:
            absent.append(placed_figure)
    return Pictures(
        strips=frames,
        missing_strips=missing,
        strip_notes=choice.quality_notes,
        figures=figures,
        missing_figures=missing_figure_sentences(absent),
        figure_notes=choice.notes,
        latency=latency,
    )


def _picture(report_figure: ReportFigure, name: str, files: ReportFiles) -> Picture:
    """Write a figure in both kinds; the page takes the SVG, markdown the PNG."""
    files.write(f"figures/{name}.svg", render_figure(report_figure.figure, "svg"))
    path = files.write(f"figures/{name}.png", render_figure(report_figure.figure, "png"))
    return Picture(path, report_figure.title, report_figure.caption, report_figure.alt)
