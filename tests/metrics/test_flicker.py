from __future__ import annotations

import math

import pytest
import torch

from lipbench import metrics
from lipbench.metrics.functional import flicker


def wave(values: list[float]) -> torch.Tensor:
    """A clip whose every pixel takes these values in turn."""
    return torch.tensor(values, dtype=torch.float64)[:, None, None, None].expand(len(values), 3, 8, 8)


def test_what_alternates_flickers_twice_its_swing():
    assert flicker(wave([0.1, 0.3, 0.1, 0.3])).item() == pytest.approx(2 * 0.2)


def test_steady_motion_does_not_flicker():
    assert flicker(wave([0.1, 0.2, 0.3, 0.4])).item() == pytest.approx(0, abs=1e-12)
    assert flicker(wave([0.4] * 5)).item() == 0


def test_slow_waves_flicker_less_than_fast_ones_by_the_filters_gain():
    """The filter's gain at w is 4 sin^2(w / 2)."""
    n = 4000
    energies = [
        flicker(wave([0.5 + 0.4 * math.cos(w * t) for t in range(n)])[..., :1, :1]).item() / (4 * math.sin(w / 2) ** 2)
        for w in (0.1, 0.5, 2.0)
    ]
    assert energies == pytest.approx([0.4 * 2 / math.pi] * 3, rel=0.01)


@pytest.mark.parametrize("factor", [0.0, 0.5, 2.0])
def test_the_ratio_is_that_of_the_energies(factor):
    metric = metrics.create("flicker")
    real = wave([0.1, 0.3, 0.2, 0.1])
    assert metric(factor * real, real).item() == pytest.approx(factor)


def test_noise_from_frame_to_frame_flickers_and_a_constant_error_does_not():
    generator = torch.Generator().manual_seed(0)
    real = 0.2 + 0.5 * torch.rand(12, 3, 16, 16, generator=generator)
    noise = 0.1 * torch.rand(12, 3, 16, 16, generator=generator)
    metric = metrics.create("flicker")
    assert metric.per_clip(real + noise[:1], real).item() == pytest.approx(1.0, rel=1e-5)
    assert metric.per_clip(real + noise, real).item() > 1.005


@pytest.mark.parametrize(
    ("real", "reason"),
    [
        (wave([0.25, 0.5, 0.75]), "does not flicker"),  # exact in binary
        (wave([0.4] * 3), "does not flicker"),
        (wave([0.1, 0.4]), "three frames"),
    ],
)
def test_clips_without_a_ratio_are_left_out_and_counted(real, reason):
    metric = metrics.create("flicker")
    assert reason in (metric.score(real, real).reason or "")
    metric.update(real, real)
    assert metric.undefined.item() == 1
    assert math.isnan(metric.compute().item())


@pytest.mark.parametrize(
    ("clip", "named"),
    [(wave([0.1, 0.2]), r"\(2, 3, 8, 8\)"), (wave([0.1] * 4)[0], r"\(3, 8, 8\)"), (wave([0.1] * 4).long(), "int64")],
)
def test_misuse_is_named(clip, named):
    with pytest.raises(ValueError, match=named):
        flicker(clip)
