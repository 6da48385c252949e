"""Progress on the terminal: a bar with rate and time left; nothing where there is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class _Rate(ProgressColumn):
    """Items per second."""

    def render(self, task: Task) -> Text:
        """Draw the rate."""
        return Text("" if task.speed is None else f"{task.speed:.1f}/s")


def on_terminal() -> bool:
    """Whether standard error is a terminal."""
    return sys.stderr.isatty()


class Bar(NamedTuple):
    """How a running job tells its bar where it is."""

    advance: Callable[[int], None]
    """So many more items are finished."""
    set_total: Callable[[int], None]
    """So many there are in all, where that was not known at the start."""


@contextmanager
def bar(title: str, total: int | None) -> Iterator[Bar]:
    """Show a progress bar while something runs.

    Args:
        title: what runs.
        total: items in all; None: not known yet.

    Yields:
        Two functions for the job to call.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not on_terminal()) as progress:
        task = progress.add_task(title, total=total)
        yield Bar(
            advance=lambda finished: progress.advance(task, finished),
            set_total=lambda items: progress.update(task, total=items),
        )
