"""What a cell may be asked for beside its samples: memory, energy and floors, each in a pass of its own."""

from __future__ import annotations

import torch

from benchmarks.cells import EAGER, Timed
from benchmarks.config import Bench
from benchmarks.fresh import in_fresh_process
from benchmarks.latency.cell import Prepared
from benchmarks.record import Latency, Memory
from benchmarks.timing import energy, floors, memory
from benchmarks.timing.telemetry import Gpu


def added(result: Latency, prepared: Prepared, request: Bench, timed: Timed) -> Latency:
    """Measure what the request asks for beside the samples.

    Args:
        result: of the timed calls.
        prepared: the cell.
        request: what is asked for.
        timed: which cell it is.
    """
    device = prepared.watch.device
    gpu = Gpu.of(device)
    update: dict[str, object] = {}
    if request.memory and device.type == "cuda":
        update["memory"] = memory.peak(prepared.call, device, gpu=gpu)
    elif request.memory:
        # only a process that has done nothing else has a largest size that is this cell's
        update["memory"] = in_fresh_process(_resident, request, timed)
    if request.energy:
        update["energy"] = energy.energy(prepared.call, lambda: _wait(device), gpu)
    if request.floors and result.costs is not None and result.system.frame_size is not None:
        dtype = getattr(torch, result.dtype)
        update["floor"] = floors.floor(
            result.costs,
            floors.ceilings(device, dtype, torch.get_num_threads()),
            frames=result.frames * result.batch,
            frame_size=result.system.frame_size,
            dtype=dtype,
        )
    return result.model_copy(update=update)


def _resident(request: Bench, timed: Timed) -> Memory:
    """Load a model, let it make one clip, and say how large this process became."""
    from benchmarks.latency.variants import run_as
    from benchmarks.sweep import Sweep

    sweep = Sweep(request, progress=False)
    running = run_as(timed.variant or EAGER, sweep.subject(timed.model), sweep.request_of(timed))
    return memory.peak(running.call, sweep.device)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
