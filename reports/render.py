"""A run's folder in, a report out."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.record import Record, UserError, load_records
from reports.figures import latency_figure, render_figure, strip_figure
from reports.html import render_html
from reports.latency_table import LatencyTable
from reports.markdown import (
    Picture,
    Section,
    latency_section,
    latency_title,
    quality_section,
    render_markdown,
    strip_title,
)
from reports.paper import Paper, load_paper
from reports.quality_table import QualityTable
from reports.strips import load_strips
from reports.systems import Naming, naming
from reports.tables import Tables, latency_frame, make_tables, quality_frame

OWN_FILES = (
    "figures/latency-*.png",
    "figures/latency-*.svg",
    "figures/strip-*.png",
    "tables/latency-*.csv",
    "tables/quality-*.csv",
)
"""What a report may have written before: removed where the new one has no such file, so that none goes stale."""


@dataclass(frozen=True)
class RenderedReport:
    """The files of a report."""

    markdown: Path
    html: Path
    figures: list[Path] = field(default_factory=list)
    """PNG and SVG files."""
    tables: list[Path] = field(default_factory=list)
    """CSV files, one per table."""


def render(run: Path, out: Path | None = None) -> RenderedReport:
    """Render the report of a run, from its records alone.

    Args:
        run: the run's folder (with ``records/`` in it), a folder of records, or one record.
        out: where to write ``report.md``, ``index.html``, ``figures/`` and ``tables/``;
            default ``report`` in the run's folder.

    Returns:
        What was written.

    Raises:
        UserError: there are no records, one cannot be read, or `out` cannot be written.
    """
    records = load_records(run)
    root = _root(run)
    folder = out if out is not None else root / "report"
    paper = load_paper()
    names = naming(records, paper)
    tables = make_tables(records, names, paper)
    try:
        return _write(folder, root, records, tables, names, paper)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise UserError(f"the report cannot be written to {folder}: {error}", remedy="Give another folder") from error


def _root(run: Path) -> Path:
    """The run's folder, which strip files are relative to, whichever of its parts was given."""
    folder = run.parent if run.is_file() else run
    return folder.parent if folder.name == "records" else folder


def _write(
    folder: Path, root: Path, records: list[Record], tables: Tables, names: Naming, paper: Paper
) -> RenderedReport:
    figures, data = _Files(folder), _Files(folder)
    quality = [_quality(i, table, paper, data) for i, table in enumerate(tables.quality, 1)]
    latency = [_latency(i, table, names, paper, figures, data) for i, table in enumerate(tables.latency, 1)]
    strips, missing = load_strips(records, root, names)
    pictures = []
    for i, strip in enumerate(strips, 1):
        path = figures.write(f"figures/strip-{i}.png", render_figure(strip_figure(strip), "png"))
        pictures.append(Picture(path, strip_title(strip, paper)))
    text = render_markdown(
        records, tables, paper, quality=quality, latency=latency, strips=pictures, missing_strips=missing
    )
    pages = _Files(folder)
    # The pages come last: whoever finds one finds everything that it refers to.
    pages.write("report.md", text.encode())
    pages.write("index.html", render_html(text, folder).encode())
    _remove_stale(folder, {*figures.written, *data.written})
    return RenderedReport(folder / "report.md", folder / "index.html", figures.written, data.written)


def _quality(index: int, table: QualityTable, paper: Paper, data: _Files) -> Section:
    name = _slug(str(index), table.corpus.name, table.durations, table.protocol.name)
    csv = data.write(f"tables/quality-{name}.csv", quality_frame(table).to_csv(index=False).encode())
    return quality_section(table, paper, csv=csv)


def _latency(index: int, table: LatencyTable, names: Naming, paper: Paper, figures: _Files, data: _Files) -> Section:
    name = _slug(str(index), table.device, table.dtype, f"batch{table.batch}", table.preset or "")
    csv = data.write(f"tables/latency-{name}.csv", latency_frame(table).to_csv(index=False).encode())
    picture = None
    if any(row.measured for row in table.rows):
        figure = latency_figure(table, names.order, paper)
        for kind in ("svg", "png"):
            path = figures.write(f"figures/latency-{name}.{kind}", render_figure(figure, kind))
            picture = Picture(path, latency_title(table))
    return latency_section(table, paper, csv=csv, picture=picture)


def _slug(*parts: str) -> str:
    """A file name that needs no quoting anywhere, and fits any file system; the leading number keeps it unique."""
    return "-".join(re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_")[:40] for part in parts if part)


class _Files:
    """Writes files whole or not at all, and remembers them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.written: list[Path] = []

    def write(self, name: str, content: bytes) -> str:
        """Write one file and give back its name relative to the report."""
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            # mkstemp makes files that only their owner may read; a report is there to be read
            os.chmod(temporary, 0o644)
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self.written.append(target)
        return name


def _remove_stale(folder: Path, kept: set[Path]) -> None:
    for pattern in OWN_FILES:
        for path in folder.glob(pattern):
            if path not in kept:
                path.unlink()
