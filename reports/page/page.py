"""A report as one HTML file that needs nothing else: no network, no other file.

The page adds to the markdown what only a page can do: clips that play, tables that sort, and from every number the way
to its record. Without its script all text, tables and figures are there all the same.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup

from lipbench.reports.formatting import BREAK
from lipbench.reports.markdown.cells import Table
from lipbench.reports.markdown.section import Report
from lipbench.reports.markdown.templating import asset, template
from lipbench.reports.page.links import SystemRecords, record_anchor, target
from lipbench.reports.page.player import Player

_MIME = {".png": "image/png", ".svg": "image/svg+xml"}


def render_page(report: Report, folder: Path, *, systems: Sequence[SystemRecords], player: Player | None = None) -> str:
    """Render a report.

    Args:
        report: what it is made of.
        folder: where its images, PNG or SVG, lie. Of a figure that exists as SVG too, the SVG is taken.
        systems: the records behind the numbers.
        player: clips to play; None for a page without.

    Returns:
        A complete page with its images in it. An image that is not there is replaced by its alternative text.
    """
    script = asset("theme.js"), asset("page.js", "tables.js", "curves.js", "clip_list.js", "player.js")
    return template("report.html.j2").render(
        report=report,
        player=player,
        systems=systems,
        target=target,
        record_anchor=record_anchor,
        prose=prose,
        name_table=_TableNames(),
        data_uri=lambda path: _data_uri(folder / path),
        style=asset("page.css", "player.css", "print.css"),
        first_script=script[0],
        script=script[1],
        hashes=[_script_hash(one) for one in script],
    )


def prose(text: str) -> Markup:
    """A sentence of inline markdown as HTML; tags in it are text."""
    # nothing is linked here that we do not link, so nothing needs to be parted
    return Markup(_parser().renderInline(text.replace(BREAK, "")))


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})


class _TableNames:
    """Names tables by what they stand under and their summary or first column, numbered where that is no name."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def __call__(self, heading: str, table: Table) -> tuple[str, str]:
        """The table's anchor and its name."""
        name = f"{heading}: {table.summary or table.columns[0].title}"
        self._seen[name] += 1
        numbered = name if self._seen[name] == 1 else f"{name} ({self._seen[name]})"
        return f"table-{self._seen.total()}", numbered


def _script_hash(script: str) -> str:
    """What the page's policy names a script by, so that nothing else in it runs."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _data_uri(path: Path) -> str | None:
    vector = path.with_suffix(".svg")
    image_file = vector if vector.is_file() else path
    if not image_file.is_file() or image_file.suffix not in _MIME:
        return None
    content = base64.b64encode(image_file.read_bytes()).decode("ascii")
    return f"data:{_MIME[image_file.suffix]};base64,{content}"
