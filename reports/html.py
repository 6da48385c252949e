"""The markdown report as one HTML file that needs nothing else: no network, no other file."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from reports.quality_text import CONTROLS_HEAD
from reports.templating import template
from reports.text_table import FAILED

_MIME = {".png": "image/png", ".svg": "image/svg+xml"}


def render_html(markdown: str, folder: Path) -> str:
    """Render a report.

    Args:
        markdown: as `reports.markdown.render_markdown` makes it.
        folder: where its images, PNG or SVG, lie. Of a figure that exists as SVG too, the SVG is taken.

    Returns:
        A complete page with its images in it. An image that is not there is replaced by its alternative text.
    """
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(markdown)
    _mark_rows(tokens)
    _embed_images(tokens, folder)
    body = parser.renderer.render(tokens, parser.options, {})
    # A wide table scrolls in a box of its own instead of widening the page.
    body = body.replace("<table>", '<div class="scroll"><table>').replace("</table>", "</table></div>")
    title = next((t.content for i, t in enumerate(tokens) if i and tokens[i - 1].type == "heading_open"), "Report")
    return template("report.html.j2").render(title=title, body=Markup(body))


def _mark_rows(tokens: list[Token]) -> None:
    """Give table rows a class: the controls' block, and cells that failed. A failure spans the rest of its row."""
    block = ""
    for i, token in enumerate(tokens):
        if token.type == "thead_open":
            block = ""
        if token.type != "tr_open":
            continue
        end = next(j for j in range(i, len(tokens)) if tokens[j].type == "tr_close")
        cells = [j for j in range(i, end) if tokens[j].type == "td_open"]
        texts = [tokens[j + 1].content for j in cells]
        if texts and texts[0] == CONTROLS_HEAD:
            token.attrJoin("class", "controls-head")
            block = "control"
        elif block:
            token.attrJoin("class", block)
        for j, text in zip(cells, texts, strict=True):
            if text.startswith(FAILED):
                tokens[j].attrSet("class", "failed")
        if len(texts) > 2 and not any(texts[2:]) and (texts[1].startswith(FAILED) or texts[0] == CONTROLS_HEAD):
            tokens[cells[1]].attrSet("colspan", str(len(texts) - 1))
            for j in range(cells[2], end):
                tokens[j].hidden = True
                tokens[j].content = ""
                tokens[j].children = []


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
