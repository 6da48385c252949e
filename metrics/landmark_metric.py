"""Metrics of the mouth's landmarks: each side twenty points per frame."""

from __future__ import annotations

import torch
from torch import Tensor

from lipbench.metrics.clip_metric import ClipMetric, check_lengths

NO_COMMON_FRAME = "no frame has landmarks on both sides"


class LandmarkMetric(ClipMetric):
    """A metric of mouth landmarks, float (T, 20, 2) on each side: dlib's points 48 to 67, (x, y) in crop pixels.

    A frame in which the landmarker failed is all NaN. It is left out of the clip's value, never scored as if it were
    perfect; the landmark failure metrics, which stand beside the others, count such frames on each side.
    """

    takes = "landmarks"
    aligned = True

    def _checked(self, preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        for side, points in (("preds", preds), ("target", target)):
            check_points(side, points)
        check_lengths(preds, target, "frames")
        return preds.double(), target.double()


def failed_frames(points: Tensor) -> Tensor:
    """Frames without landmarks, or without a descriptor.

    Args:
        points: float (T, …), NaN where the landmarker failed.

    Returns:
        bool (T,).
    """
    return torch.isnan(points).flatten(1).any(dim=1)


def check_points(side: str, points: Tensor) -> None:
    """Refuse what is no clip of mouth landmarks.

    Args:
        side: what to call it in the message.
        points: what was given.

    Raises:
        ValueError: naming shape or dtype; a point is infinite, or a frame is NaN in part.
    """
    if points.ndim != 3 or points.shape[1:] != (20, 2) or len(points) == 0:
        raise ValueError(f"{side} must be landmarks (T, 20, 2) of at least one frame, not {tuple(points.shape)}")
    check_rows(side, points)


def check_rows(side: str, rows: Tensor) -> None:
    """Refuse numbers that are not floating point or are infinite, and rows that are NaN in part.

    Raises:
        ValueError: naming what was given.
    """
    if not rows.is_floating_point():
        raise ValueError(f"{side} must be floating point, not {rows.dtype}")
    if torch.isinf(rows).any():
        raise ValueError(f"{side} holds infinite numbers")
    gaps = torch.isnan(rows).flatten(1)
    if (gaps.any(dim=1) & ~gaps.all(dim=1)).any():
        raise ValueError(f"{side} has frames that are NaN in part: a frame without a result is NaN as a whole")
