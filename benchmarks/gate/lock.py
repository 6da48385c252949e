"""One gate at a time in a folder: two would slow each other's blocks down, and write over each other's records."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import UserError

LOCK = "lock"


@contextmanager
def alone(out: Path) -> Iterator[int]:
    """Hold a gate's folder.

    Args:
        out: the folder; it is made.

    Yields:
        A descriptor to hand to the processes that measure: the folder is held until the last of them has ended, also
        if the gate itself was killed and left one behind.

    Raises:
        UserError: another gate holds it, or it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = (out / LOCK).open("w", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}", remedy="Give another out=…") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"another gate is at work in {out}, or a block that a killed one left behind",
                remedy="Wait until it has ended, or give another out=…",
            ) from error
        yield file.fileno()
