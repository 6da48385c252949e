"""The contents of a page: its headings, each with a place to jump to."""

from __future__ import annotations

import re
from typing import NamedTuple

from markdown_it.token import Token


class Entry(NamedTuple):
    """One line of the contents."""

    anchor: str
    text: str
    place: int
    """Index of the heading's token."""


def outline(tokens: list[Token]) -> list[Entry]:
    """Give every heading an id, and list those of the parts.

    Args:
        tokens: of a whole page; their headings are changed.

    Returns:
        Headings of the second level.
    """
    seen: dict[str, int] = {}
    found: list[Entry] = []
    for i, token in enumerate(tokens):
        if token.type != "heading_open":
            continue
        text = plain(tokens[i + 1])
        # records' ids begin otherwise: no heading takes one of theirs
        slug = "part-" + (re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "untitled")
        seen[slug] = seen.get(slug, 0) + 1
        anchor = slug if seen[slug] == 1 else f"{slug}-{seen[slug]}"
        token.attrSet("id", anchor)
        if token.tag == "h2":
            found.append(Entry(anchor, text, i))
    return found


def plain(inline: Token) -> str:
    """Text of a heading or of a cell's first line, without what marks it."""
    text = ""
    for child in inline.children or []:
        if child.type == "html_inline" and child.content.startswith("<br"):
            break
        if child.type in ("text", "text_special", "code_inline"):
            text += child.content
    return text.strip()
