from __future__ import annotations

from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipbench.metrics.alignment import align, evenly_spaced
from lipbench.metrics.protocols import Length

RULES = get_args(Length)
lengths = st.integers(1, 40)


def numbered(values: list[float]) -> torch.Tensor:
    """A clip whose every frame is flat and of the given brightness."""
    return torch.tensor(values, dtype=torch.float32)[:, None, None, None].expand(len(values), 3, 20, 40)


def ramp(frames: int) -> torch.Tensor:
    return numbered([t / max(frames - 1, 1) for t in range(frames)])


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(RULES), lengths, lengths)
def test_sides_come_out_equally_long_in_order_and_within_their_clips(rule, n, m):
    alignment = align(ramp(n), ramp(m), rule)
    for side, frames in ((alignment.preds, n), (alignment.target, m)):
        assert len(side) == len(alignment.preds) > 0
        assert all(0 <= a <= b < frames for a, b in pairwise([*side.tolist(), int(side[-1])]))
    preds, target = alignment.apply(ramp(n), ramp(m))
    assert preds.shape == target.shape


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("frames", [1, 2, 17])
def test_equal_clips_are_left_as_they_are(rule, frames):
    generator = torch.Generator().manual_seed(0)
    clip = torch.rand(frames, 3, 20, 40, generator=generator)
    alignment = align(clip, clip, rule)
    assert alignment.preds.tolist() == alignment.target.tolist() == list(range(frames))
    assert alignment.effect == (frames, frames, frames, 0, 0, 0, 0)


def test_truncation_loses_the_end_of_the_longer():
    for n, m in ((3, 5), (5, 3)):
        alignment = align(ramp(n), ramp(m), "truncate")
        assert alignment.preds.tolist() == alignment.target.tolist() == [0, 1, 2]
        assert (alignment.effect.preds_dropped, alignment.effect.target_dropped) == (n - 3, m - 3)


def test_holding_repeats_the_end_of_the_shorter():
    alignment = align(ramp(3), ramp(5), "hold")
    assert alignment.preds.tolist() == [0, 1, 2, 2, 2]
    assert alignment.target.tolist() == [0, 1, 2, 3, 4]
    effect = alignment.effect
    assert (effect.scored, effect.preds_repeated, effect.target_repeated) == (5, 2, 0)
    assert (effect.preds_dropped, effect.target_dropped) == (0, 0)


@settings(max_examples=30, deadline=None)
@given(lengths, lengths)
def test_resampling_takes_the_frames_that_eats_script_takes(n, m):
    alignment = align(ramp(n), ramp(m), "resample")
    shorter = min(n, m)
    for side, frames in ((alignment.preds, n), (alignment.target, m)):
        # the script's own float arithmetic falls one short of the whole number now and then
        exact = [k * frames // shorter for k in range(shorter)]
        script = np.linspace(0, frames, shorter, endpoint=False).astype(np.int32)
        assert side.tolist() == exact
        assert (np.abs(side.numpy() - script) <= 1).all()


def test_warping_finds_held_frames_and_uses_every_frame():
    generated = numbered([0.1, 0.1, 0.1, 0.5, 0.9])
    real = numbered([0.1, 0.5, 0.5, 0.9, 0.9])
    alignment = align(generated, real, "dtw")
    preds, target = alignment.apply(generated, real)
    assert torch.equal(preds, target)
    assert set(alignment.preds.tolist()) == set(alignment.target.tolist()) == set(range(5))
    assert alignment.effect.preds_repeated > 0
    assert alignment.effect.preds_dropped == 0


def test_warping_undoes_a_change_of_speed_that_the_other_rules_do_not():
    real = ramp(20)
    # the first half takes three times as long, the second is right
    generated = real[[t for t in range(10) for _ in range(3)] + list(range(10, 20))]
    errors = {}
    for rule in RULES:
        preds, target = align(generated, real, rule).apply(generated, real)
        errors[rule] = (preds - target).abs().mean().item()
    assert errors["dtw"] == 0
    assert min(errors[rule] for rule in RULES if rule != "dtw") > 0.05


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_no_pairing_by_frame_number_costs_less_than_the_warped_one(seed):
    generator = torch.Generator().manual_seed(seed)
    a, b = torch.rand(7, 3, 20, 40, generator=generator), torch.rand(7, 3, 20, 40, generator=generator)
    warped = align(a, b, "dtw")

    def cost(preds, target):
        small = [
            torch.nn.functional.adaptive_avg_pool2d(
                (side.double() * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(dim=1, keepdim=True), (10, 20)
            )
            for side in (preds, target)
        ]
        return (small[0] - small[1]).square().mean(dim=(1, 2, 3)).sqrt()

    # a diagonal step weighs twice, as the symmetric pattern says; the first pair weighs once
    steps = torch.stack([warped.preds.diff(), warped.target.diff()]).sum(dim=0)
    weights = torch.cat([torch.ones(1, dtype=torch.int64), steps])
    assert (weights * cost(*warped.apply(a, b))).sum() <= cost(a, b)[0] + 2 * cost(a, b)[1:].sum() + 1e-9


def test_landmarks_and_frames_share_one_alignment():
    alignment = align(ramp(4), ramp(6), "resample")
    points = torch.arange(6.0)[:, None, None].expand(6, 20, 2)
    _, target = alignment.apply(points[:4], points)
    assert target[:, 0, 0].tolist() == [0.0, 1.0, 3.0, 4.0]


def test_sides_of_other_clips_are_refused():
    alignment = align(ramp(4), ramp(6), "truncate")
    with pytest.raises(ValueError, match="of 4 and 6 frames, not of 6 and 6"):
        alignment.apply(ramp(6), ramp(6))


@pytest.mark.parametrize("rule", RULES)
def test_a_clip_without_frames_is_refused(rule):
    with pytest.raises(ValueError, match="preds have 0, target 3"):
        align(ramp(3)[:0], ramp(3), rule)


def test_an_unknown_rule_is_named():
    with pytest.raises(ValueError, match="stretch"):
        align(ramp(3), ramp(3), "stretch")  # pyright: ignore[reportArgumentType]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 200), st.integers(1, 200))
def test_sampled_frames_are_evenly_spaced(n, count):
    taken = evenly_spaced(n, count).tolist()
    assert len(taken) == min(n, count) == len(set(taken))
    assert taken == sorted(taken)
    assert taken[0] >= 0
    assert taken[-1] < n
    if count < n:
        steps = np.diff(taken)
        assert len(steps) == 0 or steps.max() - steps.min() <= 1
        assert abs(taken[0] - (n - 1 - taken[-1])) <= n / count / 2 + 1


def test_all_frames_are_sampled_by_none():
    assert evenly_spaced(5, None).tolist() == [0, 1, 2, 3, 4]
