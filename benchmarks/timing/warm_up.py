"""Warming up one shape, and how long to measure it for.

Warm-up is per shape and ends when the samples are flat; how long it then measures follows from the warmed samples,
never from the first call.
"""

from __future__ import annotations

import statistics
import time
from typing import NamedTuple

from benchmarks.record import LatencySample
from benchmarks.timing.clock import Call, Stopwatch


class WarmUp(NamedTuple):
    """What happened before the measuring."""

    first_s: float
    """Wall time of the very first call."""
    samples: list[LatencySample]
    """All calls after it, until they were flat."""
    settled: bool
    """False if the limit came first."""


class Budget(NamedTuple):
    """How long to go on."""

    seconds: float = 2.0
    """Time to measure for."""
    least: int = 7
    """Samples to take however long they last."""
    most: int = 100
    """Samples never to exceed."""
    warmup_s: float = 5.0
    """Longest warm-up."""


def warm_up(call: Call, watch: Stopwatch, budget: Budget) -> WarmUp:
    """Call until two successive windows of three have medians within 5 % of each other.

    Args:
        call: what will be measured, at the shape that will be measured.
        watch: the clock.
        budget: its `warmup_s` ends a warm-up that does not settle.
    """
    began = time.perf_counter()
    first = watch.time(call).wall_s
    samples: list[LatencySample] = []
    while True:
        samples.append(watch.time(call))
        if _flat([sample.wall_s for sample in samples]):
            return WarmUp(first, samples, settled=True)
        if time.perf_counter() - began > budget.warmup_s and len(samples) >= 2:
            return WarmUp(first, samples, settled=False)


def rounds(warmed: WarmUp, budget: Budget) -> int:
    """How many samples fit the budget, judged by the newest warm-up samples."""
    typical = statistics.median(sample.wall_s for sample in warmed.samples[-3:])
    return max(budget.least, min(budget.most, round(budget.seconds / max(typical, 1e-9))))


def _flat(seconds: list[float], window: int = 3, tolerance: float = 0.05) -> bool:
    if len(seconds) < 2 * window:
        return False
    newest = statistics.median(seconds[-window:])
    before = statistics.median(seconds[-2 * window : -window])
    return abs(newest - before) <= tolerance * before
