"""Running something in a process of its own: what it does to memory, clocks of libraries and devices ends with it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

T = TypeVar("T")


class LostProcessError(RuntimeError):
    """The process ended without an answer: the system took its memory, or the device went away."""


def in_fresh_process(function: Callable[..., T], *arguments: object) -> T:
    """Call a function of a module in a new Python process, and wait for it.

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
