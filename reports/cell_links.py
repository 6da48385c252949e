"""Links from the numbers of a page's tables to the records that they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from markdown_it.token import Token

from reports.outline import plain
from reports.sources import Sources, TableSources, record_anchor

_LENGTH = re.compile(r"(\d+) frames$")
_EMPTY = ("", "–")


class _Row(NamedTuple):
    """One row: the inline tokens of its cells."""

    cells: list[Token]

    @property
    def label(self) -> str:
        return plain(self.cells[0])


class _Table(NamedTuple):
    header: list[str]
    rows: list[_Row]


def link_cells(tokens: list[Token], sources: Sources) -> None:
    """Link the numbers in tables.

    A table belongs to the CSV file that is named in its section. A row that begins with a known label leads to the
    record of its cell or, where a number comes from several records, to those of its system.

    Args:
        tokens: of a page; they are changed.
        sources: where numbers come from.
    """
    for tables, files in _sections(tokens):
        own = next((sources.tables[file] for file in files if file in sources.tables), TableSources())
        for table in tables:
            for row in table.rows:
                _link_row(row, table.header, own, sources)


def _link_row(row: _Row, header: list[str], own: TableSources, sources: Sources) -> None:
    system = sources.systems.get(row.label)
    if system is None:
        return
    whole, lengths = own.rows.get(row.label), own.lengths.get(row.label, {})
    # a table of every length has one column that says which
    stated = plain(row.cells[header.index("Frames")]) if "Frames" in header else ""
    for name, cell in zip(header[1:], row.cells[1:], strict=False):
        if plain(cell) in _EMPTY:
            continue
        match = _LENGTH.match(name)
        length = int(match[1]) if match else int(stated) if stated.isdecimal() else None
        key = whole or (None if length is None else lengths.get(length))
        _wrap(cell, f"#{record_anchor(key) if key else system}")


def _wrap(cell: Token, href: str) -> None:
    """Make the first line of a cell a link; of tens of thousands none says what its place tells."""
    children = cell.children or []
    end = next((i for i, c in enumerate(children) if c.type == "html_inline" and c.content.startswith("<br")), None)
    end = len(children) if end is None else end
    if any(child.type == "link_open" for child in children[:end]):
        return
    opening = Token("link_open", "a", 1, attrs={"href": href})
    cell.children = [opening, *children[:end], Token("link_close", "a", -1), *children[end:]]


def _sections(tokens: list[Token]) -> Iterator[tuple[list[_Table], list[str]]]:
    """Tables between two headings, and the files that the text between the same two refers to."""
    tables: list[_Table] = []
    files: list[str] = []
    for i, token in enumerate(tokens):
        if token.type == "heading_open":
            yield tables, files
            tables, files = [], []
        elif token.type == "table_open":
            tables.append(_table(tokens, i))
        elif token.type == "inline":
            links = (str(child.attrGet("href")) for child in token.children or [] if child.type == "link_open")
            files += [link for link in links if link.startswith("tables/")]
    yield tables, files


def _table(tokens: list[Token], start: int) -> _Table:
    header: list[str] = []
    rows: list[_Row] = []
    for i in range(start, len(tokens)):
        kind = tokens[i].type
        if kind == "table_close":
            break
        if kind == "th_open":
            header.append(plain(tokens[i + 1]))
        elif kind == "tr_open" and header:
            rows.append(_Row([]))
        elif kind == "td_open":
            rows[-1].cells.append(tokens[i + 1])
    return _Table(header, rows)
