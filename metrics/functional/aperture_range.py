"""How far the mouth opens and closes: an amplitude of motion that the noise of camera and codec does not enter."""

from __future__ import annotations

from torch import Tensor

from lipbench.metrics.functional.aperture_correlation import MIN_FRAMES, aperture, is_motionless
from lipbench.metrics.functional.points import check_points


def aperture_range_ratio(preds: Tensor, target: Tensor) -> Tensor:
    """Standard deviation over time of the generated opening over that of the real one, over one clip.

    Frames in which either side has no landmarks are left out of both. Definition: ours.

    Args:
        preds: float (T, 20, 2), (x, y) in pixels, NaN in frames without landmarks.
        target: float (T, 20, 2).

    Returns:
        float64 scalar, at least 0; 1 is best, 0 is a mouth that does not move; NaN where there is no value: the real
        mouth does not move, or fewer than three frames have landmarks on both sides.

    Raises:
        ValueError: a shape or dtype is wrong.
    """
    check_points(preds, target)
    preds_opening, target_opening = aperture(preds.double()), aperture(target.double())
    usable = ~(preds_opening.isnan() | target_opening.isnan())
    preds_opening, target_opening = preds_opening[usable], target_opening[usable]
    if len(target_opening) < MIN_FRAMES or is_motionless(target_opening):
        return target_opening.new_tensor(float("nan"))
    return preds_opening.std(correction=0) / target_opening.std(correction=0)
