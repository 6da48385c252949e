"""Metrics of landmarks: their formulas, and what a frame without landmarks does to each."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipbench import metrics
from lipbench.metrics.functional import (
    aperture,
    aperture_correlation,
    aperture_range_ratio,
    landmark_velocity_error,
    lmd,
)
from lipbench.metrics.functional.aperture_correlation import MOTIONLESS_PX

NAN = float("nan")


def points(seed: int, frames: int = 8) -> torch.Tensor:
    return 40 * torch.rand(frames, 20, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mouth(openings: list[float]) -> torch.Tensor:
    """Closed lips on a line, of which the lower inner points move down by the opening."""
    closed = torch.zeros(len(openings), 20, 2, dtype=torch.float64)
    closed[..., 0] = torch.arange(20)
    closed[:, 12:20, 0] = torch.tensor([0.0, 1, 2, 3, 4, 3, 2, 1], dtype=torch.float64)
    closed[:, 17:20, 1] = torch.tensor(openings, dtype=torch.float64)[:, None]
    return closed


# --- distance ---------------------------------------------------------------------------------------------------------


def test_distance_is_that_of_numpy():
    a, b = points(0), points(1)
    expected = np.linalg.norm(a.numpy() - b.numpy(), axis=-1).mean(axis=1)
    np.testing.assert_allclose(lmd(a, b), expected, rtol=1e-12)
    np.testing.assert_allclose(lmd(a, b, over_points="sum"), 20 * expected, rtol=1e-12)
    a0, b0 = (side.numpy() - side.numpy().mean(axis=1, keepdims=True) for side in (a, b))
    np.testing.assert_allclose(lmd(a, b, centred=True), np.linalg.norm(a0 - b0, axis=-1).mean(axis=1), rtol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(-50, 50), st.floats(-50, 50))
def test_moving_the_mouth_counts_only_uncentred(seed, x, y):
    a = points(seed)
    moved = a + torch.tensor([x, y], dtype=torch.float64)
    torch.testing.assert_close(lmd(moved, a), torch.full((8,), math.hypot(x, y), dtype=torch.float64))
    torch.testing.assert_close(lmd(moved, a, centred=True), torch.zeros(8, dtype=torch.float64), atol=1e-12, rtol=0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_distance_is_one(seed):
    a, b, c = points(seed), points(seed + 1), points(seed + 2)
    assert (lmd(a, a) == 0).all()
    torch.testing.assert_close(lmd(a, b), lmd(b, a))
    assert (lmd(a, c) <= lmd(a, b) + lmd(b, c) + 1e-9).all()


def test_a_frame_without_landmarks_has_no_distance_and_is_left_out_of_the_clip():
    preds, target = points(0), points(1)
    expected = lmd(preds, target)[[0, 1, 2, 4, 5, 7]].mean().item()
    preds[3], target[6] = NAN, NAN
    scored = metrics.create("lmd").score(preds, target)
    assert scored.frames is not None
    assert torch.isnan(scored.frames).nonzero().flatten().tolist() == [3, 6]
    assert scored.value == pytest.approx(expected, rel=1e-12)
    assert scored.weight == 1


def test_pooled_frames_weigh_a_clip_by_the_frames_that_count():
    preds, target = points(0), points(1)
    preds[:3] = NAN
    assert metrics.create("lmd", "lelechen63-2018").score(preds, target).weight == 5


@pytest.mark.parametrize(
    "name", ["lmd", "lmd_centred", "aperture_correlation", "aperture_range_ratio", "landmark_velocity_error"]
)
def test_a_clip_without_landmarks_has_no_value_and_a_reason(name):
    metric = metrics.create(name)
    nothing = torch.full((8, 20, 2), NAN)
    for pair in ((nothing, points(0)), (points(0), nothing)):
        assert "landmarks on both sides" in (metric.score(*pair).reason or "")
        metric.update(*pair)
    assert metric.undefined.item() == 2
    assert metric.clips.item() == 0
    assert math.isnan(metric.compute().item())
    metric.update(points(0), points(1))
    assert metric.compute().item() == metric.per_clip(points(0), points(1)).item()


@pytest.mark.parametrize("name", ["lmd", "lmd_centred"])
def test_the_centred_distance_is_centred_under_every_protocol(name):
    moved = points(0) + 5
    for protocol in metrics.protocols.names():
        value = metrics.create(name, protocol).per_clip(moved, points(0)).item()
        centred = name == "lmd_centred" or protocol in ("lelechen63-2018", "eat-2023")
        assert value == pytest.approx(0 if centred else 5 * 2**0.5, abs=1e-9)


def test_failures_are_counted_on_their_own_side():
    preds, target = points(0), points(1)
    preds[:2], target[0] = NAN, NAN
    assert metrics.create("landmark_failure_preds").per_clip(preds, target).item() == 25
    assert metrics.create("landmark_failure_target").per_clip(preds, target).item() == 12.5


# --- opening ----------------------------------------------------------------------------------------------------------


def test_aperture_is_the_distance_of_the_inner_lips():
    torch.testing.assert_close(aperture(mouth([0.0, 3.0, 7.5])), torch.tensor([0.0, 3.0, 7.5], dtype=torch.float64))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(-math.pi, math.pi))
def test_aperture_does_not_depend_on_the_tilt_of_the_head(seed, angle):
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=torch.float64)
    torch.testing.assert_close(aperture(points(seed) @ turn), aperture(points(seed)))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 20), min_size=6, max_size=6), st.lists(st.floats(0, 20), min_size=6, max_size=6))
def test_correlation_is_numpys(generated, real):
    if min(np.ptp(generated), np.ptp(real)) < 2 * MOTIONLESS_PX:
        return
    r = aperture_correlation(mouth(generated), mouth(real)).item()
    assert r == pytest.approx(np.corrcoef(generated, real)[0, 1], abs=1e-9)


def test_correlation_knows_the_sign_and_neither_size_nor_offset():
    real = [1.0, 4.0, 2.0, 8.0, 5.0]
    assert aperture_correlation(mouth([0.3 * x + 2 for x in real]), mouth(real)).item() == pytest.approx(1)
    assert aperture_correlation(mouth([10 - x for x in real]), mouth(real)).item() == pytest.approx(-1)


def test_a_mouth_that_does_not_move_scores_zero_and_a_real_one_gives_no_value():
    metric = metrics.create("aperture_correlation")
    still, moving = mouth([3.0] * 5), mouth([1.0, 4.0, 2.0, 8.0, 5.0])
    assert metric(still, moving).item() == 0
    assert math.isnan(metric(moving, still).item())
    assert "does not move" in (metric.score(moving, still).reason or "")
    assert "does not move" in (metric.score(still, still).reason or "")
    assert metric.compute().item() == 0
    assert (metric.clips.item(), metric.undefined.item()) == (1, 1)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**16), st.floats(0, 3900))
def test_a_still_mouth_that_the_head_carries_through_a_large_picture_does_not_move(seed, place):
    """Coordinates are float32: the opening of a mouth that is only carried changes by rounding."""
    steps = torch.rand(40, 1, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    carried = (mouth([3.0 + 1 / 3] * 40) + place + 20 * steps).float()
    moving = mouth([1.0, 4.0, 2.0, 8.0, 5.0] * 8)
    assert aperture_correlation(carried, moving).item() == 0
    assert aperture_correlation(moving, carried).isnan()
    assert aperture_range_ratio(moving, carried).isnan()


def test_one_step_of_the_predictor_in_one_point_is_motion():
    """It answers in steps of the face's side / 512, and the smallest face that is found has 40 pixels."""
    stepped = mouth([3.0] * 5)
    stepped[2, 13, 1] -= 40 / 512
    assert aperture_correlation(stepped, stepped).item() == pytest.approx(1)


def test_two_frames_have_no_correlation():
    metric = metrics.create("aperture_correlation")
    assert "fewer than 3" in (metric.score(mouth([1.0, 2.0]), mouth([1.0, 2.0])).reason or "")


def test_frames_without_landmarks_are_left_out_of_the_correlation():
    generated, real = [1.0, 9.0, 2.0, 7.0, 5.0], [2.0, 4.0, 3.0, 8.0, 5.0]
    preds, target = mouth(generated), mouth(real)
    preds[1], target[3] = NAN, NAN
    expected = np.corrcoef([1, 2, 5], [2, 3, 5])[0, 1]
    assert aperture_correlation(preds, target).item() == pytest.approx(expected)


# --- range of the opening ---------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 3), st.floats(0, 20))
def test_a_mouth_that_opens_some_share_as_far_has_that_ratio_whatever_its_rest(share, rest):
    real = [0.0, 4.0, 9.0, 2.0, 7.0]
    ratio = aperture_range_ratio(mouth([share * x + rest for x in real]), mouth(real)).item()
    assert ratio == pytest.approx(share, abs=1e-9)


def test_the_range_is_that_of_numpy_over_the_frames_that_both_sides_have():
    preds, target = mouth([1.0, 9.0, 2.0, 7.0, 5.0]), mouth([2.0, 4.0, 3.0, 8.0, 5.0])
    preds[1], target[3] = NAN, NAN
    expected = np.std([1, 2, 5]) / np.std([2, 3, 5])
    assert aperture_range_ratio(preds, target).item() == pytest.approx(expected)


def test_the_range_does_not_ask_when():
    real = [0.0, 4.0, 9.0, 2.0, 7.0]
    assert aperture_range_ratio(mouth(real[::-1]), mouth(real)).item() == pytest.approx(1)


@pytest.mark.parametrize("name", ["aperture_correlation", "aperture_range_ratio"])
def test_openings_that_cannot_be_compared_have_a_reason(name):
    metric, moving = metrics.create(name), mouth([0.0, 4.0, 9.0, 2.0])
    lost = torch.full_like(moving, NAN)
    assert metric.score(moving, mouth([3.0] * 4)).reason == "the real mouth does not move"
    assert metric.score(moving, lost).reason == "no frame has landmarks on both sides"
    assert "fewer than 3" in (metric.score(moving[:2], moving[:2]).reason or "")
    assert metric.score(mouth([3.0] * 4), moving).value == 0


# --- velocity ---------------------------------------------------------------------------------------------------------


def test_velocity_error_is_that_of_numpy():
    a, b = points(0), points(1)
    expected = np.linalg.norm(np.diff(a.numpy(), axis=0) - np.diff(b.numpy(), axis=0), axis=-1).mean(axis=1)
    np.testing.assert_allclose(landmark_velocity_error(a, b), expected, rtol=1e-12)


def test_a_mouth_at_the_wrong_place_that_moves_right_has_no_velocity_error():
    assert metrics.create("landmark_velocity_error").per_clip(points(0) + 7, points(0)).item() == pytest.approx(
        0, abs=1e-9
    )


def test_a_still_mouth_errs_by_the_real_speed():
    real = torch.zeros(5, 20, 2)
    real[..., 1] = 3.0 * torch.arange(5)[:, None]
    assert metrics.create("landmark_velocity_error").per_clip(torch.zeros(5, 20, 2), real).item() == pytest.approx(3.0)


def test_a_step_needs_landmarks_in_both_its_frames():
    preds, target = points(0), points(1)
    preds[3] = NAN
    steps = landmark_velocity_error(preds, target)
    assert torch.isnan(steps).nonzero().flatten().tolist() == [2, 3]
    value = metrics.create("landmark_velocity_error").per_clip(preds, target).item()
    assert value == pytest.approx(steps[[0, 1, 4, 5, 6]].mean().item())


def test_a_single_frame_has_no_velocity():
    assert "two frames" in (metrics.create("landmark_velocity_error").score(points(0, 1), points(1, 1)).reason or "")
    with pytest.raises(ValueError, match="two frames"):
        landmark_velocity_error(points(0, 1), points(1, 1))


@pytest.mark.parametrize("measure", [lmd, aperture_correlation, aperture_range_ratio, landmark_velocity_error])
@pytest.mark.parametrize(
    ("preds", "named"),
    [
        (torch.zeros(4, 20, 3), r"\(4, 20, 3\)"),
        (torch.zeros(4, 68, 2), r"\(4, 68, 2\)"),
        (torch.zeros(5, 20, 2), r"\(5, 20, 2\)"),
        (torch.zeros(4, 20, 2, dtype=torch.int64), "int64"),
    ],
)
def test_misuse_is_named(measure, preds, named):
    with pytest.raises(ValueError, match=named):
        measure(preds, torch.zeros(4, 20, 2))


def test_an_unknown_way_to_take_the_points_together_is_named():
    with pytest.raises(ValueError, match="median"):
        lmd(points(0), points(1), over_points="median")  # pyright: ignore[reportArgumentType]
