"""Latency over clip length, for every model: `pytest benchmarks/bench_latency.py --benchmark-json=latency.json`.

pytest-benchmark gets the timing room's own samples through a clock that only they advance, so its table, its JSON and
our records agree. A cell that fails is a failed record and a failed test, and the others go on.
"""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from lipbench.benchmarks.cells.plan import LatencyTask, latency_cell
from lipbench.benchmarks.cells.runner import run_cell
from lipbench.benchmarks.sweep import Sweep
from lipbench.benchmarks.timing import LiveClock
from lipbench.records.latency import Latency, LatencySample

CLOCK = LiveClock()


def reported_seconds(sample: LatencySample) -> float:
    """What pytest-benchmark's own statistics are made of: device time on a GPU, wall time on a CPU."""
    return sample.wall_s if sample.device_s is None else sample.device_s


@pytest.mark.benchmark(timer=CLOCK, warmup=False)
def bench_latency(benchmark: BenchmarkFixture, sweep: Sweep, latency_task: LatencyTask) -> None:
    """Time one model at one length."""

    def measure() -> Latency:
        prepared_cell = sweep.prepare_latency(latency_task)
        samples: list[LatencySample] = []

        def one_round() -> None:
            samples.append(prepared_cell.take_sample())
            CLOCK.advance(reported_seconds(samples[-1]))

        benchmark.group = f"{latency_task.frames} frames"
        benchmark.pedantic(one_round, rounds=prepared_cell.rounds, iterations=1)
        return sweep.finish(prepared_cell, latency_task, samples)

    record = run_cell(
        latency_cell(sweep.request, latency_task, sweep.device.type),
        sweep.request.out,
        measure,
        request=sweep.request_fields,
    )
    benchmark.extra_info["status"] = record.status
    if isinstance(record.result, Latency):
        benchmark.extra_info |= {
            "model": latency_task.model,
            "frames": latency_task.frames,
            "variant": latency_task.variant,
            "device": record.result.device,
            "first_call_s": record.result.first_call_s,
            "settled": record.result.settled,
            "unstable": record.result.unstable,
            "load_s": record.result.load_s,
            "wall_s": [sample.wall_s for sample in record.result.samples],
        }
    if record.status == "not_attempted" and record.failure is not None:
        pytest.skip(record.failure.message)
    if record.failure is not None:
        pytest.fail(f"{record.failure.type}: {record.failure.message}", pytrace=False)
