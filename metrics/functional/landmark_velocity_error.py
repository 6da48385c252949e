"""Whether the mouth's points move as they should."""

from __future__ import annotations

from torch import Tensor

from lipbench.metrics.functional.points import check_points


def landmark_velocity_error(preds: Tensor, target: Tensor) -> Tensor:
    """Distance between the generated and the real velocity of each point, mean over the twenty.

    A mouth that is at the wrong place but moves right scores 0; a still mouth scores the real mouth's mean speed.

    Args:
        preds: float (T, 20, 2), (x, y) in pixels, NaN in frames without landmarks; T at least 2.
        target: float (T, 20, 2).

    Returns:
        float (T - 1,) in pixels per frame, lower is better; NaN where one of the two frames has no landmarks.

    Raises:
        ValueError: a shape or dtype is wrong, or there is a single frame.
    """
    check_points(preds, target)
    if len(preds) < 2:
        raise ValueError("a velocity needs two frames, not 1")
    return (preds.diff(dim=0) - target.diff(dim=0)).square().sum(dim=-1).sqrt().mean(dim=1)
