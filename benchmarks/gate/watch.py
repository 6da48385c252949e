"""How the machine is while a block is measured by another process."""

from __future__ import annotations

import hashlib
import resource
import statistics
import subprocess
import time

import psutil

from benchmarks.gate.pairs import Conditions

EVERY_S = 0.5
"""Time between two looks at the clock."""
PULSES = 20
PULSE_BYTES = 2**21


def watched(process: subprocess.Popen[str], device: str) -> tuple[str, Conditions]:
    """Wait for a block's process to end.

    Args:
        process: just started.
        device: "cpu" or "cuda", which clock to read.

    Returns:
        Its output, and how the machine was meanwhile.
    """
    before, began, own = _busy_s(), time.perf_counter(), _children_s()
    first = pulse_s()
    clocks: list[float] = []
    while True:
        try:
            output, _ = process.communicate(timeout=EVERY_S)
            break
        except subprocess.TimeoutExpired:
            clock = _clock_mhz(device)
            clocks += [clock] if clock else []
    seconds = time.perf_counter() - began
    foreign = (_busy_s() - before - (_children_s() - own)) / seconds
    return output, Conditions(
        foreign_cores=max(0.0, foreign),
        pulse_s=min(first, pulse_s()),
        clock_mhz=statistics.fmean(clocks) if clocks else None,
    )


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
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _clock_mhz(device: str) -> float | None:
    if device != "cuda":
        frequency = psutil.cpu_freq()
        return frequency.current if frequency else None
    import pynvml

    try:
        pynvml.nvmlInit()
        try:
            return float(pynvml.nvmlDeviceGetClockInfo(pynvml.nvmlDeviceGetHandleByIndex(0), pynvml.NVML_CLOCK_SM))
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return None
