"""Whether the mouth opens when it should: the check that pixel scores miss, as a still mouth scores well on them."""

from __future__ import annotations

import torch
from torch import Tensor

from lipbench.metrics.functional.points import check_points

INNER_LIP_PAIRS = ((13, 19), (14, 18), (15, 17))
"""Upper and lower point of the inner lip edge, left to right: 61 and 67, 62 and 66, 63 and 65 of dlib's 68."""
MOTIONLESS_PX = 1e-3
"""An opening that changes by less over a clip does not change.

Landmarks are float32, whose steps below 4096 pixels are 2.4e-4: of a mouth that is only carried along, rounding changes
the opening by less than this. dlib's predictor answers in steps of the face's side / 512: in the smallest face that
its detector finds, of 40 pixels, one point that goes up or down by one step changes the opening by 0.026 px.
"""
MIN_FRAMES = 3
"""Through two frames there is always a line, and r is 1 or -1."""


def aperture(points: Tensor) -> Tensor:
    """Opening of the inner lips: mean distance of the three pairs of points that face each other.

    Args:
        points: float (N, 20, 2), (x, y) in pixels.

    Returns:
        float (N,) in pixels, 0 for lips that touch; NaN in frames without landmarks.

    Raises:
        ValueError: a shape or dtype is wrong.
    """
    check_points(points, points)
    upper, lower = (list(side) for side in zip(*INNER_LIP_PAIRS, strict=True))
    return (points[:, lower] - points[:, upper]).square().sum(dim=-1).sqrt().mean(dim=1)


def aperture_correlation(preds: Tensor, target: Tensor) -> Tensor:
    """Pearson correlation of the generated and the real opening over one clip.

    Frames in which either side has no landmarks are left out. A generated mouth that does not move scores 0 by
    definition, as it says nothing about the real one. Definition: ours.

    Args:
        preds: float (T, 20, 2), (x, y) in pixels, NaN in frames without landmarks.
        target: float (T, 20, 2).

    Returns:
        float64 scalar in [-1, 1], higher is better; NaN where there is no value: the real mouth does not move, or fewer
        than three frames have landmarks on both sides.

    Raises:
        ValueError: a shape or dtype is wrong.
    """
    check_points(preds, target)
    preds_opening, target_opening = aperture(preds.double()), aperture(target.double())
    usable = ~(torch.isnan(preds_opening) | torch.isnan(target_opening))
    preds_opening, target_opening = preds_opening[usable], target_opening[usable]
    if len(target_opening) < MIN_FRAMES or is_motionless(target_opening):
        return target_opening.new_tensor(float("nan"))
    if is_motionless(preds_opening):
        return target_opening.new_zeros(())
    preds_opening, target_opening = preds_opening - preds_opening.mean(), target_opening - target_opening.mean()
    r = (preds_opening * target_opening).sum() / (preds_opening.square().sum() * target_opening.square().sum()).sqrt()
    return r.clamp(-1, 1)


def is_motionless(opening: Tensor) -> bool:
    """Whether an opening, float (T,) in pixels without NaN, stays the same."""
    return bool(opening.max() - opening.min() < MOTIONLESS_PX)
