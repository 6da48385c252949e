"""Latency over clip length, for every model: `pytest benchmarks/bench_latency.py --benchmark-json=latency.json`.

pytest-benchmark gets the timing room's own samples through a clock that only they advance, so its table, its JSON and
our records agree. A cell that fails is a failed record and a failed test, and the others go on.
"""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.record import Latency, LatencySample
from benchmarks.runner import run_cell
from benchmarks.sweep import Sweep
from benchmarks.timing import LiveClock

CLOCK = LiveClock()


@pytest.mark.benchmark(timer=CLOCK, warmup=False)
def bench_latency(benchmark: BenchmarkFixture, sweep: Sweep, model: str, frames: int) -> None:
    """Time one model at one length."""

    def measure() -> Latency:
        prepared = sweep.prepare_latency(model, frames)
        samples: list[LatencySample] = []

        def one_round() -> None:
            samples.append(prepared.once())
            CLOCK.advance(samples[-1].wall_s)

        benchmark.group = f"{frames} frames"
        benchmark.pedantic(one_round, rounds=prepared.rounds, iterations=1)
        return prepared.result(samples, sweep.corpus.fps)

    record = run_cell(sweep.latency_cell(model, frames), sweep.request.out, measure, request=sweep.asked)
    benchmark.extra_info["status"] = record.status
    if isinstance(record.result, Latency):
        benchmark.extra_info |= {
            "model": model,
            "frames": frames,
            "device": record.result.device,
            "first_call_s": record.result.first_call_s,
            "settled": record.result.settled,
        }
    if record.failure is not None:
        pytest.fail(f"{record.failure.type}: {record.failure.message}", pytrace=False)
