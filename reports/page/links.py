"""Which record every number of a page comes from, and what the page tells of each."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from lipbench.records.record import Record
from lipbench.reports.markdown.cells import Row, TableCell
from lipbench.reports.tables.labels import SystemNames

MAX_DETAILED = 300
"""Records whose facts are in the page; of more, the others are linked only."""
_OMITTED_FIELDS = {
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
class SystemRecords:
    """All records of one system."""

    anchor: str
    title: str
    sources: list[Source]


def record_anchor(key: str) -> str:
    """Where a record stands in a page: short, as every number names it, and the same in every report."""
    return "r" + hashlib.blake2b(key.encode(), digest_size=6).hexdigest()


def system_anchor(name: str) -> str:
    """Where the records of a system stand in a page."""
    return "records-of-" + re.sub(r"[^A-Za-z0-9._-]", "_", name)


def target(cell: TableCell, row: Row) -> str | None:
    """Where a cell leads: to its record, its row's or, of a number from several records, those of its system."""
    key = cell.record or row.record
    if cell.empty or not (key or row.system):
        return None
    return f"#{record_anchor(key) if key else system_anchor(row.system or '')}"


def gather_records(records: Sequence[Record], names: SystemNames, *, root: Path, page: Path) -> list[SystemRecords]:
    """What a page tells of every record, system by system.

    Args:
        records: of the run.
        names: see `lipbench.reports.tables.labels.collect_names`.
        root: the run's folder, with ``records/`` or the records themselves in it.
        page: the page's folder.
    """
    groups: dict[str, list[Source]] = {name: [] for name in names.order}
    hrefs = _hrefs(root, page)
    for i, record in enumerate(records):
        groups[record.cell.system].append(_source(record, hrefs, detailed=i < MAX_DETAILED))
    return [
        SystemRecords(anchor=system_anchor(name), title=names.titles[name], sources=found)
        for name, found in groups.items()
        if found
    ]


def _source(record: Record, hrefs: Mapping[str, str], *, detailed: bool) -> Source:
    key, facts = record.cell.key, None
    if detailed:
        record_fields = record.model_dump(mode="json", exclude=_OMITTED_FIELDS, exclude_none=True)
        facts = json.dumps(record_fields, indent=1, ensure_ascii=False)
    return Source(
        key=key,
        status=record.status,
        created=record.created,
        href=hrefs.get(key),
        facts=facts,
    )


def _hrefs(root: Path, page: Path) -> dict[str, str]:
    """Key of each record's file to it as a relative link; none of those that no path leads to from the page."""
    href_by_key: dict[str, str] = {}
    for folder in (root, root / "records"):
        try:
            relative_folder = Path(os.path.relpath(folder.resolve(), page.resolve())).as_posix()
        except ValueError:
            continue  # on another drive
        href_by_key |= {file.stem: quote(f"{relative_folder}/{file.name}") for file in folder.glob("*.json")}
    return href_by_key
