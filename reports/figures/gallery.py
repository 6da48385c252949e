"""All figures of a report, and why others are not in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lipbench.reports.figures.adversarial import draw_adversarial
from lipbench.reports.figures.costs import draw_costs
from lipbench.reports.figures.durations import draw_durations
from lipbench.reports.figures.figure import MissingFigure, ReportFigure
from lipbench.reports.figures.frames import draw_strip
from lipbench.reports.figures.lengths import draw_lengths, draw_other_lengths
from lipbench.reports.figures.lip_opening import draw_openings
from lipbench.reports.figures.pareto import draw_pareto, pair_quality_latency
from lipbench.reports.figures.positions import draw_positions
from lipbench.reports.figures.style import PlotStyle, plot_styles
from lipbench.reports.figures.training import draw_training
from lipbench.reports.formatting import join_words
from lipbench.reports.inputs.strips import Strip
from lipbench.reports.inputs.training_logs import TrainingLogs
from lipbench.reports.tables.latency import LatencyTable
from lipbench.reports.tables.make import Tables
from lipbench.reports.tables.quality import QualityTable


class PlacedFigure(NamedTuple):
    """A figure, or its absence, with what it is of."""

    of: tuple[str, ...]
    """Parts of a name for files: unique for a figure's name within a report."""
    place: str
    """The condition, for people."""
    what: ReportFigure | MissingFigure


def report_styles(tables: Tables, order: Sequence[str]) -> dict[str, PlotStyle]:
    """The look of every row of a report's quality and latency tables, by its label: one in all figures and curves.

    Args:
        tables: of the report.
        order: registry names of all its systems.
    """
    quality = [(row.name, row.label) for table in tables.quality for row in table.rows]
    latency = [(row.name, row.label) for table in tables.latency for row in table.rows]
    return plot_styles(quality + latency, order)


def draw_figures(
    tables: Tables,
    choice: TableChoice,
    strips: Sequence[Strip],
    trainings: TrainingLogs,
    style: Mapping[str, PlotStyle],
) -> Iterator[PlacedFigure]:
    """Draw one figure after another, figure 5 apart, which stands beside its table.

    Args:
        tables: of one run.
        choice: which of them to draw figures of.
        strips: sample frames of the quality tables among these.
        trainings: of the run.
        style: see `report_styles`.
    """
    for number, strip in enumerate(strips, start=1):
        yield PlacedFigure((str(number),), strip.table.place, draw_strip(strip))
    for i in sorted(choice.quality):
        table = tables.quality[i]
        of = (str(i + 1), table.corpus.name, table.durations, table.protocol.name)
        for what in _quality_figures(table, [strip for strip in strips if strip.table is table], tables, style):
            yield PlacedFigure(of, table.place, what)
    for i in sorted(choice.latency):
        latency_table = tables.latency[i]
        costs_drawing, absent = draw_costs(latency_table, style)
        for what in ([costs_drawing] if costs_drawing is not None else []) + absent:
            yield PlacedFigure(
                (str(i + 1), latency_table.device, latency_table.dtype, f"batch{latency_table.batch}"),
                latency_condition(latency_table),
                what,
            )
    if trainings.logs or trainings.unread:  # where nothing was trained nothing is missing
        yield PlacedFigure((), "this run", draw_training(trainings))


def _quality_figures(
    table: QualityTable, strips: Sequence[Strip], tables: Tables, style: Mapping[str, PlotStyle]
) -> Iterator[ReportFigure | MissingFigure]:
    yield draw_adversarial(strips, table)
    for draw in (draw_lengths, draw_other_lengths, draw_positions, draw_openings, draw_durations):
        yield draw(table, style)
    for latency_table in _latency_table_by_device(table, tables.latency):
        yield draw_pareto(table, latency_table, style)
    if not tables.latency:
        yield MissingFigure(title="Quality against latency", reason="nothing was timed")


def _latency_table_by_device(table: QualityTable, latency: Sequence[LatencyTable]) -> list[LatencyTable]:
    """For each kind of device the latency table that most of the models are in, single clips before batches."""

    def worth(latency_table: LatencyTable) -> tuple[int, int]:
        return len(pair_quality_latency(table, latency_table)[0]), -latency_table.batch

    return [
        max((latency_table for latency_table in latency if latency_table.device == device), key=worth)
        for device in dict.fromkeys(latency_table.device for latency_table in latency)
    ]


def missing_figure_sentences(figures: Sequence[PlacedFigure]) -> list[str]:
    """One sentence per reason why figures are not there, with all that it is true of, as plain text."""
    places_by_reason: dict[tuple[str, str], list[str]] = {}
    for placed_figure in figures:
        if isinstance(placed_figure.what, MissingFigure):
            places_by_reason.setdefault((placed_figure.what.title, placed_figure.what.reason), []).append(
                placed_figure.place
            )
    return [
        f"{title} ({join_words(dict.fromkeys(places))}): {reason}"
        for (title, reason), places in places_by_reason.items()
    ]


PREFERRED_PROTOCOL = "paper"
"""Protocol whose figures are drawn where clips were scored under several."""
MOST_TABLES = 6
"""Tables of a kind (quality, latency) that figures are drawn of: more would only cost time."""


@dataclass(frozen=True)
class TableChoice:
    """The tables that figures are drawn of, by their places in the report, from 0."""

    quality: frozenset[int]
    latency: frozenset[int]
    quality_notes: list[str] = field(default_factory=list)
    """Which quality tables have no figures and no frames, and why: one sentence or two per reason, plain text."""
    latency_notes: list[str] = field(default_factory=list)
    """The same of latency tables."""
    latency_rule: str = ""
    """Why a latency table that is not among them has no figure, to be said beneath it."""

    @property
    def notes(self) -> list[str]:
        """What is to be said beside the figures."""
        return [*self.quality_notes, *self.latency_notes]


def choose_tables(
    quality: Sequence[QualityTable], latency: Sequence[LatencyTable], *, max_tables: int = MOST_TABLES
) -> TableChoice:
    """Choose the tables that figures are drawn of.

    Of clips that were scored under several protocols those under `PREFERRED_PROTOCOL`; of what remains, the first
    `max_tables` quality tables in the report's order, and the first `max_tables` latency tables, small batches before
    large ones.

    Args:
        quality: of one report, in its order.
        latency: the same.
        max_tables: of each kind, at least 1.
    """
    rivals = {i: table for i, table in enumerate(quality) if any(_stands_for(other, table) for other in quality)}
    table_indices = [i for i in range(len(quality)) if i not in rivals]
    # sorting is stable: batches of one size keep the report's order
    tables_by_batch = sorted(range(len(latency)), key=lambda i: latency[i].batch)
    return TableChoice(
        quality=frozenset(table_indices[:max_tables]),
        latency=frozenset(tables_by_batch[:max_tables]),
        quality_notes=[
            *_protocol_notes(list(rivals.values())),
            *_limit_notes(
                "quality tables, the first in the report's order",
                table_indices,
                max_tables,
                [quality[i].place for i in table_indices[max_tables:]],
            ),
        ],
        latency_notes=_limit_notes(
            "latency tables, small batches first",
            tables_by_batch,
            max_tables,
            [latency_condition(latency[i]) for i in tables_by_batch[max_tables:]],
        ),
        latency_rule=f"a report draws those of {max_tables} latency tables, small batches first",
    )


def latency_condition(table: LatencyTable) -> str:
    """Name of a latency table's condition as plain text, such as "CPU, float32, batch 1, preset small"."""
    parts = [table.device.upper(), table.dtype, f"batch {table.batch}"]
    return ", ".join([*parts, f"preset {table.preset}"] if table.preset else parts)


def _stands_for(table: QualityTable, other_table: QualityTable) -> bool:
    """Whether a table of the preferred protocol has the same clips as one of another protocol."""
    return table.protocol.name == PREFERRED_PROTOCOL != other_table.protocol.name and (
        table.corpus.name,
        table.corpus.fingerprint,
        table.corpus.split,
        table.durations,
        table.frame_size,
    ) == (
        other_table.corpus.name,
        other_table.corpus.fingerprint,
        other_table.corpus.split,
        other_table.durations,
        other_table.frame_size,
    )


def _protocol_notes(passed: Sequence[QualityTable]) -> list[str]:
    if not passed:
        return []
    places: dict[str, list[str]] = {}
    for table in passed:
        places.setdefault(table.protocol.name, []).append(table.title)
    not_under = "; ".join(f"{name} ({join_words(dict.fromkeys(of))})" for name, of in places.items())
    return [
        f"Clips were scored under several protocols. Frames and figures of quality are those of the protocol "
        f"{PREFERRED_PROTOCOL} alone, none of: {not_under}. What was scored under these stands in their tables."
    ]


def _limit_notes(noun: str, candidates: Sequence[int], max_tables: int, passed: Sequence[str]) -> list[str]:
    if not passed:
        return []
    return [
        f"Figures are drawn of {max_tables} of {len(candidates)} {noun}; none of: "
        f"{'; '.join(dict.fromkeys(passed))}. Their "
        "numbers stand in their tables, all of them in the CSV files."
    ]
