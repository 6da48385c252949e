"""Landmark distance of mouths."""

from __future__ import annotations

from typing import get_args

from torch import Tensor

from lipbench.metrics.functional.points import check_points
from lipbench.metrics.protocols import OverPoints


def lmd(preds: Tensor, target: Tensor, *, centred: bool = False, over_points: OverPoints = "mean") -> Tensor:
    """Euclidean distance between the mouth landmarks of each frame.

    Source: Chen, Li, Maddox, Duan and Xu, "Lip movements generation at a glance", ECCV 2018, section 4.1; its script
    (``fun_test.py`` in lelechen63/3d_gan) centres and sums over the points, most later ones take the mean.

    Args:
        preds: float (N, 20, 2), (x, y) in pixels.
        target: float (N, 20, 2).
        centred: subtract the mean of the twenty points first, in each frame and on each side, so that only the shape
            of the mouth counts and not its place.
        over_points: "mean" or "sum" of the twenty distances.

    Returns:
        float (N,) in pixels, lower is better, 0 for equal points; NaN in frames in which a side has no landmarks.

    Raises:
        ValueError: a shape, a dtype or an option is wrong.

    Example:
        >>> import torch
        >>> mouth = torch.rand(1, 20, 2)
        >>> moved = mouth + torch.tensor([3.0, 4.0])
        >>> round(lmd(moved, mouth).item(), 3), round(lmd(moved, mouth, centred=True).item(), 3)
        (5.0, 0.0)
    """
    check_points(preds, target)
    if over_points not in get_args(OverPoints):
        raise ValueError(f"over_points must be 'mean' or 'sum', not '{over_points}'")
    offsets = preds - target
    if centred:
        # centring either side first comes to the same, as the mean is linear
        offsets = offsets - offsets.mean(dim=1, keepdim=True)
    distances = offsets.square().sum(dim=-1).sqrt()
    return distances.mean(dim=1) if over_points == "mean" else distances.sum(dim=1)
