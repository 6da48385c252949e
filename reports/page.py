"""The page of a run: its markdown, with the clips that the run kept and the records behind its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.record import Record
from reports.comparison import ComparedTable
from reports.figures.style import Look
from reports.html import render_html
from reports.paper import Paper
from reports.player import load_player
from reports.sources import gather_sources
from reports.systems import naming
from reports.tables import Tables


def render_page(
    markdown: str,
    records: Sequence[Record],
    tables: Tables,
    compared: Sequence[ComparedTable],
    paper: Paper,
    *,
    quality: Sequence[str | None],
    latency: Sequence[str | None],
    natural: Sequence[str | None],
    folder: Path,
    root: Path,
    style: Mapping[str, Look],
    clips: int,
) -> str:
    """Render the page of a run.

    Args:
        markdown: as `reports.markdown.render_markdown` makes it.
        records: of the run.
        tables: made from them.
        compared: the paper's tables beside them.
        paper: what stands beside them.
        quality: CSV file of each quality table, as the markdown names it.
        latency: the same of the latency tables.
        natural: the same of the tables of natural lengths.
        folder: the report's, where its images lie and the page will.
        root: the run's folder.
        style: how each row is drawn, in the curves as in the figures.
        clips: most clips that can be played.

    Returns:
        A complete page.
    """
    names = naming(records, paper)
    sources = gather_sources(
        records,
        names,
        quality={
            csv: (table, differences)
            for csv, table, differences in zip(quality, tables.quality, tables.differences, strict=True)
            if csv
        },
        latency={csv: table for csv, table in zip(latency, tables.latency, strict=True) if csv},
        natural={csv: table for csv, table in zip(natural, tables.natural, strict=True) if csv},
        compared=[[row.record for row in table.rows] for table in compared],
        root=root,
        page=folder,
    )
    player = load_player(tables.quality, root, style=style, limit=clips)
    return render_html(markdown, folder, player=player, sources=sources)
