"""What two stacks of images must satisfy before they are compared."""

from __future__ import annotations

from torch import Tensor


def check_pair(preds: Tensor, target: Tensor) -> None:
    """Refuse anything but two float stacks of the same shape.

    Args:
        preds: float (N, C, H, W).
        target: float (N, C, H, W).

    Raises:
        ValueError: naming the shapes or dtypes that were given.
    """
    if preds.ndim != 4 or preds.shape != target.shape:
        raise ValueError(
            f"preds and target must both be (N, C, H, W), not {tuple(preds.shape)} and {tuple(target.shape)}"
        )
    if not (preds.is_floating_point() and target.is_floating_point()):
        raise ValueError(f"preds and target must be floating point, not {preds.dtype} and {target.dtype}")


def check_range(data_range: float) -> None:
    """Refuse a span of pixel values that is not positive.

    Raises:
        ValueError: naming the value that was given.
    """
    if not data_range > 0:
        raise ValueError(f"data_range must be positive, not {data_range}")
