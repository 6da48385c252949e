"""Files that are there whole or not at all, even after a kill or a power cut."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from lipbench.errors import UserError

_LEFTOVER = re.compile(r"\..+\.(\d+)\.tmp")


def write_atomic(path: Path, content: bytes | Callable[[Path], object], *, durable: bool = True) -> None:
    """Write or replace a file, under another name first; its folder is made.

    A write that fails keeps the file that was there. One that is killed leaves a file that `is_leftover` knows.

    Args:
        path: the file.
        content: its bytes, or what writes them to the path that it is given.
        durable: wait until the content is on the disk, so that a power cut leaves the old file or the new one.

    Raises:
        OSError: the file cannot be written; or what `content` raises.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if isinstance(content, bytes):
            temporary.write_bytes(content)
        else:
            content(temporary)
        if durable:
            # a rename may reach the disk before the content does
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        # gone already if all went well
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def save_text(text: str, target: Path, noun: str) -> Path:
    """Write a text file of a run with `write_atomic`.

    Args:
        text: its content.
        target: where.
        noun: what it is, for messages.

    Returns:
        The file written.

    Raises:
        UserError: it cannot be written; an older file of the name is still there.
    """
    try:
        write_atomic(target, text.encode())
    except OSError as error:
        raise UserError(
            f"{noun} {target} cannot be written: {error.strerror or error}",
            remedy="Give another out=, or make room there, and run it again",
        ) from error
    return target


def is_leftover(path: Path) -> bool:
    """Whether a path is named as `write_atomic` names what it has not finished."""
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
