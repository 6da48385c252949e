"""Files that are there whole or not at all, even after a kill or a power cut."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from lipbench.errors import UserError


def save_whole(text: str, target: Path, called: str) -> Path:
    """Write a file of a run, whole or not at all; its folder is made.

    Args:
        text: its content.
        target: where.
        called: what it is, for messages.

    Returns:
        The file written.

    Raises:
        UserError: it cannot be written; an older file of the name is still there.
    """
    temporary = target.with_suffix(f".{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise UserError(
            f"{called} {target} cannot be written: {error.strerror or error}",
            remedy="Give another out=, or make room there, and run it again",
        ) from error
    finally:
        # gone already if all went well; nothing is left of a write that did not
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return target


_LEFTOVER = re.compile(r"\..+\.(\d+)\.tmp")


def write_whole(path: Path, content: bytes) -> None:
    """Write or replace a file, under another name first; its folder is made.

    Raises:
        OSError: the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            # a rename may reach the disk before the content does
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def is_leftover(path: Path) -> bool:
    """Whether a path is named as `write_whole` names what it has not finished."""
    return _LEFTOVER.fullmatch(path.name) is not None


def remove_leftovers(folder: Path) -> None:
    """Delete what killed processes left half-written below a folder; what a living one is writing stays.

    Raises:
        OSError: the folder cannot be changed.
    """
    for path in folder.rglob(".*.tmp"):
        match = _LEFTOVER.fullmatch(path.name)
        if match is not None and not _lives(int(match[1])):
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
