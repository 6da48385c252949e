"""Speed and memory of generating: as the models do it, beside the plain formulation of the same networks.

``pytest benchmarks/bench_models.py --lipbench-paper`` runs all of it; without the option only the small preset runs,
for a few seconds. Both ways have the same weights and take turns in one run, and their frames are compared; read the
ratios, not the times. Targets, set for two idle cores, stand beside the figures in `extra_info`; none is asserted, as a
time says as much about the machine's other work. Memory has a pass of its own, in a fresh process for each way.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

if TYPE_CHECKING:
    from torch import nn

    from models.contract import LipRequest

ROUNDS = 5
WAYS = ("plain", "folded")
CASES = [("small", 75), ("paper", 75), ("paper", 137)]
"""Preset and frames: the mean lengths of GRID and TCD-TIMIT (paper, table 3)."""
TARGETS = {"time": 0.55, "memory": 1 / 3, "growth": 4.2}
MIB = 1024.0


@pytest.fixture(autouse=True)
def _asked_for(request: pytest.FixtureRequest) -> None:
    """Leave the paper's preset out unless it is asked for."""
    preset = getattr(request.node, "callspec", None)
    if (
        preset is not None
        and preset.params.get("preset") == "paper"
        and not request.config.getoption("--lipbench-paper")
    ):
        pytest.skip("takes a minute: give --lipbench-paper")


def _build(name: str, preset: str, **options: object) -> nn.Module:
    """A model in evaluation mode, the same weights each time; its batch norms have statistics worth folding."""
    import torch
    from torch import nn

    import models

    torch.manual_seed(0)
    model = models.create(name, preset, **options)
    assert isinstance(model, nn.Module)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.get_buffer("running_mean"), std=0.1)
            nn.init.uniform_(module.get_buffer("running_var"), 0.5, 1.5)
    return model.eval()


def _request(model: nn.Module, frames: int) -> LipRequest:
    import torch

    from benchmarks.latency import request_of

    height, width = model.frame_size  # pyright: ignore[reportGeneralTypeIssues]
    size = (int(height), int(width))  # pyright: ignore[reportArgumentType]
    return request_of(frames, 1, frame_size=size, symbols=29, device=torch.device("cpu"))


class Turns(NamedTuple):
    """Seconds of each call, the ways taking turns."""

    seconds: dict[str, list[float]]
    largest_difference: float
    """Between the frames of the ways, in [0, 1]."""

    def ratio(self, numerator: str, denominator: str) -> float:
        """Median over rounds of one way's time in the other's."""
        pairs = zip(self.seconds[numerator], self.seconds[denominator], strict=True)
        return statistics.median(one / other for one, other in pairs)


def _take_turns(models: dict[str, nn.Module], requests: dict[str, LipRequest]) -> Turns:
    seconds: dict[str, list[float]] = {way: [] for way in models}
    frames = {way: model.generate(requests[way]).frames for way, model in models.items()}  # pyright: ignore
    for _ in range(ROUNDS):
        for way, model in models.items():
            began = time.perf_counter()
            model.generate(requests[way])  # pyright: ignore[reportCallIssue]
            seconds[way].append(time.perf_counter() - began)
    one, *others = frames.values()
    alike = [other for other in others if other.shape == one.shape]
    return Turns(seconds, max((float((one - other).abs().max()) for other in alike), default=0.0))


def _report(benchmark: BenchmarkFixture, turns: Turns, **figures: float) -> None:
    import torch

    benchmark.extra_info.update(
        {f"{way}_s": statistics.median(seconds) for way, seconds in turns.seconds.items()},
        rounds=ROUNDS,
        threads=torch.get_num_threads(),
        load=os.getloadavg(),
        **figures,
    )


@pytest.mark.parametrize("name", ["hh_t2l", "dual_lip", "transformer_t2l"])
@pytest.mark.parametrize(("preset", "frames"), CASES)
def bench_drawing(benchmark: BenchmarkFixture, name: str, preset: str, frames: int) -> None:
    """One clip, drawn fast and drawn as the network is written down, by turns."""
    if name != "hh_t2l" and (preset, frames) == ("paper", 137):
        pytest.skip("the rivals draw frame by frame: another length says nothing more")
    built = {way: _build(name, preset, drawing=way) for way in WAYS}
    requests = dict.fromkeys(WAYS, _request(built["plain"], frames))
    turns = benchmark.pedantic(_take_turns, args=(built, requests), rounds=1)
    target = {"target_times_plain": TARGETS["time"]} if name == "hh_t2l" else {}
    _report(
        benchmark, turns, times_plain=turns.ratio("folded", "plain"), **target,
        largest_difference=turns.largest_difference,
    )  # fmt: skip
    assert turns.largest_difference <= 1e-5


@pytest.mark.parametrize("preset", ["small", "paper"])
def bench_cache(benchmark: BenchmarkFixture, preset: str) -> None:
    """TransformerT2L with keys and values kept and made again at each step, by turns."""
    built = {way: _build("transformer_t2l", preset, cache=way == "cached") for way in ("cached", "afresh")}
    requests = dict.fromkeys(built, _request(built["cached"], 75))
    turns = benchmark.pedantic(_take_turns, args=(built, requests), rounds=1)
    _report(benchmark, turns, times_afresh=turns.ratio("cached", "afresh"), largest_difference=turns.largest_difference)
    assert turns.largest_difference <= 1e-5


@pytest.mark.parametrize("preset", ["small", "paper"])
def bench_growth(benchmark: BenchmarkFixture, preset: str) -> None:
    """HH-T2L at 75 and at 300 frames, by turns: four times the frames."""
    model = _build("hh_t2l", preset)
    requests = {f"{frames}_frames": _request(model, frames) for frames in (75, 300)}
    turns = benchmark.pedantic(_take_turns, args=(dict.fromkeys(requests, model), requests), rounds=1)
    ratio = turns.ratio("300_frames", "75_frames")
    _report(benchmark, turns, times_75_frames=ratio, target_times_75_frames=TARGETS["growth"])


@pytest.mark.parametrize(
    ("preset", "frames"), [(preset, n) for preset, n in CASES if preset == "paper"] + [("paper", 300)]
)
def bench_memory(benchmark: BenchmarkFixture, preset: str, frames: int) -> None:
    """Peak resident memory of generating one clip, each way in a fresh process."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("needs Linux: elsewhere a process cannot ask for a peak of its own making")
    peaks = benchmark.pedantic(lambda: {way: _peak_elsewhere(preset, frames, way) for way in WAYS}, rounds=1)
    for way, peak in peaks.items():
        benchmark.extra_info |= {f"{way}_{key}": value for key, value in peak.items()}
    added = {way: peak["added_mib"] for way, peak in peaks.items()}
    benchmark.extra_info |= {
        "memory_times_plain": added["folded"] / added["plain"],
        "target_memory_times_plain": TARGETS["memory"],
    }


def _peak_elsewhere(preset: str, frames: int, way: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.bench_models", preset, str(frames), way]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    return json.loads(done.stdout)


def _peak(preset: str, frames: int, way: str) -> dict[str, float]:
    """Peak resident memory of one `generate` in this process, and what it adds to what was there before, in MiB."""
    model = _build("hh_t2l", preset, drawing=way)
    model.generate(_request(model, 1))  # pyright: ignore[reportCallIssue] - threads and libraries are not what is asked
    request = _request(model, frames)
    Path("/proc/self/clear_refs").write_text("5")  # proc(5): sets the peak back to what is resident now
    before = _resident("VmRSS")
    clip = model.generate(request)  # pyright: ignore[reportCallIssue]
    peak = _resident("VmHWM")
    return {
        "added_mib": peak - before,
        "peak_mib": peak,
        "frames_mib": clip.frames.numel() * clip.frames.element_size() / MIB**2,
    }


def _resident(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / MIB


if __name__ == "__main__":
    print(json.dumps(_peak(sys.argv[1], int(sys.argv[2]), sys.argv[3])))
