"""The markdown report as one HTML file that needs nothing else: no network, no other file.

The page adds to the markdown what only a page can do: clips that play, tables that sort, and from every number the way
to its record. Without its script all text, tables and figures are there all the same.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import html_inline
from markdown_it.token import Token
from markupsafe import Markup

from lipbench.records.record import Record
from lipbench.reports.figures.style import Look
from lipbench.reports.formatting import BREAK
from lipbench.reports.markdown.templating import asset, template
from lipbench.reports.page.links import Sources, gather_sources, link_cells
from lipbench.reports.page.player import Player, load_player
from lipbench.reports.page.tables import Entry, align_columns, boxed_tables, head_rows, mark_rows, mark_words, outline
from lipbench.reports.paper import Paper
from lipbench.reports.tables.labels import naming
from lipbench.reports.tables.make import Tables
from lipbench.reports.tables.paper_comparison import ComparedTable

_MIME = {".png": "image/png", ".svg": "image/svg+xml"}
_BEFORE_CLIPS = "Quality"
"""Heading of the part that the clips come after."""


def render_html(markdown: str, folder: Path, *, player: Player | None = None, sources: Sources | None = None) -> str:
    """Render a report.

    Args:
        markdown: as `lipbench.reports.markdown.report.render_markdown` makes it.
        folder: where its images, PNG or SVG, lie. Of a figure that exists as SVG too, the SVG is taken.
        player: clips to play; None for a page without.
        sources: the records behind the numbers; None for a page without.

    Returns:
        A complete page with its images in it. An image that is not there is replaced by its alternative text.
    """
    parser = _parser()
    # nothing is linked here that we do not link, so nothing needs to be parted
    tokens = parser.parse(markdown.replace(BREAK, ""))
    mark_rows(tokens)
    align_columns(tokens)
    if sources is not None:
        link_cells(tokens, sources)
    mark_words(tokens)
    head_rows(tokens)
    _embed_images(tokens, folder)
    tokens = boxed_tables(tokens)
    contents = outline(tokens)
    place = _clips_place(tokens)
    if player is not None:
        at = next((i for i, entry in enumerate(contents) if entry.place >= place), len(contents))
        contents.insert(at, Entry("clips", "Clips", place))
    if sources is not None:
        contents.append(Entry("records", "Records", len(tokens)))
    script = asset("theme.js"), asset("page.js", "tables.js", "curves.js", "clip_list.js", "player.js")
    return template("report.html.j2").render(
        title=next((t.content for i, t in enumerate(tokens) if i and tokens[i - 1].type == "heading_open"), "Report"),
        contents=contents,
        before=_rendered(parser, tokens[:place]),
        after=_rendered(parser, tokens[place:]),
        player=player,
        sources=sources,
        style=asset("page.css", "player.css", "print.css"),
        first_script=script[0],
        script=script[1],
        hashes=[_hash(one) for one in script],
    )


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    # A report's cells are full of tags. No other rule but that of autolinks begins with the same sign, and no tag looks
    # like one, so the order changes nothing but the time that it takes.
    rules = parser.inline.ruler
    rules.before("newline", "tags", html_inline)
    rules.disable("html_inline")
    return parser


def _rendered(parser: MarkdownIt, tokens: list[Token]) -> Markup:
    assert isinstance(parser.renderer, RendererHTML)
    return Markup(parser.renderer.render(tokens, parser.options, {}))


def _clips_place(tokens: list[Token]) -> int:
    """Index of the token before which the clips come: after the part on quality, or at the end."""
    parts = [i for i, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2"]
    for i, following in zip(parts, [*parts[1:], len(tokens)], strict=True):
        if tokens[i + 1].content == _BEFORE_CLIPS:
            return following
    return len(tokens)


def _hash(script: str) -> str:
    """What the page's policy names a script by, so that nothing else in it runs."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _embed_images(tokens: list[Token], folder: Path) -> None:
    for token in tokens:
        for child in token.children or []:
            if child.type == "image":
                content = _data_uri(folder / unquote(str(child.attrGet("src"))))
                if content is None:
                    child.type, child.content = "text", f"Picture not found: {child.content}"
                else:
                    child.attrSet("src", content)


def _data_uri(path: Path) -> str | None:
    vector = path.with_suffix(".svg")
    chosen = vector if vector.is_file() else path
    if not chosen.is_file() or chosen.suffix not in _MIME:
        return None
    content = base64.b64encode(chosen.read_bytes()).decode("ascii")
    return f"data:{_MIME[chosen.suffix]};base64,{content}"


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
        markdown: as `lipbench.reports.markdown.report.render_markdown` makes it.
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
