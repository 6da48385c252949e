"""The files of a report: each written whole or not at all, and what an earlier report left removed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lipbench.files import write_atomic

FILE_LIST = "lipbench-report.json"
"""File in a report's folder that lists what lipbench wrote there, so that it deletes nothing else."""


@dataclass(frozen=True)
class SummaryTarget:
    """Where a short form of a report goes, such as a CI job's step summary, and how large that may be."""

    file: Path
    """It is added to; what is there counts."""
    limit: int
    """Most bytes."""


def append_summary(summary: SummaryTarget, render: Callable[[int], str]) -> None:
    """Add a report to a summary.

    Args:
        summary: where to.
        render: gives the report within a number of bytes.

    Raises:
        OSError: the file cannot be read or written.
    """
    before = summary.file.read_bytes() if summary.file.is_file() else b""
    write_atomic(summary.file, before + render(max(0, summary.limit - len(before))).encode(), durable=False)


class ReportFiles:
    """Writes a report's files, each whole or not at all, and keeps the list of them in the report's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = _listed_files(folder)
        self.written: list[str] = []
        """Names relative to the report, with forward slashes."""

    def write(self, name: str, content: bytes) -> str:
        """Write one file and give back its name relative to the report."""
        write_atomic(self._folder / name, content, durable=False)
        self.written.append(name)
        return name

    def remove_stale(self) -> None:
        """Delete what an earlier report wrote and this one did not; nothing that somebody else put there."""
        for name in sorted(self._before - set(self.written)):
            path = self._folder / name
            # the list is a file that anybody can edit: it may only name files within the folder
            if path.is_file() and path.resolve().is_relative_to(self._folder.resolve()):
                path.unlink()
        self._before = set()

    def write_list(self) -> None:
        """Keep the list, with what is still there from before."""
        names = sorted(self._before | set(self.written))
        if names:
            content = json.dumps({"written by lipbench": names}, indent=1).encode()
            write_atomic(self._folder / FILE_LIST, content, durable=False)


def _listed_files(folder: Path) -> set[str]:
    """What an earlier report wrote into a folder, according to its list; empty without a list that can be read."""
    try:
        names = json.loads((folder / FILE_LIST).read_text(encoding="utf-8"))["written by lipbench"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def slug(*parts: str) -> str:
    """A file name that needs no quoting anywhere, and fits any file system; a leading number keeps it unique."""
    return "-".join(re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_")[:40] for part in parts if part)
