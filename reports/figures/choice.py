"""Which tables figures are drawn of, and what a report says of the others: nothing is left out unsaid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reports.formatting import joined
from reports.latency_table import LatencyTable
from reports.quality_table import QualityTable

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
