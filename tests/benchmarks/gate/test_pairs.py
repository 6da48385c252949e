from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.benchmarks.gate.pairs import log_ratio
from lipbench.records.latency import Latency, LatencySample
from lipbench.records.record import Cell, Record
from lipbench.records.system import Machine, Software, System

SECONDS = st.floats(1e-4, 10)


def timed(seconds: list[float]) -> Record:
    result = Latency(
        system=System(name="m", title="M", kind="model"), device="cpu", dtype="float32", batch=1, frames=9, tokens=4,
        fps=25.0, first_call_s=1.0, warmup=[], settled=True, samples=[LatencySample(wall_s=s) for s in seconds],
    )  # fmt: skip
    return Record(
        created="", command="", cell=Cell(kind="latency", system="m"), status="measured", result=result, seconds=1.0,
        machine=Machine(cpu="A", cores=2, memory_bytes=1, system="Linux", threads=2),
        software=Software(python="", packages={}, commit=None, dirty=None),
    )  # fmt: skip


@given(st.lists(SECONDS, min_size=1, max_size=30), st.floats(0.5, 2))
def test_whatever_slows_both_sides_down_from_call_to_call_cancels(seconds, factor):
    slowed = timed([value * factor for value in seconds])
    assert log_ratio(timed(seconds), slowed) == pytest.approx(math.log(factor), abs=1e-9)
    assert log_ratio(slowed, timed(seconds)) == pytest.approx(-math.log(factor), abs=1e-9)


def test_calls_that_one_side_has_more_of_are_left_out():
    assert log_ratio(timed([1.0, 1.0]), timed([1.0, 1.0, 9.0, 9.0, 9.0])) == 0.0
