"""Optional measurements of a cell: memory, energy and floors, each in a pass of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch

from lipbench.benchmarks.cells.loading import ModelLoader
from lipbench.benchmarks.cells.plan import LatencyTask
from lipbench.benchmarks.latency.cell import PreparedCell, request_for
from lipbench.benchmarks.latency.variants import apply_variant
from lipbench.benchmarks.timing.floors import ceilings, floor
from lipbench.benchmarks.timing.telemetry import Gpu
from lipbench.processes import run_in_subprocess
from lipbench.records.latency import EAGER, Energy, Latency, Memory


def measure_resources(
    result: Latency,
    prepared: PreparedCell,
    loader: ModelLoader,
    timed: LatencyTask,
    *,
    memory: bool,
    energy: bool,
    floors: bool,
) -> Latency:
    """Measure what is asked for beside the samples.

    Args:
        result: of the timed calls.
        prepared: the cell.
        loader: loads the model again, in the process whose memory is measured.
        timed: which cell it is.
        memory: whether to measure the peak memory of one call.
        energy: whether to measure the energy of calls.
        floors: whether to measure the least time that the device would need.
    """
    device = prepared.watch.device
    gpu = Gpu.of(device)
    update: dict[str, object] = {}
    if memory and device.type == "cuda":
        update["memory"] = peak_memory(prepared.call, device, gpu=gpu)
    elif memory:
        # only a process that has done nothing else has a largest size that is this cell's
        update["memory"] = run_in_subprocess(_resident, loader, timed, result.batch)
    if energy:
        update["energy"] = measure_energy(prepared.call, lambda: _wait(device), gpu)
    if floors and result.costs is not None and result.system.frame_size is not None:
        dtype = getattr(torch, result.dtype)
        update["floor"] = floor(
            result.costs,
            ceilings(device, dtype, torch.get_num_threads()),
            frames=result.frames * result.batch,
            frame_size=result.system.frame_size,
            dtype=dtype,
        )
    return result.model_copy(update=update)


def _resident(loader: ModelLoader, task: LatencyTask, batch: int) -> Memory:
    """Load a model, let it make one clip, and say how large this process became."""
    subject = loader.load(task.model, loader.checkpoint(task.model))
    request = request_for(subject, task.frames, batch, device=loader.device)
    return peak_memory(apply_variant(task.variant or EAGER, subject, request).call, loader.device)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


MIN_SECONDS = 2.0
"""Shortest window: the counter moves in steps of some ten milliseconds."""
IDLE_S = 1.0


def measure_energy(
    call: Callable[[], object],
    wait: Callable[[], object],
    gpu: Gpu | None,
    *,
    seconds: float = MIN_SECONDS,
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


STATUS = Path("/proc/self/status")


def peak_memory(call: Callable[[], object], device: torch.device, *, gpu: Gpu | None = None) -> Memory:
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
    status_fields = [line.split() for line in lines if line.startswith("VmHWM:")]
    return int(status_fields[0][1]) * 1024 if status_fields else None
