"""The fastest that a machine can go, measured, and what follows for the least time of a call."""

from __future__ import annotations

import statistics
from functools import cache

import torch
import torch.nn.functional as F

from lipbench.benchmarks.timing.clock import Stopwatch
from lipbench.records.latency import Ceilings, Costs, Floor

MATRIX = {"cpu": 1536, "cuda": 8192}
"""Side of the square matrices that are multiplied."""
CHANNELS, KERNEL = 128, 5
"""Of the convolution that is timed beside the product: in and out, and its side, as in the models."""
PICTURE = {"cpu": (4, 40, 80), "cuda": (64, 80, 160)}
"""Batch, height and width of what it convolves."""
COPY_BYTES = {"cpu": 1 << 27, "cuda": 1 << 30}
"""Size of what is copied: well beyond all caches."""
ROUNDS = 7


@cache
def ceilings(device: torch.device, dtype: torch.dtype, threads: int) -> Ceilings:
    """Measure a device's ceilings, once per process; a second or two on a CPU.

    Libraries differ: torch's product may be half as fast as its convolution on the same cores (MKL and oneDNN on AMD).
    The faster of the two is the ceiling.

    Args:
        device: what to measure.
        dtype: number type of the matrices.
        threads: that torch uses now (it is part of what was measured).
    """
    side, size = MATRIX[device.type], COPY_BYTES[device.type]
    factor_a, factor_b = (torch.ones(side, side, device=device, dtype=dtype) for _ in range(2))
    product = torch.empty(side, side, device=device, dtype=dtype)
    batch, height, width = PICTURE[device.type]
    picture = torch.rand(batch, CHANNELS, height, width, device=device, dtype=dtype).to(
        memory_format=torch.channels_last
    )
    kernel = torch.rand(CHANNELS, CHANNELS, KERNEL, KERNEL, device=device, dtype=dtype).to(
        memory_format=torch.channels_last
    )
    convolution_operations = 2 * batch * height * width * (CHANNELS * KERNEL) ** 2
    source = torch.ones(size, device=device, dtype=torch.uint8)
    target = torch.empty_like(source)
    watch = Stopwatch(device)

    def seconds(call: object) -> float:
        assert callable(call)
        call()
        samples = [watch.time(call) for _ in range(ROUNDS)]
        # the best one: a ceiling is what the machine can do, and whatever disturbs it only adds time
        return min(sample.wall_s if sample.device_s is None else sample.device_s for sample in samples)

    return Ceilings(
        operations_per_s=max(
            2 * side**3 / seconds(lambda: torch.mm(factor_a, factor_b, out=product)),
            convolution_operations / seconds(lambda: F.conv2d(picture, kernel, padding=KERNEL // 2)),
        ),
        bytes_per_s=2 * size / seconds(lambda: target.copy_(source)),
    )


def floor(costs: Costs, limits: Ceilings, *, frames: int, frame_size: tuple[int, int], dtype: torch.dtype) -> Floor:
    """The least time of a call.

    Args:
        costs: of the call.
        limits: of the machine.
        frames: that the call makes, of all clips together.
        frame_size: (H, W).
        dtype: number type of weights and frames.
    """
    height, width = frame_size
    moved_bytes = (costs.parameters + frames * 3 * height * width) * dtype.itemsize
    return Floor(
        ceilings=limits,
        arithmetic_s=costs.operations / limits.operations_per_s,
        memory_s=moved_bytes / limits.bytes_per_s,
    )


def over_floor(walls: list[float], least: Floor) -> float:
    """How many times the floor the median call took."""
    return statistics.median(walls) / least.seconds
