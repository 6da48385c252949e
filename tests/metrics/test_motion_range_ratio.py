from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipbench import metrics


def clip(frames: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(frames, 3, 16, 24, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def numpy_spread(frames: torch.Tensor) -> float:
    """The same from numpy's standard deviation of each pixel."""
    return float(np.sqrt((frames.numpy().std(axis=0) ** 2).mean()))


@settings(deadline=None, max_examples=20)
@given(frames=st.integers(2, 19), shrunk=st.floats(0.1, 1.0))
def test_it_is_the_ratio_of_standard_deviations_over_time(frames, shrunk):
    real = clip(frames)
    made = 0.5 + shrunk * (clip(frames, seed=1) - 0.5)
    found = metrics.create("motion_range_ratio")(made, real).item()
    assert found == pytest.approx(numpy_spread(made) / numpy_spread(real), rel=1e-9)


def test_order_in_time_and_a_constant_make_no_difference():
    real = clip(9) / 2
    metric = metrics.create("motion_range_ratio")
    assert metric(real.flip(0), real).item() == pytest.approx(1)
    assert metric(real + 0.2, real).item() == pytest.approx(1)


def test_grain_weighs_less_than_in_motion_energy():
    slow = (0.3 + 0.4 * torch.sin(torch.linspace(0, math.pi, 40, dtype=torch.float64)))[:, None, None, None]
    smooth = slow.expand(40, 3, 16, 24)
    real = (smooth + 0.05 * (clip(40) - 0.5)).clamp(0, 1)
    energy, spread = (
        metrics.create(name)(smooth, real).item() for name in ("motion_energy_ratio", "motion_range_ratio")
    )
    assert energy < spread < 1.001
    assert spread > 0.98


def test_a_still_clip_has_none():
    assert metrics.create("motion_range_ratio")(clip(1).expand(7, 3, 16, 24), clip(7)).item() == 0


@pytest.mark.parametrize("real", [clip(1).expand(6, 3, 16, 24), clip(1)], ids=["still", "single frame"])
def test_clips_without_a_ratio_are_left_out_and_counted(real):
    metric = metrics.create("motion_range_ratio")
    assert math.isnan(metric(clip(len(real)), real).item())
    assert math.isnan(metric.compute().item())
    metric.update(clip(5), clip(5))
    assert metric.compute().item() == pytest.approx(1)
    assert metric.undefined.item() == 1


def test_it_has_no_value_per_frame():
    assert metrics.create("motion_range_ratio").per_frame(clip(4), clip(4)) is None
