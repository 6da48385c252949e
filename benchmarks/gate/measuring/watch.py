"""How the machine is while blocks are measured by other processes."""

from __future__ import annotations

import hashlib
import resource
import statistics
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import psutil

from lipbench.benchmarks.gate.measuring.turn_server import TurnServer
from lipbench.benchmarks.gate.pairs import Conditions
from lipbench.benchmarks.timing.telemetry import cpu_mhz

POLL_S = 0.5
"""Time between two looks at the clock."""
PULSES = 20
PULSE_BYTES = 2**21


def wait_and_watch(
    processes: Mapping[str, subprocess.Popen[str]], turn_server: TurnServer, device: str
) -> tuple[dict[str, str], Conditions]:
    """Wait for the processes of one block, or of a pair of blocks that take turns, to end.

    Args:
        processes: by side, just started.
        turn_server: grants them turns.
        device: "cpu" or "cuda", which clock to read.

    Returns:
        The output of each, and how the machine was meanwhile.
    """
    before, began, own_seconds = _busy_s(), time.perf_counter(), _children_s()
    first = pulse_s()
    clocks: list[float] = []
    with ThreadPoolExecutor(len(processes) + 1) as pool:
        outputs = {side: pool.submit(process.communicate) for side, process in processes.items()}
        try:
            turn_future = pool.submit(turn_server.watch, lambda side: side in outputs and not outputs[side].done())
            running: set[Future[Any]] = {*outputs.values(), turn_future}
            while running := wait(running, timeout=POLL_S).not_done:
                clock = _clock_mhz(device)
                clocks += [clock] if clock else []
            turn_future.result()
        finally:
            # the pool waits for its threads, and they for the processes
            for process in processes.values():
                process.kill()
    seconds = time.perf_counter() - began
    foreign = (_busy_s() - before - (_children_s() - own_seconds)) / seconds
    conditions = Conditions(
        foreign_cores=max(0.0, foreign),
        pulse_s=min(first, pulse_s()),
        clock_mhz=statistics.fmean(clocks) if clocks else None,
    )
    return {side: output.result()[0] for side, output in outputs.items()}, conditions


def pulse_s() -> float:
    """Seconds that a fixed calculation takes at best: what one core can do just now.

    The best of several, because a calculation that was interrupted says nothing about the core.
    """
    data = bytes(PULSE_BYTES)
    best = float("inf")
    for _ in range(PULSES):
        start = time.perf_counter()
        hashlib.sha256(data).digest()
        best = min(best, time.perf_counter() - start)
    return best


def _busy_s() -> float:
    """Seconds for which cores were busy or taken away by a host, all of them together, since the machine started."""
    times = psutil.cpu_times()
    return times.user + times.system + getattr(times, "nice", 0.0) + getattr(times, "steal", 0.0)


def _children_s() -> float:
    """The same of this process and its children that have ended."""
    usages = [resource.getrusage(target) for target in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _clock_mhz(device: str) -> float | None:
    if device != "cuda":
        return cpu_mhz()
    import pynvml

    try:
        pynvml.nvmlInit()
        try:
            return float(pynvml.nvmlDeviceGetClockInfo(pynvml.nvmlDeviceGetHandleByIndex(0), pynvml.NVML_CLOCK_SM))
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return None
