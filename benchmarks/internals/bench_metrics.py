"""Speed of scoring: our SSIM and PSNR beside torchmetrics' on the same frames, and one clip under every clip metric.

Each group is one comparison, in one run on one machine; read the ratios, not the times. Both sides compute the same
values (it is checked), in the same precision: gaussian window of 11, reflect border, as torchmetrics has no other. On a
machine that does something else too, compare `cpu_seconds` in `extra_info`: the processor time of the fastest call, all
threads together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

if TYPE_CHECKING:
    from torch import Tensor


T = TypeVar("T")
FRAMES = 75
HEIGHT, WIDTH = 80, 160
SINGLE = f"PSNR + SSIM, {FRAMES} frames of {WIDTH} x {HEIGHT}, float32"
DOUBLE_FRAMES = 5
DOUBLE = f"PSNR + SSIM, {DOUBLE_FRAMES} frames of {WIDTH} x {HEIGHT}, float64"
ROUNDS = 3
TARGET = 5.0
"""How many times as fast as torchmetrics ours are to be, in single precision on two cores. Said beside the figure, not
asserted: a time says as much about the machine's other work."""


@pytest.fixture(scope="module")
def clips() -> tuple[Tensor, Tensor]:
    """A generated and a real clip, float32 (75, 3, 80, 160) in [0, 1]."""
    import torch

    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(FRAMES, 3, 10, 20, generator=generator)
    target = torch.nn.functional.interpolate(coarse, size=(HEIGHT, WIDTH), mode="bilinear")
    preds = (target + 0.1 * torch.randn(target.shape, generator=generator)).clamp(0, 1)
    return preds, target


def torchmetrics_values(preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """PSNR and SSIM of a clip by torchmetrics, a value per frame."""
    from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

    psnr = PeakSignalNoiseRatio(data_range=1.0, reduction="none", dim=(1, 2, 3))
    ssim = StructuralSimilarityIndexMeasure(data_range=1.0, sigma=1.5, reduction="none")
    psnr.update(preds, target)
    ssim.update(preds, target)
    values = ssim.compute()
    assert not isinstance(values, tuple)
    return psnr.compute(), values


def time_calls(benchmark: BenchmarkFixture, call: Callable[[], T], *, rounds: int = ROUNDS, warm: bool = True) -> T:
    """Time some calls by the clock, and by the time of the processor."""
    cpu_seconds: list[float] = []

    def counted() -> T:
        began = time.process_time()
        result = call()
        cpu_seconds.append(time.process_time() - began)
        return result

    result = benchmark.pedantic(counted, rounds=rounds, warmup_rounds=int(warm))
    benchmark.extra_info["cpu_seconds"] = min(cpu_seconds)
    return result


@pytest.mark.benchmark(group=SINGLE)
def bench_pictures_ours(benchmark: BenchmarkFixture, clips: tuple[Tensor, Tensor]) -> None:
    """Our functions, in single precision."""
    import torch

    from lipbench.metrics.chunks import in_chunks
    from lipbench.metrics.functional import psnr, ssim

    preds, target = clips

    def score() -> tuple[Tensor, Tensor]:
        return psnr(preds, target), in_chunks(partial(ssim, border="reflect"), preds, target)

    ours = time_calls(benchmark, score)
    for value, expected in zip(ours, torchmetrics_values(preds, target), strict=True):
        torch.testing.assert_close(value, expected, rtol=0, atol=1e-4)
    # by turns, so that other work of the machine falls on both
    walls = [(_wall(partial(torchmetrics_values, *clips)), _wall(score)) for _ in range(ROUNDS)]
    torchmetrics_seconds, our_seconds = (min(side) for side in zip(*walls, strict=True))
    benchmark.extra_info |= {
        "times_torchmetrics": torchmetrics_seconds / our_seconds,
        "target_times_torchmetrics": TARGET,
    }


def _wall(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


@pytest.mark.benchmark(group=SINGLE)
def bench_pictures_torchmetrics(benchmark: BenchmarkFixture, clips: tuple[Tensor, Tensor]) -> None:
    """torchmetrics, in single precision."""
    time_calls(benchmark, partial(torchmetrics_values, *clips))


@pytest.mark.benchmark(group=DOUBLE)
def bench_pictures_ours_double(benchmark: BenchmarkFixture, clips: tuple[Tensor, Tensor]) -> None:
    """Our metrics as they score, in double precision, on a few frames."""
    import torch

    from lipbench import metrics
    from lipbench.metrics.protocols import Protocol

    preds, target = (side[:DOUBLE_FRAMES].double() for side in clips)
    mirrored = Protocol(name="mirrored", ssim_border="reflect")
    measures = [metrics.create(name, mirrored) for name in ("psnr", "ssim")]

    def score() -> list[Tensor]:
        return [measure.per_frame(preds, target) for measure in measures]  # pyright: ignore

    ours = time_calls(benchmark, score)
    for value, expected in zip(ours, torchmetrics_values(preds, target), strict=True):
        torch.testing.assert_close(value, expected.double(), rtol=0, atol=1e-4)


@pytest.mark.benchmark(group=DOUBLE)
def bench_pictures_torchmetrics_double(benchmark: BenchmarkFixture, clips: tuple[Tensor, Tensor]) -> None:
    """torchmetrics, in double precision, on a few frames."""
    preds, target = (side[:DOUBLE_FRAMES].double() for side in clips)
    time_calls(benchmark, partial(torchmetrics_values, preds, target), rounds=1, warm=False)


@pytest.mark.benchmark(group=f"one clip of {FRAMES} frames, all clip metrics but those of landmarks and faces")
@pytest.mark.parametrize("protocol", ["paper", "strict"])
def bench_clip(benchmark: BenchmarkFixture, clips: tuple[Tensor, Tensor], protocol: str) -> None:
    """Align and score one clip whose length is wrong by five frames."""
    from lipbench import metrics
    from lipbench.metrics.alignment import align
    from lipbench.metrics.clip_metric import ClipMetric
    from lipbench.metrics.protocols import get

    rules = get(protocol)
    created = [metrics.create(name, rules) for name in metrics.names()]
    measures = [metric for metric in created if isinstance(metric, ClipMetric) and metric.takes == "frames"]
    preds, target = clips[0][:-5], clips[1]

    def score() -> list[float]:
        sides = align(preds, target, rules.length).apply(preds, target)
        return [measure.score(*sides).value for measure in measures]

    values = benchmark.pedantic(score, rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info |= {metric.title: value for metric, value in zip(measures, values, strict=True)}
