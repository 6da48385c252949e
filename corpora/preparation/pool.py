"""Jobs over worker processes, where a job that kills its worker costs only itself."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from lipbench.processes import initialise_worker

J = TypeVar("J")
R = TypeVar("R")


def run_jobs(
    work: Callable[[J], R], jobs: Sequence[J], *, workers: int, start: Callable[[], None]
) -> Iterator[tuple[J, R | None]]:
    """Do every job, and yield each as it ends.

    When a worker dies (out of memory, a fault in a decoder), all jobs in flight are suspects: they are tried once more,
    one at a time, and the one that kills its worker again is given up.

    Args:
        work: a module-level function; what it raises is raised here.
        jobs: picklable.
        workers: processes; 0 to work in this process.
        start: called in each worker first.

    Yields:
        The job and its result; None for a job that was given up.
    """
    if workers == 0:
        start()
        for job in jobs:
            yield job, work(job)
        return
    waiting, suspects = deque(jobs), deque[J]()
    while waiting or suspects:
        is_serial = bool(suspects)
        running: dict[Future[R], J] = {}
        try:
            yield from _drain(work, suspects if is_serial else waiting, running, 1 if is_serial else workers, start)
        except BrokenProcessPool:
            # a worker that died with nothing in hand has taken no job with it
            if is_serial and running:
                yield running.popitem()[1], None
            else:
                suspects.extend(running.values())


def _drain(
    work: Callable[[J], R], queue: deque[J], running: dict[Future[R], J], workers: int, start: Callable[[], None]
) -> Iterator[tuple[J, R]]:
    # spawned, not forked: a fork of a process with threads (torch, FFmpeg) can hang
    context = multiprocessing.get_context("spawn")
    # a few jobs in hand keep the workers busy; more would only be more suspects
    in_hand = 1 if workers == 1 else 2 * workers
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(start,)) as pool:
        while queue or running:
            while queue and len(running) < in_hand:
                future = pool.submit(work, queue[0])
                running[future] = queue.popleft()
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                result = future.result()
                yield running.pop(future), result


def _begin(start: Callable[[], None]) -> None:
    # after a Ctrl-C, workers finish the clip in hand
    initialise_worker()
    start()
