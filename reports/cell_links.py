"""Links from the numbers of a page's tables to the records that they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markdown_it.token import Token

from reports.comparison_text import PART
from reports.difference_table import MINUS
from reports.outline import plain
from reports.sources import Sources, TableSources, record_anchor

_LENGTH = re.compile(r"(\d+) frames( [↑↓])?$")
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


class _Section(NamedTuple):
    """What stands between two headings."""

    part: str
    """The last heading of the second level."""
    tables: list[_Table]
    files: list[str]
    """Those that its text refers to."""


def link_cells(tokens: list[Token], sources: Sources) -> None:
    """Link the numbers in tables.

    A table belongs to the CSV file that is named in its section, or is one of the paper's, which are known by their
    order. A row that begins with a known label leads to the record of its cell or, where a number comes from several
    records, to those of its system; the title of a row of differences leads to the records of both its sides.

    Args:
        tokens: of a page; they are changed.
        sources: where numbers come from.
    """
    compared = iter(sources.compared)
    for section in _sections(tokens):
        if section.part == PART:
            for table, keys in zip(section.tables, compared, strict=False):
                _link_compared(table, keys)
            continue
        own = next((sources.tables[file] for file in section.files if file in sources.tables), TableSources())
        for table in section.tables:
            for row in table.rows:
                if row.label in own.pairs:
                    _link_pair(row, own.pairs[row.label])
                else:
                    _link_row(row, table.header, own, sources)


def _link_compared(table: _Table, keys: Sequence[str | None]) -> None:
    """Link the rows that have numbers of ours; what is the paper's alone has no record."""
    shown = [row for row in table.rows if any(plain(cell) for cell in row.cells[1:])]
    for row, key in zip(shown, keys, strict=True):
        for cell in row.cells[1:]:
            if key is not None and plain(cell) not in _EMPTY:
                _wrap(cell, f"#{record_anchor(key)}")


def _link_pair(row: _Row, sides: Sequence[tuple[str, str]]) -> None:
    children: list[Token] = []
    for label, key in sides:
        children += [Token("text", "", 0, content=MINUS)] if children else []
        opening = Token("link_open", "a", 1, attrs={"href": f"#{record_anchor(key)}"})
        children += [opening, Token("text", "", 0, content=label), Token("link_close", "a", -1)]
    row.cells[0].children = children


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


def _sections(tokens: list[Token]) -> Iterator[_Section]:
    found = _Section("", [], [])
    for i, token in enumerate(tokens):
        if token.type == "heading_open":
            yield found
            found = _Section(plain(tokens[i + 1]) if token.tag == "h2" else found.part, [], [])
        elif token.type == "table_open":
            found.tables.append(_table(tokens, i))
        elif token.type == "inline":
            links = (str(child.attrGet("href")) for child in token.children or [] if child.type == "link_open")
            found.files.extend(link for link in links if link.startswith("tables/"))
    yield found


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
