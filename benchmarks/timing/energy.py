"""Energy of calls, from the GPU's cumulative counter, in a pass of its own.

Power readings are no substitute: on some GPUs they see a quarter of the time only (arXiv 2312.02741).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.record import Energy
from benchmarks.timing.telemetry import Gpu

LEAST_S = 2.0
"""Shortest window: the counter moves in steps of some ten milliseconds."""
IDLE_S = 1.0


def energy(
    call: Callable[[], object],
    wait: Callable[[], object],
    gpu: Gpu | None,
    *,
    seconds: float = LEAST_S,
    idle_s: float = IDLE_S,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], object] = time.sleep,
) -> Energy | None:
    """Call back to back, and read the counter before and after.

    Args:
        call: what to run.
        wait: returns when the device has finished.
        gpu: whose counter.
        seconds: how long.
        idle_s: how long to watch the idle GPU before.
        clock: seconds, for tests.
        sleep: for tests.

    Returns:
        None where there is no counter, or it did not move.
    """
    if gpu is None:
        return None
    wait()
    idle_from, began = gpu.joules(), clock()
    sleep(idle_s)
    idle_to, idle = gpu.joules(), clock() - began
    before, began, calls = gpu.joules(), clock(), 0
    while calls == 0 or clock() - began < seconds:
        call()
        # without it a queue of launches would grow, and the loop would end long before the work
        wait()
        calls += 1
    after, lasted = gpu.joules(), clock() - began
    if before is None or after is None or after <= before:
        return None
    watts = None if idle_from is None or idle_to is None else (idle_to - idle_from) / idle
    return Energy(calls=calls, seconds=lasted, joules=after - before, idle_watts=watts)
