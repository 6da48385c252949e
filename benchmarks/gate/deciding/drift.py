"""Whether the machine itself was slower for one side: by its clock, by foreign load, or at a fixed calculation."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from lipbench.benchmarks.gate.deciding.estimate import MIN_PAIRS, estimate
from lipbench.benchmarks.gate.pairs import BlockPair, Conditions

MAX_OFFSET = 0.01
"""Difference in speed between the sides above which times may not be compared."""
BUSY_CORES = 0.25
"""Cores taken by other processes above which a reader is told."""
FOREIGN_CORES = 0.1
"""Difference in cores taken by other processes above which they may not."""


@dataclass(frozen=True)
class Drift:
    """A difference between the sides that is not the code's."""

    reason: str
    slows_head: bool


def find_drifts(pairs: Sequence[BlockPair], *, seed: int = 0) -> list[Drift]:
    """Compare what was noted of the machine while each side was measured.

    Args:
        pairs: their conditions; pairs without are left out.
        seed: of the resampling.

    Returns:
        Every difference found: one may have slowed head down, and another base. Empty also if too few pairs were
        watched; see `unwatched_note`.
    """
    condition_pairs = _watched_pairs(pairs)
    drift_list: list[Drift] = []
    pulse = _offset([_log(head.pulse_s, base.pulse_s) for base, head in condition_pairs], MAX_OFFSET, seed)
    if pulse is not None:
        slower = "head" if pulse > 0 else "base"
        reason = f"a fixed calculation took {abs(pulse):.1%} longer beside the blocks of {slower}: the machine drifted"
        drift_list.append(Drift(reason, pulse > 0))
    clock = _offset([_log(base.clock_mhz, head.clock_mhz) for base, head in condition_pairs], MAX_OFFSET, seed)
    if clock is not None:
        slower = "head" if clock > 0 else "base"
        drift_list.append(Drift(f"the clock was {abs(clock):.1%} lower in the blocks of {slower}", clock > 0))
    load = _offset([_foreign(base, head) for base, head in condition_pairs], FOREIGN_CORES, seed)
    if load is not None:
        slower = "head" if load > 0 else "base"
        reason = f"other processes kept {abs(load):.2f} cores more busy in the blocks of {slower}"
        drift_list.append(Drift(reason, load > 0))
    return drift_list


def unwatched_note(pairs: Sequence[BlockPair]) -> str | None:
    """A note if too few pairs have readings to test for drift; else None."""
    n_watched = len(_watched_pairs(pairs))
    if n_watched >= MIN_PAIRS:
        return None
    return f"how the machine was is known of {n_watched} pairs: a drift between the sides is not ruled out"


def _watched_pairs(pairs: Sequence[BlockPair]) -> list[tuple[Conditions, Conditions]]:
    return [(p.base.conditions, p.head.conditions) for p in pairs if p.base.conditions and p.head.conditions]


def load_note(pairs: Sequence[BlockPair]) -> str | None:
    """A note if other processes used the machine throughout; None if they hardly did or no readings exist."""
    blocks = [block.conditions for pair in pairs for block in (pair.base, pair.head) if block.conditions]
    foreign = [conditions.foreign_cores for conditions in blocks if conditions.foreign_cores is not None]
    typical = statistics.median(foreign) if foreign else 0.0
    if typical <= BUSY_CORES:
        return None
    return f"other processes kept {typical:.1f} cores busy while it was measured: times scatter more than they need to"


def _offset(differences: Sequence[float | None], limit: float, seed: int) -> float | None:
    """The median difference, if it is beyond the limit and chance does not explain it."""
    finite_differences = [difference for difference in differences if difference is not None]
    median_estimate = estimate(finite_differences, margin=limit, seed=seed)
    if (
        median_estimate is None
        or abs(median_estimate.value) <= limit
        or median_estimate.low <= 0 <= median_estimate.high
    ):
        return None
    return median_estimate.value


def _log(numerator: float | None, denominator: float | None) -> float | None:
    return math.log(numerator / denominator) if numerator and denominator else None


def _foreign(base: Conditions, head: Conditions) -> float | None:
    if base.foreign_cores is None or head.foreign_cores is None:
        return None
    return head.foreign_cores - base.foreign_cores
