"""Peak signal-to-noise ratio."""

from __future__ import annotations

import torch
from torch import Tensor

from metrics.functional.pairs import check_pair, check_range


def psnr(preds: Tensor, target: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio of each image, ``10 log10(data_range^2 / MSE)``.

    The mean squared error is taken over channels and pixels of one image together, as scikit-image does for a colour
    image. Equal images have no error and score infinity: a cap belongs to the protocol, not to the formula.

    Args:
        preds: float (N, C, H, W).
        target: float (N, C, H, W).
        data_range: span of the pixel values, 1.0 for images in [0, 1].

    Returns:
        float (N,) in dB, higher is better, infinite for equal images.

    Raises:
        ValueError: the shapes differ or are not 4-D, a dtype is not floating, or the range is not positive.

    Example:
        >>> psnr(torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.1)).round().tolist()
        [20.0]
    """
    check_pair(preds, target)
    check_range(data_range)
    error = (preds - target).square().mean(dim=(1, 2, 3))
    return 10.0 * torch.log10(data_range**2 / error)
