from __future__ import annotations

import pytest
import torch

from lipbench.baselines import controls
from lipbench.baselines.controls import ControlInputs
from lipbench.errors import UnknownNameError


def clip(seed: int, frames: int) -> torch.Tensor:
    return torch.rand(frames, 3, 8, 16, generator=torch.Generator().manual_seed(seed))


TRUTH, OTHER, RESAMPLED = clip(0, 9), clip(1, 6), clip(2, 9)
MATERIAL = ControlInputs(TRUTH, other=lambda: OTHER, round_trip=lambda: RESAMPLED)


def make(name: str) -> torch.Tensor:
    return controls.get(name).make(MATERIAL)


def error(name: str) -> float:
    return float((make(name) - TRUTH).square().mean())


@pytest.mark.parametrize("name", controls.names())
def test_a_control_gives_as_many_frames_and_leaves_the_truth_alone(name):
    before = TRUTH.clone()
    assert make(name).shape == TRUTH.shape
    assert torch.equal(TRUTH, before)
    assert controls.get(name).title
    assert controls.get(name).why


def test_titles_tell_controls_apart():
    titles = [controls.get(name).title for name in controls.names()]
    assert len(set(titles)) == len(titles)
    assert controls.get("shift_+1").title == "Truth, 1 frame late"
    assert controls.get("shift_-3").title == "Truth, 3 frames early"


def test_the_controls_are_what_they_say():
    assert torch.equal(make("ground_truth"), TRUTH)
    assert all(torch.equal(frame, TRUTH[0]) for frame in make("first_frame"))
    assert all(torch.equal(frame, TRUTH.mean(dim=0)) for frame in make("mean_frame"))
    assert torch.equal(make("crop_round_trip"), RESAMPLED)


def test_the_mean_frame_is_the_best_motionless_mouth_in_squared_error():
    assert error("ground_truth") == 0 < error("mean_frame") < error("first_frame")


def test_a_late_clip_begins_by_waiting_and_an_early_one_ends_so():
    late, early = make("shift_+3"), make("shift_-2")
    assert torch.equal(late[3:], TRUTH[:-3])
    assert all(torch.equal(frame, TRUTH[0]) for frame in late[:3])
    assert torch.equal(early[:-2], TRUTH[2:])
    assert all(torch.equal(frame, TRUTH[-1]) for frame in early[-2:])


def test_another_sentence_is_cut_or_held_to_the_length():
    assert torch.equal(make("other_sentence")[:6], OTHER)
    assert all(torch.equal(frame, OTHER[-1]) for frame in make("other_sentence")[6:])
    long = ControlInputs(TRUTH, other=lambda: clip(3, 30), round_trip=lambda: TRUTH)
    assert torch.equal(controls.get("other_sentence").make(long), clip(3, 30)[:9])


def test_blur_keeps_the_mean_and_loses_detail():
    truth = torch.rand(2, 3, 40, 80, generator=torch.Generator().manual_seed(4))
    made = controls.get("blur").make(ControlInputs(truth, other=lambda: truth, round_trip=lambda: truth))
    assert made.mean() == pytest.approx(float(truth.mean()), abs=0.01)
    assert made.var() < 0.2 * truth.var()


def test_averaging_takes_most_of_the_grain_and_little_of_a_slow_movement():
    grain = torch.rand(40, 3, 8, 16, generator=torch.Generator().manual_seed(5))
    made = controls.get("average_3").make(ControlInputs(grain, other=lambda: grain, round_trip=lambda: grain))
    assert torch.allclose(made[7], grain[6:9].mean(dim=0), atol=1e-6)
    # of neighbouring means all but the two outer frames cancel out
    assert made.diff(dim=0).abs().mean() == pytest.approx(float(grain.diff(dim=0).abs().mean()) / 3, rel=0.05)
    slow = torch.linspace(0, 1, 9)[:, None, None, None].expand(9, 3, 8, 16)
    kept = controls.get("average_3").make(ControlInputs(slow, other=lambda: slow, round_trip=lambda: slow))
    assert torch.allclose(kept[1:-1], slow[1:-1], atol=1e-6)


def test_a_control_is_made_from_what_it_needs_only():
    def forbidden() -> torch.Tensor:
        raise AssertionError("not asked for")

    alone = ControlInputs(TRUTH, other=forbidden, round_trip=forbidden)
    for name in set(controls.names()) - {"other_sentence", "crop_round_trip"}:
        controls.get(name).make(alone)


def test_a_miss_says_what_was_meant():
    with pytest.raises(UnknownNameError, match="Did you mean 'first_frame'"):
        controls.get("firstframe")
