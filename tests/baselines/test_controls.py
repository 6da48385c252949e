from __future__ import annotations

import pytest
import torch

from baselines import controls
from models.errors import UnknownNameError

TRUTH = torch.rand(5, 3, 4, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", controls.names())
def test_a_control_gives_as_many_frames_and_leaves_the_truth_alone(name):
    before = TRUTH.clone()
    made = controls.get(name).make(TRUTH)
    assert made.shape == TRUTH.shape
    assert torch.equal(TRUTH, before)
    assert controls.get(name).title
    assert controls.get(name).why


def test_the_controls_are_what_they_say():
    assert torch.equal(controls.get("ground_truth").make(TRUTH), TRUTH)
    assert all(torch.equal(frame, TRUTH[0]) for frame in controls.get("first_frame").make(TRUTH))
    assert all(torch.equal(frame, TRUTH.mean(dim=0)) for frame in controls.get("mean_frame").make(TRUTH))


def test_the_mean_frame_is_the_best_motionless_mouth_in_squared_error():
    def error(name: str) -> float:
        return float((controls.get(name).make(TRUTH) - TRUTH).square().mean())

    assert error("ground_truth") == 0 < error("mean_frame") < error("first_frame")


def test_a_miss_says_what_was_meant():
    with pytest.raises(UnknownNameError, match="Did you mean 'first_frame'"):
        controls.get("firstframe")
