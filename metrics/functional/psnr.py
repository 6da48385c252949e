"""Peak signal-to-noise ratio."""

from __future__ import annotations

import torch
from torch import Tensor

from lipbench.metrics.functional.pairs import check_pair, check_range


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


def psnr_wrapping(preds: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio as old scripts computed it: on 8-bit arrays, which wrap around.

    Differences and squares are taken modulo 256: the squared error of a pixel is at most 255, so no image scores below
    24.07 dB, and large errors may count less than small ones. Only good for reproducing numbers published so.

    Source: function ``psnr_f`` of ``fun_test.py`` in lelechen63/3d_gan, the same in ATVGnet; both cap equal images at
    100 dB, which is the protocol's business here.

    Args:
        preds: uint8 (N, C, H, W).
        target: uint8 (N, C, H, W).

    Returns:
        float64 (N,) in dB, infinite for images whose differences are all multiples of 16.

    Raises:
        ValueError: the shapes differ or are not 4-D, or a dtype is not uint8.

    Example:
        >>> black = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
        >>> psnr_wrapping(black, black + 16).item(), round(psnr_wrapping(black, black + 15).item(), 2)
        (inf, 24.61)
    """
    if preds.ndim != 4 or preds.shape != target.shape:
        raise ValueError(
            f"preds and target must both be (N, C, H, W), not {tuple(preds.shape)} and {tuple(target.shape)}"
        )
    if preds.dtype != torch.uint8 or target.dtype != torch.uint8:
        raise ValueError(f"preds and target must be uint8, not {preds.dtype} and {target.dtype}")
    difference = preds - target
    error = (difference * difference).double().mean(dim=(1, 2, 3))
    return 10.0 * torch.log10(255.0**2 / error)
