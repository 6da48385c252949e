"""Trends over stored runs: since when a cell is slower or faster. Advice only: no verdict rests on a stored run.

Machines differ by more than revisions do, so a series holds runs of like machines only. Change points are those of
PELT (Killick, Fearnhead and Eckley, JASA 107, 2012; the package `ruptures`) on the logarithm of times, with the noise
taken from the differences of neighbours; one counts if it is larger than the margin and a rank test agrees.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import stats

from lipbench.benchmarks.gate.deciding.manifest import MACHINE
from lipbench.benchmarks.gate.pairs import typical_seconds
from lipbench.benchmarks.gate.verdict import cell_label
from lipbench.records.latency import Latency
from lipbench.records.record import Cell, Record
from lipbench.records.system import Machine, Software

MIN_RUNS = 10
"""Fewest runs of a series: of five and four, even the clearest shift has a chance of more than `ALPHA`."""
MIN_STAY = 3
"""Runs for which times must have stayed where they went: one slow run is no trend."""
PENALTY = 4.0
"""Of one more change point, in logarithms of the number of runs and squares of the noise."""
ALPHA = 0.01
"""Of the rank test between the runs before a change and those after it."""
MIN_NOISE_DIVISOR = 6
"""Noise is taken to be no less than the margin over this: runs that agree exactly have none to measure."""


@dataclass(frozen=True, kw_only=True)
class LatencySeries:
    """One cell on like machines, the oldest run first."""

    cell: Cell
    machine: Machine
    """Of the first run; the others' are alike in what times depend on."""
    created: tuple[str, ...]
    seconds: tuple[float, ...]
    """Typical time of one call, run by run."""
    software: tuple[Software, ...]


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A place in a series where times changed and stayed so."""

    at: int
    """The first run after it, from 0."""
    before_s: float
    """Median of the runs since the shift before it."""
    after_s: float

    @property
    def change(self) -> float:
        """As a share: 0.05 for 5 % slower."""
        return self.after_s / self.before_s - 1


def series(records: Iterable[Record]) -> list[LatencySeries]:
    """Sort the latency records of many runs into series; failed cells and other kinds are left out."""
    groups: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        if isinstance(record.result, Latency):
            machine_key = tuple(getattr(record.machine, field) for field in MACHINE)
            groups.setdefault((record.cell.model_dump_json(), record.result.tokens, *machine_key), []).append(record)
    series_list: list[LatencySeries] = []
    for group in groups.values():
        sorted_records = sorted(group, key=lambda record: datetime.fromisoformat(record.created))
        series_list.append(
            LatencySeries(
                cell=sorted_records[0].cell,
                machine=sorted_records[0].machine,
                created=tuple(record.created for record in sorted_records),
                seconds=tuple(map(typical_seconds, sorted_records)),
                software=tuple(record.software for record in sorted_records),
            )
        )
    return sorted(
        series_list, key=lambda item: (item.cell.system, item.cell.variant or "", item.cell.frames or 0, item.created)
    )


def shifts(seconds: Sequence[float], *, margin: float) -> list[Shift]:
    """Find where a series of times changed by more than a margin, and stayed so.

    Args:
        seconds: one per run, the oldest first.
        margin: smallest change of interest, as a share.

    Returns:
        The oldest first; none of fewer than `MIN_RUNS`.
    """
    if len(seconds) < MIN_RUNS:
        return []
    logs = np.log(np.asarray(seconds, dtype=np.float64))
    edges = [0, *_change_points(logs, margin), len(logs)]
    parts = [logs[start:end] for start, end in pairwise(edges)]
    shift_list: list[Shift] = []
    for index, (before, after) in zip(edges[1:], pairwise(parts), strict=False):
        size = float(np.median(after) - np.median(before))
        mann_whitney: Any = stats.mannwhitneyu(before, after)
        if abs(math.expm1(size)) > margin and mann_whitney.pvalue < ALPHA:
            shift_list.append(Shift(at=index, before_s=math.exp(np.median(before)), after_s=math.exp(np.median(after))))
    return shift_list


def _change_points(logs: np.ndarray[Any, np.dtype[np.float64]], margin: float) -> list[int]:
    import ruptures

    # half the differences' variance is the runs' own, and a few shifts do not move the median
    differences = np.diff(logs)
    scale: Any = "normal"  # scipy's annotations know numbers only
    spread = float(stats.median_abs_deviation(differences, scale=scale)) / math.sqrt(2)
    noise = max(spread, math.log1p(margin) / MIN_NOISE_DIVISOR)
    breakpoints = ruptures.Pelt(model="l2", min_size=MIN_STAY, jump=1).fit_predict(
        (logs / noise)[:, None], pen=PENALTY * math.log(len(logs))
    )
    return [int(place) for place in breakpoints[:-1]]


def lines(series_list: Sequence[LatencySeries], *, margin: float) -> list[str]:
    """Trends as markdown: every shift, the newest first, and what could not be judged."""
    rows = [(item, shift) for item in series_list for shift in shifts(item.seconds, margin=margin)]
    rows.sort(key=lambda row: datetime.fromisoformat(row[0].created[row[1].at]), reverse=True)
    machines = len(
        {(item.machine.cpu, item.machine.gpu, item.machine.cores, item.machine.threads) for item in series_list}
    )
    text = [
        f"trends: {len(rows)} changes of more than {margin:.0%} in {len(series_list)} series on {machines} kinds of "
        "machine; "
        "advice only"
    ]
    if rows:
        text += ["", "| where | machine | runs | change | time | since |", "|---|---|---|---|---|---|"]
        text += [_row(item, shift) for item, shift in rows]
    short = [item for item in series_list if len(item.seconds) < MIN_RUNS]
    if short:
        runs = statistics.median_high(len(item.seconds) for item in short)
        text += ["", f"{len(short)} series are too short to be judged: {runs} runs or so, {MIN_RUNS} are needed"]
    return text


def _row(history: LatencySeries, shift: Shift) -> str:
    machine = f"{history.machine.gpu or history.machine.cpu}, {history.machine.threads} threads"
    return (
        f"| {cell_label(history.cell)} | {machine} | {len(history.seconds)} | {shift.change:+.1%} | "
        f"{shift.before_s * 1000:.4g} to {shift.after_s * 1000:.4g} ms | {_since(history, shift.at)} |"
    )


def _since(history: LatencySeries, index: int) -> str:
    """The date and the revisions of a change, and other differences in software."""
    before, after = history.software[index - 1], history.software[index]
    parts = [history.created[index][:16].replace("T", " "), f"{_revision(before)} to {_revision(after)}"]
    parts += [f"Python {before.python} to {after.python}"] if before.python != after.python else []
    parts += [
        f"{name} {before.packages.get(name)} to {after.packages.get(name)}"
        for name in sorted(before.packages.keys() | after.packages.keys())
        if before.packages.get(name) != after.packages.get(name)
    ]
    return ", ".join(parts)


def _revision(software: Software) -> str:
    return (software.commit or "unknown")[:12] + (" with changes" if software.dirty else "")
