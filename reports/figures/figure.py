"""What a report is given of a figure, or of its absence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from lipbench.reports.formatting import count
from lipbench.reports.paper import load_paper
from lipbench.reports.tables.latency import LatencyTable
from lipbench.reports.tables.quality import QualityRow, QualityTable


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportFigure:
    """A figure with its words, which are plain text."""

    name: str
    """Stem of its files, unique among the figures of one table."""
    title: str
    caption: str
    """What it is of (protocol, n) and what to look for."""
    alt: str
    """What it shows, for those who do not see it."""
    figure: Figure


@dataclass(frozen=True, kw_only=True)
class MissingFigure:
    """Why there is no figure, in plain text."""

    title: str
    reason: str


def quality_condition(table: QualityTable) -> str:
    """What a quality figure is of, such as "GRID, predicted durations, protocol paper (0a1b2c3d4e5f)"."""
    corpus = load_paper().corpora.get(table.corpus.name, table.corpus.name)
    protocol = f"protocol {table.protocol.name} ({table.protocol.fingerprint[:12]})"
    return f"{corpus}, {table.corpus.split} split, {table.durations} durations, {protocol}"


def latency_condition_text(table: LatencyTable) -> str:
    """What a latency figure is of, such as "AMD EPYC 7B13, 2 threads, CPU, float32, batch 1, preset small"."""
    parts = [table.hardware, table.device.upper(), table.dtype, f"batch {table.batch}"]
    return ", ".join([*parts, f"preset {table.preset}"] if table.preset else parts)


def sample_size_text(rows: Sequence[QualityRow], table: QualityTable) -> str:
    """How many clips stand behind each row, such as "n = 40 clips of 3 speakers"."""
    counts = sorted({row.clips for row in rows})
    n = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    clips = f"n = {n} clip{'' if counts[-1] == 1 else 's'}"
    return f"{clips} of {count(table.speakers, 'speaker')}" if table.speakers else clips


def drawable_rows(
    table: QualityTable, *, controls: frozenset[str] = frozenset({"first_frame", "mean_frame"})
) -> list[QualityRow]:
    """The models that were measured, then those controls that show what a mouth scores that never moves."""
    return [*table.models, *(row for row in table.controls if row.name in controls)]


def rows_beside_paper(rows: Sequence[QualityRow]) -> tuple[list[QualityRow], list[str]]:
    """Which of our rows each of the paper's rows is drawn with.

    The one that was trained with its losses, or whose losses are not recorded; of several the first of the
    table.

    Args:
        rows: with a row of the paper's beside them.

    Returns:
        A row of ours per row of the paper's, and a sentence wherever the choice is in doubt.
    """
    drawn_rows: list[QualityRow] = []
    caveats: list[str] = []
    groups: dict[tuple[str, str | None], list[QualityRow]] = {}
    for row in rows:
        groups.setdefault((row.name, row.entry.variant if row.entry is not None else None), []).append(row)
    for candidate_rows in groups.values():
        fitting = [row for row in candidate_rows if row.papers_losses is not False] or candidate_rows
        first = fitting[0]
        drawn_rows.append(first)
        if first.papers_losses is False:
            caveats.append(f"The paper's was trained with other losses than {first.label}, beside which it stands.")
        if len(fitting) > 1:
            caveats.append(
                f"Of {len(fitting)} rows that the paper's value may stand beside, it does beside {first.label}."
            )
    return drawn_rows, caveats
