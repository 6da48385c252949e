"""Which record every number of a page comes from, and what the page tells of each."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from markdown_it.token import Token

from lipbench.records.record import Record
from lipbench.reports.markdown.paper_comparison import PART
from lipbench.reports.markdown.quality import MINUS, pair_title
from lipbench.reports.page.tables import plain
from lipbench.reports.tables.differences import DifferenceTable
from lipbench.reports.tables.labels import Naming
from lipbench.reports.tables.latency import LatencyTable
from lipbench.reports.tables.natural import NaturalTable
from lipbench.reports.tables.quality import QualityTable

DETAILED = 300
"""Records whose facts are in the page; of more, the others are linked only."""
_LEFT_OUT = {
    "request": True,
    "software": {"packages"},
    "result": {
        "clips",
        "curves",
        "samples",
        "warmup",
        "telemetry",
        "outputs",
        "sketch",
        "metrics",
        "corpus_scores",
        "left_out",
    },
}
"""What is long, or said elsewhere in the page: the file has it."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One record, as the page shows it."""

    key: str
    status: str
    created: str
    href: str | None
    """Its file, relative to the page; None if there is no such path."""
    facts: str | None
    """What it says, its raw values apart, as JSON; None if the page holds too many already."""

    @property
    def anchor(self) -> str:
        """Its place in the page."""
        return record_anchor(self.key)


@dataclass(frozen=True, kw_only=True)
class Group:
    """All records of one system."""

    anchor: str
    title: str
    sources: list[Source]


@dataclass(frozen=True)
class TableSources:
    """The records of one table's rows."""

    rows: Mapping[str, str] = field(default_factory=dict)
    """Label of a row to the key of the one record that all of its numbers come from."""
    lengths: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """Label of a row to its records by length in frames."""
    pairs: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    """Title of a row of differences to its two sides, each with its record."""


@dataclass(frozen=True)
class Sources:
    """Every record of a page, and where its numbers stand."""

    groups: list[Group]
    tables: Mapping[str, TableSources]
    """CSV file of a section, relative to the page, to what its rows come from."""
    compared: Sequence[Sequence[str | None]]
    """Of each table in the part on the paper's, in their order, row by row: the record of ours; None where there is
    none. The controls' own title is no row."""
    systems: Mapping[str, str]
    """Label of any row to the anchor of its system's records: for numbers that come from several."""


def record_anchor(key: str) -> str:
    """Where a record stands in a page: short, as every number names it, and the same in every report."""
    return "r" + hashlib.blake2b(key.encode(), digest_size=6).hexdigest()


def system_anchor(name: str) -> str:
    """Where the records of a system stand in a page."""
    return "records-of-" + re.sub(r"[^A-Za-z0-9._-]", "_", name)


def gather_sources(
    records: Sequence[Record],
    names: Naming,
    *,
    quality: Mapping[str, tuple[QualityTable, DifferenceTable | None]],
    latency: Mapping[str, LatencyTable],
    natural: Mapping[str, NaturalTable],
    compared: Sequence[Sequence[str | None]],
    root: Path,
    page: Path,
) -> Sources:
    """Say where every number comes from.

    Args:
        records: of the run.
        names: see `lipbench.reports.tables.labels.naming`.
        quality: CSV file, relative to the page, to its table and the differences beneath.
        latency: CSV file to its table.
        natural: the same.
        compared: see `Sources.compared`.
        root: the run's folder, with ``records/`` or the records themselves in it.
        page: the page's folder.
    """
    groups: dict[str, list[Source]] = {name: [] for name in names.order}
    hrefs = _hrefs(root, page)
    for i, record in enumerate(records):
        groups[record.cell.system].append(_source(record, hrefs, detailed=i < DETAILED))
    tables = {csv: _of_quality(table, differences) for csv, (table, differences) in quality.items()}
    tables |= {csv: TableSources(lengths={r.label: r.records for r in table.rows}) for csv, table in latency.items()}
    tables |= {csv: TableSources(rows={r.label: r.record for r in table.rows}) for csv, table in natural.items()}
    labels = {names.titles[name]: name for name in names.order}
    of_quality = [table for table, _ in quality.values()]
    labels |= {r.label: r.name for table in (*of_quality, *latency.values(), *natural.values()) for r in table.rows}
    return Sources(
        groups=[
            Group(anchor=system_anchor(name), title=names.titles[name], sources=found)
            for name, found in groups.items()
            if found
        ],
        tables=tables,
        compared=compared,
        systems={label: system_anchor(name) for label, name in labels.items()},
    )


def _of_quality(table: QualityTable, differences: DifferenceTable | None) -> TableSources:
    pairs = differences.rows if differences is not None else []
    return TableSources(
        rows={row.label: row.record for row in table.rows},
        pairs={pair_title(pair): [(side.label, side.record) for side in (pair.first, pair.second)] for pair in pairs},
    )


def _source(record: Record, hrefs: Mapping[str, str], *, detailed: bool) -> Source:
    key, facts = record.cell.key, None
    if detailed:
        said = record.model_dump(mode="json", exclude=_LEFT_OUT, exclude_none=True)
        facts = json.dumps(said, indent=1, ensure_ascii=False)
    return Source(
        key=key,
        status=record.status,
        created=record.created,
        href=hrefs.get(key),
        facts=facts,
    )


def _hrefs(root: Path, page: Path) -> dict[str, str]:
    """Key of each record's file to it as a relative link; none of those that no path leads to from the page."""
    found: dict[str, str] = {}
    for folder in (root, root / "records"):
        try:
            way = Path(os.path.relpath(folder.resolve(), page.resolve())).as_posix()
        except ValueError:
            continue  # on another drive
        found |= {file.stem: quote(f"{way}/{file.name}") for file in folder.glob("*.json")}
    return found


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
