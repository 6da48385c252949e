"""Which record every number of a page comes from, and what the page tells of each."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from benchmarks.record import Record
from reports.difference_table import DifferenceTable, pair_title
from reports.latency_table import LatencyTable
from reports.natural_table import NaturalTable
from reports.quality_table import QualityTable
from reports.systems import Naming

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
        names: see `reports.systems.naming`.
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
