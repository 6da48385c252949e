"""A run's records as far as they can be read: an unreadable file is skipped and listed in the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lipbench.errors import UserError
from lipbench.records.files import load_record, record_files
from lipbench.records.record import Record


@dataclass(frozen=True)
class UnreadableRecord:
    """A file that is no record of this version."""

    name: str
    problem: str


@dataclass(frozen=True)
class RunInputs:
    """What a folder holds."""

    records: list[Record]
    """In the order of their file names; at least one."""
    unread: list[UnreadableRecord]


def read_run(run: Path) -> RunInputs:
    """Read what can be read of a run.

    Args:
        run: a run's folder (with ``records/`` in it), or a folder of records, or one record.

    Raises:
        UserError: there is no such folder, no record in it, or not one that can be read.
    """
    files = record_files(run)
    records: list[Record] = []
    unread: list[UnreadableRecord] = []
    first: UserError | None = None
    for file in files:
        try:
            records.append(load_record(file))
        except UserError as error:
            first = first or error
            unread.append(UnreadableRecord(file.name, error.problem))
    if first is None or records:
        return RunInputs(records, unread)
    if len(files) == 1:
        raise first
    raise UserError(f"none of the {len(files)} records in {files[0].parent} can be read; the first: {first.problem}",
                    remedy=first.remedy) from first  # fmt: skip
