"""All figures of a report, and why others are not in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from reports.figures.adversarial import draw_adversarial
from reports.figures.choice import Choice, timing_place
from reports.figures.costs import draw_costs
from reports.figures.drawn import Absent, Drawn
from reports.figures.durations import draw_durations
from reports.figures.frames import draw_strip
from reports.figures.lengths import draw_lengths, draw_other_lengths
from reports.figures.openings import draw_openings
from reports.figures.pareto import draw_pareto, pair
from reports.figures.positions import draw_positions
from reports.figures.style import Look, looks
from reports.figures.training import draw_training
from reports.formatting import joined
from reports.latency_table import LatencyTable
from reports.paper import Paper
from reports.quality_table import QualityTable
from reports.strips import Strip
from reports.tables import Tables
from reports.training_logs import TrainingLogs


class Placed(NamedTuple):
    """A figure, or its absence, with what it is of."""

    of: tuple[str, ...]
    """Parts of a name for files: unique for a figure's name within a report."""
    place: str
    """The condition, for people."""
    what: Drawn | Absent


def report_looks(tables: Tables, order: Sequence[str]) -> dict[str, Look]:
    """The look of every row of a report's quality and latency tables, by its label: one in all figures and curves.

    Args:
        tables: of the report.
        order: registry names of all its systems.
    """
    quality = [(row.name, row.label) for table in tables.quality for row in table.rows]
    latency = [(row.name, row.label) for table in tables.latency for row in table.rows]
    return looks(quality + latency, order)


def draw_figures(
    tables: Tables,
    choice: Choice,
    strips: Sequence[Strip],
    trainings: TrainingLogs,
    style: Mapping[str, Look],
    paper: Paper,
) -> Iterator[Placed]:
    """Draw one figure after another, figure 5 apart, which stands beside its table.

    Args:
        tables: of one run.
        choice: which of them to draw figures of.
        strips: sample frames of the quality tables among these.
        trainings: of the run.
        style: see `report_looks`.
        paper: what stands beside ours.
    """
    for number, strip in enumerate(strips, start=1):
        yield Placed((str(number),), strip.table.place, draw_strip(strip, paper))
    for i in sorted(choice.quality):
        table = tables.quality[i]
        of = (str(i + 1), table.corpus.name, table.durations, table.protocol.name)
        for what in _of_quality(table, [strip for strip in strips if strip.table is table], tables, style, paper):
            yield Placed(of, table.place, what)
    for i in sorted(choice.latency):
        timed = tables.latency[i]
        drawn, absent = draw_costs(timed, style)
        for what in ([drawn] if drawn is not None else []) + absent:
            yield Placed((str(i + 1), timed.device, timed.dtype, f"batch{timed.batch}"), timing_place(timed), what)
    if trainings.logs or trainings.unread:  # where nothing was trained nothing is missing
        yield Placed((), "this run", draw_training(trainings))


def _of_quality(
    table: QualityTable, strips: Sequence[Strip], tables: Tables, style: Mapping[str, Look], paper: Paper
) -> Iterator[Drawn | Absent]:
    yield draw_adversarial(strips, table, paper)
    for draw in (draw_lengths, draw_other_lengths, draw_positions, draw_openings, draw_durations):
        yield draw(table, style, paper)
    for timed in _timed(table, tables.latency):
        yield draw_pareto(table, timed, style, paper)
    if not tables.latency:
        yield Absent(title="Quality against latency", reason="nothing was timed")


def _timed(table: QualityTable, latency: Sequence[LatencyTable]) -> list[LatencyTable]:
    """For each kind of device the latency table that most of the models are in, single clips before batches."""

    def worth(timed: LatencyTable) -> tuple[int, int]:
        return len(pair(table, timed)[0]), -timed.batch

    return [
        max((timed for timed in latency if timed.device == device), key=worth)
        for device in dict.fromkeys(timed.device for timed in latency)
    ]


def absences(placed: Sequence[Placed]) -> list[str]:
    """One sentence per reason why figures are not there, with all that it is true of, as plain text."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in placed:
        if isinstance(one.what, Absent):
            found.setdefault((one.what.title, one.what.reason), []).append(one.place)
    return [f"{title} ({joined(dict.fromkeys(places))}): {reason}" for (title, reason), places in found.items()]
