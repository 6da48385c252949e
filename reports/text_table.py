"""Tables as markdown: their cells' forms, and what every kind of table shares."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.record import Failure, MetricFacts
from reports.formatting import escaped, shortened

FAILED = "failed:"
"""How the cell of a failure begins."""

TIED = "tied with the best"
"""Beneath a value of a model that a test does not tell from the best."""


@dataclass(frozen=True)
class TextTable:
    """A table of markdown cells. A row that is shorter than the header leaves the rest empty."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def arrow(metric: MetricFacts) -> str:
    """Which way is better: up, down, or in between."""
    return {True: "↑", False: "↓", None: "↔"}[metric.higher_is_better]


def marked(value: str, *, best: bool) -> str:
    """A value as it is, or bold as the best model's."""
    return f"**{value}**" if best else value


def failed_text(failure: Failure, width: int = 300) -> str:
    """Why a cell has no value, as a table cell."""
    return f"{FAILED} {escaped(shortened(f'{failure.type}: {failure.message}', width))}"


def stacked(*lines: str | None) -> str:
    """The first line large, the others small beneath it."""
    first, *rest = [line for line in lines if line]
    return f"{first}<br><small>{'<br>'.join(rest)}</small>" if rest else first
