"""Latency and its slope over length, from paired blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lipbench.benchmarks.gate.deciding.drift import Drift
from lipbench.benchmarks.gate.deciding.estimate import ALPHA, MIN_PAIRS, Estimate, chance_spread, estimate
from lipbench.benchmarks.gate.deciding.manifest import MatchedCell
from lipbench.benchmarks.gate.pairs import log_ratio, typical_seconds
from lipbench.benchmarks.gate.verdict import CheckKind, Finding, Margins, Verdict, cell_label
from lipbench.records.latency import Latency
from lipbench.records.record import Cell
from lipbench.statistics.intervals import holm

MIN_LENGTHS = 3
"""Fewest lengths for a slope: through two, every pair of points is a line."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that may have become slower, in every pair."""

    check: CheckKind
    place: str
    cell: Cell
    values: tuple[float, ...]
    """Of a cell, the logarithm of head's time over base's, call by call: without a change, chance takes it up as far as
    down, which it does not take the ratio. Of a slope, what head's adds at the longest length, as a share of base's
    time there."""

    def estimate(self, margin: float, seed: int) -> Estimate | None:
        """The change as a share, 0.05 for 5 % slower, tested against a margin that is one too."""
        if self.check == "scaling":
            return estimate(self.values, margin=margin, seed=seed)
        log_estimate = estimate(self.values, margin=math.log1p(margin), seed=seed)
        if log_estimate is None:
            return None
        value, low, high = map(math.expm1, (log_estimate.value, log_estimate.low, log_estimate.high))
        return replace(log_estimate, value=value, low=low, high=high)

    def by_chance(self, pairs: int, seed: int) -> float:
        """The size of this change that chance alone produces in that many pairs of one revision."""
        log_spread = chance_spread(self.values, pairs=pairs, seed=seed)
        return log_spread if self.check == "scaling" else math.expm1(log_spread)


def latency_changes(cells: Sequence[MatchedCell]) -> list[Change]:
    """All changes of latency: of every cell, and of the slope of every system that was timed at enough lengths."""
    latency_cells = [comparable for comparable in cells if isinstance(comparable.matched[0][0].result, Latency)]
    cell_changes = [
        Change(
            check="latency",
            place=cell_label(comparable.cell),
            cell=comparable.cell,
            values=tuple(log_ratio(base, head) for base, head in comparable.matched),
        )
        for comparable in latency_cells
    ]
    return cell_changes + [change for group in _by_length(latency_cells) if (change := _slope(group))]


def _by_length(latency_cells: Sequence[MatchedCell]) -> Iterator[list[MatchedCell]]:
    """Cells that differ in their length alone, the shortest first."""
    groups: dict[str, list[MatchedCell]] = {}
    for comparable in latency_cells:
        groups.setdefault(comparable.cell.model_copy(update={"frames": None}).model_dump_json(), []).append(comparable)
    for group in groups.values():
        yield sorted(group, key=lambda comparable: comparable.cell.frames or 0)


def _slope(group: Sequence[MatchedCell]) -> Change | None:
    """Head's additional time at the longest length, as a share of base's time there.

    The ratio of two slopes says nothing where a slope is near 0, as that of a parallel model on a GPU is.
    """
    # cells that were flagged have more pairs than others
    common = sorted(set.intersection(*(set(comparable.places) for comparable in group)))
    if len(group) < MIN_LENGTHS or not common:
        return None
    lengths = np.array([comparable.cell.frames for comparable in group], dtype=np.float64)
    of_pair = [dict(zip(comparable.places, comparable.matched, strict=True)) for comparable in group]
    # of one typical time: a base that was slow by chance in one pair would make that pair's change small
    typical = np.array(
        [np.median([typical_seconds(records_by_place[place][0]) for place in common]) for records_by_place in of_pair]
    )
    log_ratios = np.array([[log_ratio(*records_by_place[place]) for place in common] for records_by_place in of_pair])
    # (lengths, pairs): seconds that head adds, compared call by call as the cells are
    added_seconds = typical[:, None] * np.expm1(log_ratios)
    values = np.polyfit(lengths, added_seconds, 1)[0] * lengths[-1] / typical[-1]
    longest = group[-1].cell
    return Change(check="scaling", place=slope_label(longest), cell=longest, values=tuple(values.tolist()))


def missing_slopes(expected: Sequence[Cell], measured_changes: Sequence[Change]) -> tuple[list[Finding], list[str]]:
    """Slopes that are not known.

    Args:
        expected: the cells that the config asks for; three lengths of a system ask for its slope.
        measured_changes: from `latency_changes`.

    Returns:
        A finding for each expected slope that is missing, and a note on systems without any slope.
    """
    known_places = {change.place for change in measured_changes if change.check == "scaling"}
    lengths: dict[str, list[Cell]] = {}
    for cell in expected:
        if cell.kind == "latency":
            lengths.setdefault(slope_label(cell), []).append(cell)
    findings = [
        Finding(
            check="scaling",
            place=place,
            verdict=Verdict.NOT_MEASURED,
            reason=f"fewer than {MIN_LENGTHS} of its lengths can be compared in the same pairs",
            cell=max(cells, key=lambda cell: cell.frames or 0),
        )
        for place, cells in lengths.items()
        if len(cells) >= MIN_LENGTHS and place not in known_places
    ]
    few = [place for place, cells in lengths.items() if len(cells) < MIN_LENGTHS]
    return findings, [
        f"scaling is not measured, {MIN_LENGTHS} lengths are needed (frames=…): {', '.join(few)}"
    ] if few else []


def slope_label(cell: Cell) -> str:
    """What the slope over a cell's lengths is called."""
    return f"slope of {cell_label(cell.model_copy(update={'frames': None}))}"


def judge(
    measured_changes: Sequence[Change],
    gate_margins: Margins,
    drifts: Sequence[Drift],
    *,
    times_problem: str | None = None,
) -> list[Finding]:
    """Decide about changes of latency, all of them one family.

    Args:
        measured_changes: from `latency_changes`.
        gate_margins: margins.
        drifts: what the machine did meanwhile.
        times_problem: why these times may not be compared, whatever they are; None: they may.
    """
    margins = [gate_margins.margin_of(change.place) for change in measured_changes]
    estimates = [
        change.estimate(margin, gate_margins.seed) for change, margin in zip(measured_changes, margins, strict=True)
    ]
    corrected_p = iter(holm([change_estimate.p for change_estimate in estimates if change_estimate]))
    findings: list[Finding] = []
    for change, margin, change_estimate in zip(measured_changes, margins, estimates, strict=True):
        if times_problem is not None:
            verdict, reason = Verdict.NOT_MEASURED, times_problem
        elif change_estimate is None:
            verdict, reason = (
                Verdict.AMBIGUOUS,
                f"{len(change.values)} pairs cannot tell a change from noise: {MIN_PAIRS} are needed",
            )
        else:
            verdict, reason = _weigh(change_estimate, next(corrected_p), margin, gate_margins)
            verdict, reason = _with_drifts(verdict, reason, drifts)
        findings.append(
            Finding(
                check=change.check,
                place=change.place,
                verdict=verdict,
                reason=reason,
                change=_format_estimate(change_estimate),
                allowed=f"{margin:+.1%}",
                cell=change.cell,
            )
        )
    return findings


def _weigh(change_estimate: Estimate, p_holm: float, margin: float, margins: Margins) -> tuple[Verdict, str]:
    if change_estimate.low > margin and p_holm < ALPHA:
        return Verdict.FAIL, f"slower by more than the margin of {margin:.1%}"
    if change_estimate.high < -margins.implausible:
        return Verdict.AMBIGUOUS, f"faster by more than {margins.implausible:.0%}: is all of the work still done?"
    if change_estimate.value > margin:
        return Verdict.AMBIGUOUS, "looks slower than the margin, but chance may explain it"
    if change_estimate.high > max(margins.blind, margin):
        return Verdict.AMBIGUOUS, f"too noisy to rule out a slowdown of {max(margins.blind, margin):.0%}"
    return Verdict.PASS, "no slower than the margin"


def _with_drifts(verdict: Verdict, reason: str, drifts: Sequence[Drift]) -> tuple[Verdict, str]:
    """A drift of the machine between base and head may cause or hide a slowdown."""
    excuses = [
        drift.reason
        for drift in drifts
        if (verdict is Verdict.FAIL and drift.slows_head) or (verdict is Verdict.PASS and not drift.slows_head)
    ]
    return (Verdict.AMBIGUOUS, f"{reason}, but {' and '.join(excuses)}") if excuses else (verdict, reason)


def _format_estimate(change_estimate: Estimate | None) -> str:
    if change_estimate is None or not math.isfinite(change_estimate.value):
        return ""
    change = change_estimate
    return f"{change.value:+.1%} [{change.low:+.1%}, {change.high:+.1%}] over {change.pairs} pairs"
