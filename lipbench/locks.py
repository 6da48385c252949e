"""Locks on the files that a command writes; they work across processes and machines that share the folder.

A verb that can be swept has `claims(request)`, the files and folders that are its own. Two jobs of a sweep may not
claim the same; two commands that do, one of them left behind by a kill perhaps, run one after the other.
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from lipbench.errors import UserError

log = logging.getLogger(__name__)


@contextmanager
def hold(claims: Iterable[Path]) -> Iterator[None]:
    """Hold the locks of a command's outputs.

    Wait if another process holds one. They are released when the process ends.

    Args:
        claims: files or folders, there or not; each has a hidden lock file beside it, which stays.

    Raises:
        UserError: a lock file cannot be made.
    """
    with ExitStack() as stack:
        # locks are taken in one order, which prevents a deadlock
        for claim in sorted(claims):
            file = stack.enter_context(_open_lock(claim.parent / f".{claim.name}.lock"))
            if not try_lock(file, claim):
                log.warning("%s is being written by another command; this one waits until that has ended", claim)
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def first_free(locks: Iterable[Path]) -> Iterator[Path | None]:
    """Hold the first lock file that is free; yield None if none is."""
    with ExitStack() as stack:
        for lock in locks:
            if try_lock(stack.enter_context(_open_lock(lock)), lock):
                yield lock
                return
        yield None


def try_lock(file: TextIO, claim: Path) -> bool:
    """Try to take a lock without waiting. On a file system without locks it warns and returns True."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        log.warning("%s cannot be locked (%s): let no other command write it", claim, error.strerror)
    return True


def _open_lock(lock: Path) -> TextIO:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        return lock.open("w", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{lock} cannot be made: {error.strerror}", remedy="Give another out=…") from error


LOCK = "lock"


@contextmanager
def hold_folder(out: Path) -> Iterator[int]:
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
