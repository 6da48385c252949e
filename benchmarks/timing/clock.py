"""The clock around a model's call.

The timed region holds the call and the wait for the device, nothing else. Garbage collection is off inside it.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from lipbench.records.latency import LatencySample

Call = Callable[[], object]


class Stopwatch:
    """Times single calls on one device.

    Args:
        device: where the call computes.
        synchronised: whether a sample ends when the device has finished; if not, it ends when the call returns, which
            is how the paper took its times (``utils.Timer`` of the public ParaLip code waits for nothing).
    """

    def __init__(self, device: torch.device, *, synchronised: bool = True) -> None:
        self.device = device
        self.synchronised = synchronised

    def time(self, call: Call) -> LatencySample:
        """Run a call once and say how long it took, the device's work included."""
        collecting = gc.isenabled()
        gc.disable()
        try:
            return self._cuda(call) if self.device.type == "cuda" and self.synchronised else self._cpu(call)
        finally:
            if collecting:
                gc.enable()

    def _cpu(self, call: Call) -> LatencySample:
        start = time.perf_counter()
        call()
        return LatencySample(wall_s=time.perf_counter() - start)

    def _cuda(self, call: Call) -> LatencySample:
        before, after = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize(self.device)
        start = time.perf_counter()
        before.record()
        call()
        after.record()
        torch.cuda.synchronize(self.device)
        wall = time.perf_counter() - start
        return LatencySample(wall_s=wall, device_s=before.elapsed_time(after) / 1000)


class LiveClock:
    """A clock that moves only by `advance`: it hands the timing room's own samples to pytest-benchmark.

    pytest-benchmark reads its timer before and after a round; the round advances this clock by what the stopwatch said.
    So both front doors report the same measurement, and there is no second timing loop.
    """

    __name__ = "lipbench.stopwatch"  # pytest-benchmark writes the timer's name into its JSON

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        """Seconds so far."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds


class WarmUp(NamedTuple):
    """The result of a warm-up."""

    first_s: float
    """Wall time of the very first call."""
    samples: list[LatencySample]
    """All calls after it, until they were flat."""
    settled: bool
    """False if the limit came first."""


class Budget(NamedTuple):
    """Limits on the time and the number of samples."""

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
        if _is_settled([sample.wall_s for sample in samples]):
            return WarmUp(first, samples, settled=True)
        if time.perf_counter() - began > budget.warmup_s and len(samples) >= 2:
            return WarmUp(first, samples, settled=False)


def rounds(warm_up_result: WarmUp, budget: Budget) -> int:
    """How many samples fit the budget, judged by the newest warm-up samples."""
    typical = statistics.median(sample.wall_s for sample in warm_up_result.samples[-3:])
    return max(budget.least, min(budget.most, round(budget.seconds / max(typical, 1e-9))))


def _is_settled(seconds: list[float], window: int = 3, tolerance: float = 0.05) -> bool:
    if len(seconds) < 2 * window:
        return False
    newest = statistics.median(seconds[-window:])
    before = statistics.median(seconds[-2 * window : -window])
    return abs(newest - before) <= tolerance * before
