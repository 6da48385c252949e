"""What a page's tables have beyond markdown's: classes, heads of rows, names, and boxes that scroll."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

from markdown_it.token import Token
from markupsafe import Markup

from lipbench.reports.formatting import FAILED
from lipbench.reports.markdown.quality import CONTROLS_HEAD

_KEPT = re.compile(r"(?<=\d) (?=frames)| (?=[↑↓↔]$)")
"""Spaces at which a head is not broken."""
_SUMMARY = re.compile(r"<summary>(.*?)</summary>", re.DOTALL)


def mark_rows(tokens: list[Token]) -> None:
    """Give table rows a class: the controls' block, and cells that failed. A failure spans the rest of its row.

    Args:
        tokens: of a page; they are changed, as by all that follows.
    """
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
        if len(texts) > 2 and texts[1].startswith(FAILED) and not any(texts[2:]):
            _span(tokens, cells[1:], end)
        elif len(texts) > 1 and texts[0] == CONTROLS_HEAD and not any(texts[1:]):
            _span(tokens, cells, end)


def mark_words(tokens: list[Token]) -> None:
    """Keep arrows and lengths in heads together, and give the good news a class: what is bold warns elsewhere."""
    for i, token in enumerate(tokens):
        if token.type != "inline":
            continue
        children = token.children or []
        if tokens[i - 1].type == "th_open" and children and children[0].type == "text":
            children[0].content = _KEPT.sub("\u00a0", children[0].content)
        for opening, text in pairwise(children):
            if opening.type == "strong_open" and text.content.lower() == "reproduced":
                opening.attrSet("class", "good")


def _span(tokens: list[Token], cells: list[int], end: int) -> None:
    """Let the first of some cells, which are the rest of a row, take the place of all."""
    tokens[cells[0]].attrSet("colspan", str(len(cells)))
    for j in range(cells[1], end):
        tokens[j].hidden = True
        tokens[j].content = ""
        tokens[j].children = []


def align_columns(tokens: list[Token]) -> None:
    """Say once per table from which column on numbers stand, to the right, instead of in every cell."""
    for i, token in enumerate(tokens):
        if token.type != "table_open":
            continue
        end = next(j for j in range(i, len(tokens)) if tokens[j].type == "table_close")
        cells = [one for one in tokens[i:end] if one.type in ("th_open", "td_open")]
        heads = [one for one in cells if one.type == "th_open"]
        numbers = next((j for j, head in enumerate(heads, 1) if head.attrGet("style") == "text-align:right"), None)
        if numbers is not None:
            token.attrSet("class", f"from-{numbers}")
        for cell in cells:
            cell.attrs.pop("style", None)


def head_rows(tokens: list[Token]) -> None:
    """Make every row's first cell its head, and say of every head what it is the head of."""
    first = False
    for token in tokens:
        if token.type == "th_open":
            token.attrSet("scope", "col")
        elif token.type == "tr_open":
            first = True
        elif token.type == "td_open" and first:
            token.tag = "th"
            token.attrSet("scope", "row")
        elif token.type == "td_close" and first:
            token.tag, first = "th", False


def boxed_tables(tokens: list[Token]) -> list[Token]:
    """Put every table into a box that scrolls where the table is wider than the page, and name both.

    A table is called after its section and after its first column or, where it is folded, its summary; tables that
    would still be called the same are numbered.
    """
    found: list[Token] = []
    heading = summary = ""
    called: Counter[str] = Counter()
    for i, token in enumerate(tokens):
        if token.type == "heading_open":
            heading, summary = plain(tokens[i + 1]), ""
        elif token.type == "html_block":
            said = _SUMMARY.search(token.content)
            summary = said[1] if said else "" if "</details>" in token.content else summary
        if token.type != "table_open":
            found.append(token)
            if token.type == "table_close":
                found.append(Token("html_block", "", 0, content="</div>\n"))
            continue
        head = next(j for j in range(i, len(tokens)) if tokens[j].type == "th_open")
        name = ": ".join(part for part in (heading, Markup(summary).unescape() or plain(tokens[head + 1])) if part)
        called[name] += 1
        name = name if called[name] == 1 else f"{name} ({called[name]})"
        anchor = f"table-{called.total()}"
        box = Markup('<div class="scroll" tabindex="0" role="group" aria-labelledby="{}">\n').format(anchor)
        caption = Markup('<caption id="{}"><span class="unseen">{}</span></caption>\n').format(anchor, name)
        found += [Token("html_block", "", 0, content=box), token, Token("html_block", "", 0, content=caption)]
    return found


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
