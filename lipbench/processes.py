"""Processes of our own, for a single call or as workers that end with their parent, and the cores they may use."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import TypeVar

T = TypeVar("T")


class LostProcessError(RuntimeError):
    """The process ended without an answer: the system took its memory, or the device went away."""


def usable_cores() -> int:
    """Logical cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_in_subprocess(function: Callable[..., T], *arguments: object) -> T:
    """Call a function of a module in a new Python process, and wait for it.

    What it does to memory, clocks of libraries and devices ends with the process.

    Args:
        function: can be pickled, and so can its arguments and its result.
        arguments: what it gets.

    Raises:
        LostProcessError: the process died.
    """
    # spawned, not forked: a fork would inherit this process' memory, threads and device
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool as error:
            raise LostProcessError(
                "the process that measured ended without an answer: out of memory, or the device went away"
            ) from error


def initialise_worker() -> None:
    """Set up a worker process of a pool: it ignores Ctrl-C, which its parent answers, and ends when the parent has."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # a parent that is killed tells its workers nothing, and they would wait for jobs for ever
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
