from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.benchmarks.cli.main import main
from lipbench.benchmarks.gate import trends
from lipbench.records.files import save_record
from lipbench.records.latency import Latency, LatencySample
from lipbench.records.record import Cell, Failure, Record
from lipbench.records.system import Machine, Software, System

MACHINE = Machine(cpu="A", cores=2, memory_bytes=1, system="Linux", threads=2)
CELL = Cell(kind="latency", system="hh_t2l", frames=75, device="cpu")


def run(day: int, seconds: float, *, machine: Machine = MACHINE, cell: Cell = CELL, torch: str = "2.5") -> Record:
    result = Latency(
        system=System(name=cell.system, title="HH", kind="model", parameters=1), device="cpu", dtype="float32", batch=1,
        frames=cell.frames or 1, tokens=4, fps=25.0, first_call_s=1.0, warmup=[], settled=True,
        samples=[LatencySample(wall_s=seconds)],
    )  # fmt: skip
    return Record(
        created=f"2026-01-{day:02}T00:00:00+00:00", command="", cell=cell, status="measured", machine=machine,
        software=Software(python="3.11", packages={"torch": torch}, commit=f"{day:02x}" * 20, dirty=False),
        result=result, seconds=1.0,
    )  # fmt: skip


def times(levels: dict[float, int], *, noise: float = 0.01, seed: int = 0) -> list[float]:
    generator = np.random.default_rng(seed)
    return [level * math.exp(noise * generator.normal()) for level, n in levels.items() for _ in range(n)]


def test_a_change_is_found_where_it_happened_and_how_large_it_was():
    (shift,) = trends.shifts(times({1.0: 12, 1.1: 9}), margin=0.03)
    assert shift.at == 12
    assert shift.change == pytest.approx(0.1, abs=0.02)
    up, down = trends.shifts(times({1.0: 8, 1.2: 8, 0.9: 8}), margin=0.03)
    assert (up.at, down.at) == (8, 16)
    assert down.change < 0, "faster is a change too"


def test_a_change_in_times_without_any_noise_is_found_and_their_sameness_is_none():
    assert [shift.at for shift in trends.shifts(times({1.0: 6, 1.1: 6}, noise=0.0), margin=0.03)] == [6]
    assert trends.shifts([1.0] * 12, margin=0.03) == []


@pytest.mark.parametrize(
    "levels",
    [{1.0: 20}, {1.0: 12, 1.02: 12}, {1.0: 10, 1.5: 1, 1.0001: 10}, {1.0: 5, 1.5: 4}],
    ids=["no change", "one within the margin", "one slow run", "too few runs"],
)
def test_what_is_no_trend_is_none(levels):
    assert trends.shifts(times(levels), margin=0.03) == []


@given(st.floats(1e-4, 1e3))
def test_the_unit_of_time_does_not_matter(unit):
    seconds = times({1.0: 8, 1.2: 8})
    found = trends.shifts([unit * value for value in seconds], margin=0.03)
    assert [shift.at for shift in found] == [shift.at for shift in trends.shifts(seconds, margin=0.03)] == [8]


def test_noise_alone_is_seldom_a_trend():
    found = [trends.shifts(times({1.0: 20}, noise=0.05, seed=seed), margin=0.03) for seed in range(40)]
    assert sum(map(bool, found)) <= 4


def test_series_are_of_like_machines_in_the_order_of_time_and_without_failures():
    other = MACHINE.model_copy(update={"threads": 1})
    failed = run(4, 1.0).model_copy(
        update={"status": "failed", "result": None, "failure": Failure(type="Error", message="")}
    )
    found = trends.series([run(3, 3.0), run(1, 1.0), failed, run(2, 2.0, machine=other), run(2, 2.0)])
    assert [one.seconds for one in found] == [(1.0, 2.0, 3.0), (2.0,)]


def test_the_command_says_since_when_and_from_what_and_never_fails(tmp_path, capsys):
    for day, seconds in enumerate(times({0.1: 6, 0.12: 6}), start=1):
        torch = "2.5" if day < 7 else "2.6"
        save_record(run(day, seconds, torch=torch), tmp_path / f"run-{day:02}")
        save_record(run(day, 1.0, cell=CELL.model_copy(update={"frames": 25})), tmp_path / f"run-{day:02}")
    words = [f"trends={tmp_path}/run-*", f"summary={tmp_path / 's.md'}"]
    assert main(["gate", *words]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("trends: 1 changes of more than 3% in 2 series on 1 kinds of machine; advice only")
    assert "| hh_t2l, 75 frames, cpu | A, 2 threads | 12 | +" in printed
    assert "2026-01-07 00:00, 060606060606 to 070707070707, torch 2.5 to 2.6 |" in printed
    assert (tmp_path / "s.md").read_text() == printed


def test_a_short_history_and_one_without_times_are_said(tmp_path, capsys):
    save_record(run(1, 1.0), tmp_path / "run-1")
    assert main(["gate", f"trends={tmp_path}/run-*"]) == 0
    assert "1 series are too short to be judged" in capsys.readouterr().out
    assert main(["gate", f"trends={tmp_path}/none-*"]) == 2
    assert "there is nothing at" in capsys.readouterr().err
    lost = run(2, 1.0).model_copy(update={"status": "failed", "result": None, "failure": Failure(type="E", message="")})
    save_record(lost, tmp_path / "lost")
    assert main(["gate", f"trends={tmp_path}/lost"]) == 2
    assert "no times" in capsys.readouterr().err
