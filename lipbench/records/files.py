"""Records as files: one JSON file per cell in a run's folder, written whole or not at all, and checked when read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from lipbench.errors import UserError
from lipbench.files import save_text
from lipbench.records.record import SCHEMA_VERSION, Cell, Record
from lipbench.records.run_folder import records_folder


def record_path(cell: Cell, run: Path) -> Path:
    """The file in a run's folder that holds a cell's record, if the cell has ended."""
    return records_folder(run) / f"{cell.key}.json"


def save_record(record: Record, run: Path) -> Path:
    """Write a record into a run's folder; a reader never sees half of it.

    Args:
        record: what to keep.
        run: the run's folder; records go to ``run/records``.

    Returns:
        The file written. A record of the same cell is replaced.

    Raises:
        UserError: the folder cannot be written to; an older record of the cell is still there.
    """
    return save_text(record.model_dump_json(indent=1), record_path(record.cell, run), "the record")


def load_record(path: Path) -> Record:
    """Read one record.

    Raises:
        UserError: the file is no record, or one of another version.
    """
    try:
        content = path.read_bytes()
        with contextlib.suppress(ValidationError):
            # one pass from text to record: of ten thousand records the way below takes twice as long
            return Record.model_validate_json(content)
        data = json.loads(content.decode("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as a record: {error}", remedy="Delete it and measure again") from error
    version = data.get("version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        raise UserError(
            f"{path} is a record of version {version}, this lipbench reads version {SCHEMA_VERSION}",
            remedy="Read it with the lipbench that wrote it, or measure again",
        )
    try:
        return Record.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "extra_forbidden":
            raise UserError(
                f"{path} has a field that this lipbench does not know: '{_place(first['loc'])}'",
                remedy="Read it with the lipbench that wrote it, or measure again",
            ) from error
        raise UserError(
            f"{path} is not a valid record: {first['msg']} at '{_place(first['loc'])}'",
            remedy="Delete it and measure again",
        ) from error


def _place(parts: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in parts)


def load_records(run: Path) -> list[Record]:
    """Read all records of a run, in the order of their file names.

    Args:
        run: a run's folder (with ``records/`` in it), or a folder of records, or one record.

    Raises:
        UserError: there is no such folder, no record in it, or one that cannot be read.
    """
    return [load_record(file) for file in record_files(run)]


def record_files(run: Path) -> list[Path]:
    """The files of a run's records, at least one, in the order of their names.

    Args:
        run: a run's folder (with ``records/`` in it), or a folder of records, or one record.

    Raises:
        UserError: there is no such folder, or no record in it.
    """
    if run.is_file():
        return [run]
    folder = records_folder(run) if records_folder(run).is_dir() else run
    if not folder.is_dir():
        raise UserError(f"there is no run at {run}", remedy="Give the folder that evaluate or bench wrote (out=…)")
    files = sorted(folder.glob("*.json"))
    if not files:
        raise UserError(f"{folder} holds no records", remedy="Run lipbench evaluate or lipbench bench first")
    return files
