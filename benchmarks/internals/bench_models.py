"""Speed and memory of generating: as the models do it, beside the plain formulation of the same networks.

``pytest benchmarks/internals/bench_models.py --lipbench-paper`` runs all of it; without the option only HH-T2L's small
preset runs, for a few seconds. Both ways have the same weights and take turns in one run, and their frames are
compared; read the ratios in `extra_info`, not the times. Targets, set for two idle cores, stand beside them; none is
asserted, as a time says as much about the machine's other work. Memory has a pass of its own, in a fresh process for
each way.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lipbench.models.contract import LipModel, LipRequest


ROUNDS = 5
TARGETS = {"time": 0.55, "memory": 1 / 3, "growth": 4.2}
MIB = 1024.0
on_request = pytest.mark.usefixtures("paper_asked_for")


@pytest.fixture
def paper_asked_for(request: pytest.FixtureRequest) -> None:
    """Leave out what takes minutes unless it is asked for."""
    if not request.config.getoption("--lipbench-paper"):
        pytest.skip("takes a minute: give --lipbench-paper")


def _build(name: str, preset: str, **options: object) -> nn.Module:
    """A model in evaluation mode, the same weights each time; its batch norms have statistics worth folding."""
    import torch
    from torch import nn

    from lipbench import models

    torch.manual_seed(0)
    model = models.create(name, preset, **options)
    assert isinstance(model, nn.Module)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.get_buffer("running_mean"), std=0.1)
            nn.init.uniform_(module.get_buffer("running_var"), 0.5, 1.5)
    return model.eval()


class GenerationJob(NamedTuple):
    """One model and what it is asked for."""

    model: nn.Module
    request: LipRequest

    def __call__(self) -> Tensor:
        """Make the clip; its frames."""
        return cast("LipModel", self.model).generate(self.request).frames


def _job(model: nn.Module, frames: int) -> GenerationJob:
    import torch

    from lipbench.benchmarks.latency import random_request

    size = cast("tuple[int, int]", model.frame_size)
    return GenerationJob(model, random_request(frames, 1, frame_size=size, symbols=29, device=torch.device("cpu")))


def _by_turns(benchmark: BenchmarkFixture, job: GenerationJob, other: GenerationJob) -> float:
    """Time two jobs, each round the other one first.

    Returns:
        Median over the rounds of the job's time in the other's.
    """
    import torch

    others: list[float] = []

    def turn() -> None:
        began = time.perf_counter()
        other()
        others.append(time.perf_counter() - began)

    benchmark.pedantic(job, setup=turn, rounds=ROUNDS, warmup_rounds=1)
    ours = cast("list[float]", benchmark.stats.stats.data)  # pyright: ignore[reportOptionalMemberAccess]
    others = others[-len(ours) :]
    benchmark.extra_info |= {
        "seconds": statistics.median(ours),
        "seconds_of_the_other": statistics.median(others),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg(),
    }
    return statistics.median(first / second for first, second in zip(ours, others, strict=True))


def _against_plain(benchmark: BenchmarkFixture, name: str, preset: str, frames: int) -> None:
    fast, plain = (_job(_build(name, preset, drawing=way), frames) for way in ("folded", "plain"))
    difference = float((fast() - plain()).abs().max())
    benchmark.extra_info |= {"times_plain": _by_turns(benchmark, fast, plain), "largest_difference": difference}
    assert difference <= 1e-5


def bench_drawing_small(benchmark: BenchmarkFixture) -> None:
    """HH-T2L's small preset, drawn fast, against drawing it as the network is written down."""
    _against_plain(benchmark, "hh_t2l", "small", 75)


@on_request
@pytest.mark.parametrize("frames", [75, 137])
def bench_drawing(benchmark: BenchmarkFixture, frames: int) -> None:
    """HH-T2L in both ways, at the mean lengths of GRID and TCD-TIMIT (paper, table 3)."""
    _against_plain(benchmark, "hh_t2l", "paper", frames)
    benchmark.extra_info["target_times_plain"] = TARGETS["time"]


@on_request
@pytest.mark.parametrize("name", ["dual_lip", "transformer_t2l"])
def bench_drawing_rivals(benchmark: BenchmarkFixture, name: str) -> None:
    """The rivals, which draw frame by frame, in both ways too."""
    _against_plain(benchmark, name, "paper", 75)


@on_request
def bench_cache(benchmark: BenchmarkFixture) -> None:
    """TransformerT2L with keys and values kept, against making them again at each step."""
    with_cache, without_cache = (_job(_build("transformer_t2l", "paper", cache=cache), 75) for cache in (True, False))
    difference = float((with_cache() - without_cache()).abs().max())
    benchmark.extra_info |= {
        "times_afresh": _by_turns(benchmark, with_cache, without_cache),
        "largest_difference": difference,
    }
    assert difference <= 1e-5


@on_request
def bench_growth(benchmark: BenchmarkFixture) -> None:
    """HH-T2L at 300 frames, against the same model at 75."""
    model = _build("hh_t2l", "paper")
    benchmark.extra_info["times_75_frames"] = _by_turns(benchmark, _job(model, 300), _job(model, 75))
    benchmark.extra_info["target_times_75_frames"] = TARGETS["growth"]


@on_request
@pytest.mark.parametrize("frames", [75, 137, 300])
def bench_memory(benchmark: BenchmarkFixture, frames: int) -> None:
    """Peak resident memory of generating one clip, each way in a fresh process; what is timed says nothing."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("needs Linux: elsewhere a process cannot ask for the peak of one call")
    ways = ("folded", "plain")
    peaks = benchmark.pedantic(lambda: {way: _peak_elsewhere(frames, way) for way in ways}, rounds=1)
    for way, peak in peaks.items():
        benchmark.extra_info |= {f"{way}_{key}": value for key, value in peak.items()}
    added_mib, process_mib = ({way: peaks[way][key] for way in ways} for key in ("added_mib", "process_mib"))
    benchmark.extra_info |= {
        "memory_times_plain": added_mib["folded"] / added_mib["plain"],
        "target_memory_times_plain": TARGETS["memory"],
        "process_memory_times_plain": process_mib["folded"] / process_mib["plain"],
    }


def _peak_elsewhere(frames: int, way: str) -> dict[str, float]:
    command = [sys.executable, "-m", "lipbench.benchmarks.internals.bench_models", str(frames), way]
    process = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    return json.loads(process.stdout)


def _peak(frames: int, way: str) -> dict[str, float]:
    """Peak resident memory of one `generate` in this process, in MiB.

    Returns:
        "added_mib", above what was resident before: the frames and what making them took; "frames_mib", the frames;
        "process_mib", with libraries and weights.
    """
    model = _build("hh_t2l", "paper", drawing=way)
    _job(model, 1)()  # threads and libraries are there from the first call on
    job = _job(model, frames)
    Path("/proc/self/clear_refs").write_text("5")  # proc(5): sets the peak back to what is resident now
    before = _resident("VmRSS")
    frames_made = job()
    peak = _resident("VmHWM")
    size = frames_made.numel() * frames_made.element_size() / MIB**2
    return {"added_mib": peak - before, "frames_mib": size, "process_mib": peak}


def _resident(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / MIB


if __name__ == "__main__":
    print(json.dumps(_peak(int(sys.argv[1]), sys.argv[2])))
