"""Peak memory of one call, in a pass of its own: watching memory slows what it watches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.record import Memory
from benchmarks.timing.telemetry import Gpu

STATUS = Path("/proc/self/status")


def peak(call: Callable[[], object], device: torch.device, *, gpu: Gpu | None = None) -> Memory:
    """Run a call once and say how much memory that took.

    The resident size is this process' largest so far, so on a CPU it says something only in a fresh process.

    Args:
        call: what to run.
        device: where it computes.
        gpu: the device as NVML sees it.
    """
    if device.type != "cuda":
        call()
        return Memory(resident_bytes=peak_resident())
    torch.cuda.synchronize(device)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    call()
    torch.cuda.synchronize(device)
    return Memory(
        allocated_bytes=torch.cuda.max_memory_allocated(device),
        reserved_bytes=torch.cuda.max_memory_reserved(device),
        device_bytes=None if gpu is None else gpu.used_bytes(),
        resident_bytes=peak_resident(),
    )


def peak_resident(status: Path = STATUS) -> int | None:
    """Largest resident size of this process so far, in bytes; None where the system does not say.

    Not by ``getrusage``, whose largest size a process inherits from the one that started it.

    Args:
        status: Linux' file about the process.
    """
    try:
        lines = status.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith("VmHWM:")]
    return int(found[0][1]) * 1024 if found else None
