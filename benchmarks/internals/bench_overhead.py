"""What the timing room costs: a call of one millisecond timed by it, and by a bare clock, by turns.

Two shares of the bare time stand in `extra_info`: what the room adds to the number that it reports, and what it adds to
the time that a run takes. The target stands beside them; nothing timed is asserted.
"""

from __future__ import annotations

import os
import statistics
import time

import torch
from pytest_benchmark.fixture import BenchmarkFixture

from lipbench.benchmarks import latency, timing
from lipbench.benchmarks.cells import loading
from lipbench.models.contract import LipClip, LipRequest

SPIN_S = 0.001
ROUNDS = 1000
TARGET = 0.01
"""Of the bare time."""
FRAME_SIZE = (16, 32)


class SpinningModel:
    """A model that keeps one core busy for a millisecond and always makes the same clip."""

    frame_size = FRAME_SIZE

    def __init__(self, clip: LipClip) -> None:
        self.clip = clip

    def generate(self, request: LipRequest) -> LipClip:
        """Wait by reading the clock, so that every call takes the same time however fast the machine is."""
        until = time.perf_counter() + SPIN_S
        while time.perf_counter() < until:
            pass
        return self.clip


def bench_overhead(benchmark: BenchmarkFixture) -> None:
    """Time one call as a cell's samples are taken; a bare clock times one just before it."""
    cpu = torch.device("cpu")
    request = latency.random_request(1, 1, frame_size=FRAME_SIZE, symbols=3, device=cpu)
    model = SpinningModel(LipClip(torch.zeros(1, 1, 3, *FRAME_SIZE), torch.ones(1, dtype=torch.long)))
    system = loading.describe_system(model, name="spinning", preset="", options={})
    loaded_model = loading.LoadedModel(model, system, None, FRAME_SIZE)
    prepared_cell = latency.prepare_cell(loaded_model, request, device=cpu, budget=timing.Budget())
    bare: list[float] = []
    reported_seconds: list[float] = []
    bare_seconds: list[float] = []

    def bare_call() -> None:
        start = time.perf_counter()
        model.generate(request)
        bare.append(time.perf_counter() - start)

    def timed_call() -> None:
        start = time.perf_counter()
        sample = prepared_cell.take_sample()
        bare_seconds.append(time.perf_counter() - start)
        reported_seconds.append(sample.wall_s)

    benchmark.pedantic(timed_call, setup=bare_call, rounds=ROUNDS, warmup_rounds=20)
    typical = statistics.median(bare)
    benchmark.extra_info.update(
        bare_ms=typical * 1000,
        added_to_the_number=statistics.median(reported_seconds) / typical - 1,
        added_to_the_run=statistics.median(bare_seconds) / typical - 1,
        target=TARGET,
        load=os.getloadavg(),
    )
