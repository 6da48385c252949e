"""What two stacks of mouth landmarks must satisfy before they are compared."""

from __future__ import annotations

from torch import Tensor


def check_points(preds: Tensor, target: Tensor) -> None:
    """Refuse anything but two float stacks of twenty points.

    Args:
        preds: float (N, 20, 2).
        target: float (N, 20, 2).

    Raises:
        ValueError: naming the shapes or dtypes that were given.
    """
    if preds.shape != target.shape or preds.ndim != 3 or preds.shape[1:] != (20, 2):
        raise ValueError(
            f"preds and target must both be (N, 20, 2), not {tuple(preds.shape)} and {tuple(target.shape)}"
        )
    if not (preds.is_floating_point() and target.is_floating_point()):
        raise ValueError(f"preds and target must be floating point, not {preds.dtype} and {target.dtype}")
