"""Progress of long jobs: a bar with rate and time left on a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

log = logging.getLogger(__name__)

LINE_EVERY_S = 10.0


class ProgressBar(NamedTuple):
    """Callbacks that report the progress of a job."""

    on_progress: Callable[[int], None]
    """So many more items are finished."""
    set_total: Callable[[int], None]
    """So many there are in all, where that was not known at the start."""


def on_terminal() -> bool:
    """Whether standard error is a terminal."""
    return sys.stderr.isatty()


@contextmanager
def show_progress(title: str, total: int | None) -> Iterator[ProgressBar]:
    """Show progress while something runs.

    Args:
        title: what runs.
        total: items in all; None: not known yet.

    Yields:
        Two functions for the job to call.
    """
    if not on_terminal():
        lines = _LogProgress(title, total)
        yield ProgressBar(lines.advance, lines.set_total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total)
        yield ProgressBar(
            on_progress=lambda finished: progress.advance(task, finished),
            set_total=lambda items: progress.update(task, total=items),
        )


class _RateColumn(ProgressColumn):
    """Items per second."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f}/s")


class _LogProgress:
    """Progress where there is no terminal."""

    def __init__(self, title: str, total: int | None) -> None:
        self.title = title
        self.total = total
        self.done = 0
        self.began = self.said = time.perf_counter()

    def set_total(self, items: int) -> None:
        self.total = items

    def advance(self, n_items: int) -> None:
        self.done += n_items
        now = time.perf_counter()
        if now - self.said < LINE_EVERY_S:
            return
        self.said = now
        rate = self.done / (now - self.began)
        remaining = "" if self.total is None else f" of {self.total}, {(self.total - self.done) / rate:.0f} s left"
        log.info("%s: %d%s, %.1f/s", self.title, self.done, remaining, rate)
