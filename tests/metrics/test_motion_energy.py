from __future__ import annotations

import math

import pytest
import torch

from lipbench import metrics
from lipbench.metrics.functional import motion_energy


def ramp(step: float, frames: int = 5) -> torch.Tensor:
    """A clip whose every pixel rises by `step` per frame."""
    return (step * torch.arange(frames, dtype=torch.float64))[:, None, None, None].expand(frames, 3, 8, 8)


def test_energy_is_the_mean_step():
    assert motion_energy(ramp(0.1)).item() == pytest.approx(0.1)
    assert motion_energy(ramp(0.1).flip(0)).item() == pytest.approx(0.1)


def test_energy_counts_the_moving_share_of_the_picture():
    clip = ramp(0.1).clone()
    clip[..., :6] = 0.5
    assert motion_energy(clip).item() == pytest.approx(0.1 * 2 / 8)


def test_a_still_clip_has_none():
    assert motion_energy(torch.rand(1, 3, 8, 8).expand(4, 3, 8, 8)).item() == 0


@pytest.mark.parametrize(
    ("clip", "named"),
    [(ramp(0.1, 1), r"\(1, 3, 8, 8\)"), (ramp(0.1)[0], r"\(3, 8, 8\)"), (ramp(0.1).to(torch.uint8), "uint8")],
)
def test_misuse_is_named(clip, named):
    with pytest.raises(ValueError, match=named):
        motion_energy(clip)


@pytest.mark.parametrize("factor", [0.0, 0.25, 1.0, 2.0])
def test_the_ratio_is_that_of_the_energies(factor):
    metric = metrics.create("motion_energy_ratio")
    assert metric(ramp(0.1 * factor), ramp(0.1)).item() == pytest.approx(factor)


def test_the_mean_is_taken_over_ratios_not_over_energies():
    metric = metrics.create("motion_energy_ratio")
    metric.update(ramp(0.02), ramp(0.01))
    metric.update(ramp(0.1), ramp(0.2))
    assert metric.compute().item() == pytest.approx((2.0 + 0.5) / 2)


@pytest.mark.parametrize("real", [ramp(0.0), ramp(0.1, 1)], ids=["still", "single frame"])
def test_clips_without_a_ratio_are_left_out_and_counted(real):
    metric = metrics.create("motion_energy_ratio")
    assert math.isnan(metric(ramp(0.1, len(real)), real).item())
    assert math.isnan(metric.compute().item())
    metric.update(ramp(0.05), ramp(0.1))
    assert metric.compute().item() == pytest.approx(0.5)
    assert metric.undefined.item() == 1


def test_it_has_no_value_per_frame():
    assert metrics.create("motion_energy_ratio").per_frame(ramp(0.1), ramp(0.1)) is None
