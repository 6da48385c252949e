"""Where the report's templates lie and how they are filled."""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from lipbench.reports.formatting import code, literal
from lipbench.reports.markdown.cells import Text, spans

FOLDER = Path(__file__).parents[1] / "templates"
_MARKS = {"": "", "interval": "", "strong": "**", "good": "**", "em": "*"}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        # markdown is escaped where a record's text is read, see `lipbench.reports.formatting.escape`
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "sort_keys": True}
    environment.filters |= {"content": _content, "md": markdown_text, "spans": spans}
    return environment


def markdown_text(text: Text) -> str:
    """A text as markdown that shows it literally."""
    parts = []
    for span in spans(text):
        if span.style == "code":
            parts.append(code(span.text))
        else:
            said = span.text if span.style == "interval" else literal(span.text)
            parts.append(f"{_MARKS[span.style]}{said}{_MARKS[span.style]}")
    return "".join(parts).strip()


def _content(text: str) -> Markup:
    """Text within an element, where quotes need no escape; not for attributes."""
    return Markup(html.escape(text, quote=False))


def template(name: str) -> Template:
    """A template by its file name; one whose name ends in ``.html.j2`` escapes what it is filled with."""
    return _environment().get_template(name)


def render_part(name: str, *facts: object) -> str:
    """One macro of the markdown's template, filled; facts come as markdown."""
    macro: Callable[..., str] = getattr(template("report.md.j2").module, name)
    return str(macro(*facts)).strip("\n")


@cache
def asset(*names: str) -> Markup:
    """Style sheets or scripts of ours, one after the other, as they go into a page."""
    return Markup("\n".join((FOLDER / name).read_text(encoding="utf-8").strip() for name in names))
