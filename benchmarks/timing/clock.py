"""The clock around a model's call.

The timed region holds the call and the wait for the device, nothing else. Garbage collection is off inside it.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import torch

from benchmarks.record import LatencySample

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
    """A clock that stands still but for `advance`: it hands the timing room's own samples to pytest-benchmark.

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
