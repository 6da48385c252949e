"""All figures of a report, and why others are not in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lipbench.reports.figures.adversarial import draw_adversarial
from lipbench.reports.figures.costs import draw_costs
from lipbench.reports.figures.durations import draw_durations
from lipbench.reports.figures.figure import Absent, Drawn
from lipbench.reports.figures.frames import draw_strip
from lipbench.reports.figures.lengths import draw_lengths, draw_other_lengths
from lipbench.reports.figures.lip_opening import draw_openings
from lipbench.reports.figures.pareto import draw_pareto, pair
from lipbench.reports.figures.positions import draw_positions
from lipbench.reports.figures.style import Look, looks
from lipbench.reports.figures.training import draw_training
from lipbench.reports.formatting import joined
from lipbench.reports.inputs.strips import Strip
from lipbench.reports.inputs.training_logs import TrainingLogs
from lipbench.reports.tables.latency import LatencyTable
from lipbench.reports.tables.make import Tables
from lipbench.reports.tables.quality import QualityTable


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
) -> Iterator[Placed]:
    """Draw one figure after another, figure 5 apart, which stands beside its table.

    Args:
        tables: of one run.
        choice: which of them to draw figures of.
        strips: sample frames of the quality tables among these.
        trainings: of the run.
        style: see `report_looks`.
    """
    for number, strip in enumerate(strips, start=1):
        yield Placed((str(number),), strip.table.place, draw_strip(strip))
    for i in sorted(choice.quality):
        table = tables.quality[i]
        of = (str(i + 1), table.corpus.name, table.durations, table.protocol.name)
        for what in _of_quality(table, [strip for strip in strips if strip.table is table], tables, style):
            yield Placed(of, table.place, what)
    for i in sorted(choice.latency):
        timed = tables.latency[i]
        drawn, absent = draw_costs(timed, style)
        for what in ([drawn] if drawn is not None else []) + absent:
            yield Placed((str(i + 1), timed.device, timed.dtype, f"batch{timed.batch}"), timing_place(timed), what)
    if trainings.logs or trainings.unread:  # where nothing was trained nothing is missing
        yield Placed((), "this run", draw_training(trainings))


def _of_quality(
    table: QualityTable, strips: Sequence[Strip], tables: Tables, style: Mapping[str, Look]
) -> Iterator[Drawn | Absent]:
    yield draw_adversarial(strips, table)
    for draw in (draw_lengths, draw_other_lengths, draw_positions, draw_openings, draw_durations):
        yield draw(table, style)
    for timed in _timed(table, tables.latency):
        yield draw_pareto(table, timed, style)
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


PREFERRED = "paper"
"""Protocol whose figures are drawn where clips were scored under several."""
MOST_TABLES = 6
"""Tables of a kind (quality, latency) that figures are drawn of: more are looked at by nobody, and each takes time."""


@dataclass(frozen=True)
class Choice:
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
    quality: Sequence[QualityTable], latency: Sequence[LatencyTable], *, most: int = MOST_TABLES
) -> Choice:
    """Choose the tables that figures are drawn of.

    Of clips that were scored under several protocols those under `PREFERRED`; of what remains, the first `most` quality
    tables in the report's order, and the first `most` latency tables, small batches before large ones.

    Args:
        quality: of one report, in its order.
        latency: the same.
        most: of each kind, at least 1.
    """
    rivals = {i: table for i, table in enumerate(quality) if any(_stands_for(other, table) for other in quality)}
    own = [i for i in range(len(quality)) if i not in rivals]
    # sorting is stable: batches of one size keep the report's order
    timed = sorted(range(len(latency)), key=lambda i: latency[i].batch)
    return Choice(
        quality=frozenset(own[:most]),
        latency=frozenset(timed[:most]),
        quality_notes=[
            *_of_protocols(list(rivals.values())),
            *_of_most(
                "quality tables, the first in the report's order",
                own,
                most,
                [quality[i].place for i in own[most:]],
            ),
        ],
        latency_notes=_of_most(
            "latency tables, small batches first", timed, most, [timing_place(latency[i]) for i in timed[most:]]
        ),
        latency_rule=f"a report draws those of {most} latency tables, small batches first",
    )


def timing_place(table: LatencyTable) -> str:
    """Name of a latency table's condition as plain text, such as "CPU, float32, batch 1, preset small"."""
    parts = [table.device.upper(), table.dtype, f"batch {table.batch}"]
    return ", ".join([*parts, f"preset {table.preset}"] if table.preset else parts)


def _stands_for(table: QualityTable, other: QualityTable) -> bool:
    """Whether a table of the preferred protocol has the same clips as one of another protocol."""
    return table.protocol.name == PREFERRED != other.protocol.name and (
        table.corpus.name,
        table.corpus.fingerprint,
        table.corpus.split,
        table.durations,
        table.frame_size,
    ) == (other.corpus.name, other.corpus.fingerprint, other.corpus.split, other.durations, other.frame_size)


def _of_protocols(passed: Sequence[QualityTable]) -> list[str]:
    if not passed:
        return []
    places: dict[str, list[str]] = {}
    for table in passed:
        places.setdefault(table.protocol.name, []).append(table.title)
    not_under = "; ".join(f"{name} ({joined(dict.fromkeys(of))})" for name, of in places.items())
    return [
        f"Clips were scored under several protocols. Frames and figures of quality are those of the protocol "
        f"{PREFERRED} alone, none of: {not_under}. What was scored under these stands in their tables."
    ]


def _of_most(what: str, every: Sequence[int], most: int, passed: Sequence[str]) -> list[str]:
    if not passed:
        return []
    return [
        f"Figures are drawn of {most} of {len(every)} {what}; none of: {'; '.join(dict.fromkeys(passed))}. Their "
        "numbers stand in their tables, all of them in the CSV files."
    ]
