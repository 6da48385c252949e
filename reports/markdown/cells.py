"""Tables as data: what stands in a cell, how it is marked, and which record it is from.

Markdown, the page and the console are renderings of them. Text is plain: each rendering escapes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from lipbench.records.quality import MetricFacts
from lipbench.records.record import Failure
from lipbench.reports.formatting import NO_VALUE, shorten

Better = Literal["higher", "lower", "one"]
"""Which side of a column is better; "one": what is nearest to 1."""
Mark = Literal["best", "tied", "significant", "doubtful", "failed"]
ARROWS: dict[Better, str] = {"higher": "↑", "lower": "↓", "one": "↔"}
TIED_TEXT = "tied with the best"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text that is set apart."""

    text: str
    style: Literal["", "strong", "good", "em", "code", "interval"] = ""
    record: str | None = None
    """Key of the record that it leads to."""


Text = str | Span | tuple[str | Span, ...]


def spans(text: Text) -> tuple[Span, ...]:
    """A text as its pieces."""
    parts = text if isinstance(text, tuple) else (text,)
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts)


def plain_text(text: Text) -> str:
    """A text without what sets its pieces apart."""
    return "".join(span.text for span in spans(text))


@dataclass(frozen=True, slots=True)
class TableCell:
    """One value of a table."""

    text: Text = NO_VALUE
    value: float | None = None
    """What it sorts by; a cell without one sorts by its text, one without either stays last."""
    unit: str = ""
    """Directly behind the number, such as "×"."""
    mark: Mark | None = None
    interval: str = ""
    """Beneath it, or why there is none; ours, never a record's words."""
    lines: tuple[Text, ...] = ()
    """What else stands beneath it."""
    record: str | None = None
    """Key of the record that it is from; None: the row's."""

    @property
    def empty(self) -> bool:
        """Whether there is no value."""
        return self.text in ("", NO_VALUE)

    @property
    def first_line(self) -> Text:
        """Its text with its unit."""
        return (*spans(self.text), self.unit) if self.unit else self.text

    @property
    def bold(self) -> bool:
        """Whether it stands out from its column."""
        return self.mark in ("best", "significant", "doubtful")

    @property
    def beneath(self) -> tuple[Text, ...]:
        """All lines beneath it."""
        interval = (Span(self.interval, "interval"),) if self.interval else ()
        return (*interval, *([TIED_TEXT] if self.mark == "tied" else []), *self.lines)

    @property
    def plain(self) -> tuple[str, ...]:
        """All of it as plain text, a line each."""
        return plain_text(self.first_line), *map(plain_text, self.beneath)

    @property
    def sort(self) -> str | None:
        """What a page sorts it by; "": it stays last; None: by its text."""
        if self.empty or self.mark == "failed":
            return ""
        return None if self.value is None else f"{self.value:.6g}".replace("inf", "Infinity")


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds."""

    title: str
    unit: str = ""
    """Small beneath the title."""
    better: Better | None = None
    left: bool = False
    """Names stand to the left, numbers to the right."""

    @property
    def head(self) -> str:
        """Its title with an arrow to the better side."""
        return f"{self.title}\u00a0{ARROWS[self.better]}" if self.better else self.title


@dataclass(frozen=True, slots=True)
class Row:
    """One row; the last cell of one that is shorter than the table takes the rest of it."""

    cells: tuple[TableCell, ...]
    """The first is its head."""
    record: str | None = None
    """Key of the record that its cells are from."""
    system: str | None = None
    """Registry name: a cell that is from several records leads to all of the system."""
    control: bool = False
    """Controls stand in a block of their own, under a title."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; with a summary it is folded beneath that."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    summary: str = ""

    @property
    def first_number(self) -> int | None:
        """Place of the first column of numbers, from 1; None if there is none: such a table is a list, not sorted."""
        return next((i for i, column in enumerate(self.columns, 1) if not column.left), None)


def names(*titles: str) -> tuple[Column, ...]:
    """Columns of words."""
    return tuple(Column(title, left=True) for title in titles)


def listing(titles: Sequence[str], rows: Iterable[Row | tuple[Text, ...]]) -> Table:
    """A table of words alone."""
    return Table(
        names(*titles), tuple(row if isinstance(row, Row) else Row(tuple(map(TableCell, row))) for row in rows)
    )


def metric_column(metric: MetricFacts) -> Column:
    """The column of a metric."""
    better: dict[bool | None, Better] = {True: "higher", False: "lower", None: "one"}
    return Column(metric.title, metric.unit, better[metric.higher_is_better])


def number_cell(value: float | None, form: Callable[[float], str]) -> TableCell:
    """A cell with a number, written in a form; a dash where there is none."""
    return TableCell() if value is None or math.isnan(value) else TableCell(form(value), value)


def failed_cell(failure: Failure | None, width: int = 300, record: str | None = None) -> TableCell:
    """Why there is no value."""
    reason = shorten(f"{failure.type}: {failure.message}", width) if failure else ""
    return TableCell(f"failed: {reason}" if reason else "failed", mark="failed", record=record)
