"""Structural similarity in a sliding window, gaussian or uniform.

Source: Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural similarity",
IEEE TIP 2004, eq. 13 with K1 = 0.01, K2 = 0.03.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import get_args

import torch
from torch import Tensor

from metrics.functional.pairs import check_pair, check_range
from metrics.protocols import Border, Covariance, Weights  # from there, as protocols are listed without torch

K1 = 0.01
K2 = 0.03
SIGMA = 1.5
BLOCK = 40
"""Outputs of one block of the blur; the fastest of those tried at 80 x 160."""


def ssim(
    preds: Tensor,
    target: Tensor,
    *,
    data_range: float = 1.0,
    window: int = 11,
    weights: Weights = "gaussian",
    sigma: float | None = None,
    covariance: Covariance = "population",
    border: Border = "valid",
) -> Tensor:
    """Structural similarity of each image: the mean of the similarity map over pixels and channels.

    Differentiable, so the training loss and the score are the same function. Half precision is widened to float32, as
    the variances are small differences of large numbers.

    Args:
        preds: float (N, C, H, W).
        target: float (N, C, H, W).
        data_range: span of the pixel values, 1.0 for images in [0, 1].
        window: side of the window in pixels, odd.
        weights: "gaussian", or "uniform": every pixel of the window counts alike.
        sigma: standard deviation of the gaussian in pixels, 1.5 by default; None for uniform weights.
        covariance: "population" weighs deviations by the window; "sample" multiplies by n / (n - 1) with n the pixels
            of the window, as scikit-image does.
        border: "valid" keeps only windows inside the image (the map is window - 1 smaller); "reflect" mirrors the image
            at its edges, without repeating the edge pixel.

    Returns:
        float (N,) in [-1, 1], higher is better, 1 for equal images.

    Raises:
        ValueError: the shapes differ or are not 4-D, a dtype is not floating, the image is smaller than the window, or
            an option is out of range.

    Example:
        >>> image = torch.linspace(0, 1, 3 * 16 * 16).reshape(1, 3, 16, 16)
        >>> round(ssim(image, image).item(), 6)
        1.0
    """
    check_pair(preds, target)
    check_range(data_range)
    if weights == "gaussian" and sigma is None:
        sigma = SIGMA
    _check_window(window, weights, sigma, covariance, border, size=(preds.shape[-2], preds.shape[-1]))
    # Autocast would run the products below in half precision, where the variances drown in rounding.
    with torch.autocast(device_type=preds.device.type, enabled=False):
        similarity = _similarity_map(
            *_widened(preds, target),
            data_range=data_range,
            window=window,
            sigma=sigma,
            covariance=covariance,
            border=border,
        )
    return similarity.mean(dim=(1, 2, 3))


def _similarity_map(
    preds: Tensor,
    target: Tensor,
    *,
    data_range: float,
    window: int,
    sigma: float | None,
    covariance: Covariance,
    border: Border,
) -> Tensor:
    # Variances do not depend on the origin; one in the middle of the range loses the fewest digits in E[x^2] - E[x]^2.
    middle = 0.5 * data_range
    x, y = preds - middle, target - middle
    # One pass over four maps instead of five: only the sum of the two variances is needed.
    blurred = _blur(torch.cat([x, y, x * x + y * y, x * y]), window, sigma, border)
    mean_x, mean_y, squares, product = blurred.chunk(4)
    unbias = window**2 / (window**2 - 1) if covariance == "sample" else 1.0
    variances = unbias * (squares - mean_x * mean_x - mean_y * mean_y)
    shared = unbias * (product - mean_x * mean_y)
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    mean_x, mean_y = mean_x + middle, mean_y + middle
    luminance = (2 * mean_x * mean_y + c1) / (mean_x * mean_x + mean_y * mean_y + c1)
    return luminance * (2 * shared + c2) / (variances + c2)


def _blur(images: Tensor, window: int, sigma: float | None, border: Border) -> Tensor:
    # Both windows are separable, and each pass is a product with a banded matrix, done in blocks along the band so that
    # little of the product is with zeros. On CPUs that runs five to ten times faster than a grouped convolution with a
    # 1 x 11 kernel, forward and backward. Flat views and `bmm` spare the copies that `matmul` would make.
    height, width = images.shape[-2:]
    options = {"window": window, "sigma": sigma, "border": border, "dtype": images.dtype, "device": images.device}
    rows = images.reshape(-1, width)
    blocks = [rows[:, sources] @ weights for sources, weights in _blocks(width, **options)]
    stack = torch.cat(blocks, dim=1).view(-1, height, sum(block.shape[1] for block in blocks))
    blocks = [
        torch.bmm(weights.mT.expand(len(stack), -1, -1), stack[:, sources])
        for sources, weights in _blocks(height, **options)
    ]
    blurred = torch.cat(blocks, dim=1)
    return blurred.view(*images.shape[:-2], *blurred.shape[1:])


def _blocks(
    size: int, *, window: int, sigma: float | None, border: Border, dtype: torch.dtype, device: torch.device
) -> Iterator[tuple[slice, Tensor]]:
    """The band cut along its columns: which sources a block of outputs needs, and their weights (sources, outputs)."""
    band = _band(size, window, sigma, border, dtype=dtype, device=device)
    before, after = (0, window - 1) if border == "valid" else (window // 2, window // 2)
    for start in range(0, band.shape[1], BLOCK):
        end = min(start + BLOCK, band.shape[1])
        # mirrored sources lie on the near side of the edge, within the same reach
        sources = slice(max(start - before, 0), min(end + after, size))
        yield sources, band[sources, start:end]


def _band(
    size: int, window: int, sigma: float | None, border: Border, *, dtype: torch.dtype, device: torch.device
) -> Tensor:
    offsets = torch.arange(window, device=device) - window // 2
    # Weights in float64, so that they sum to 1 as nearly as the target dtype can say.
    offsets_in_sigmas = offsets.double() / (math.inf if sigma is None else sigma)
    weights = torch.exp(-0.5 * offsets_in_sigmas**2)
    weights = (weights / weights.sum()).to(dtype)
    margin = window // 2 if border == "valid" else 0
    centres = torch.arange(margin, size - margin, device=device)
    sources = (centres[None, :] + offsets[:, None]).abs()
    sources = torch.where(sources >= size, 2 * (size - 1) - sources, sources)
    band = torch.zeros(size, len(centres), dtype=dtype, device=device)
    return band.scatter_add_(0, sources, weights[:, None].expand(-1, len(centres)))


def _widened(preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    common = torch.promote_types(torch.promote_types(preds.dtype, target.dtype), torch.float32)
    return preds.to(common), target.to(common)


def _check_window(
    window: int, weights: str, sigma: float | None, covariance: str, border: str, *, size: tuple[int, int]
) -> None:
    if window < 3 or window % 2 == 0:
        raise ValueError(f"window must be odd and at least 3, not {window}")
    if weights not in get_args(Weights):
        raise ValueError(f"weights must be 'gaussian' or 'uniform', not '{weights}'")
    if weights == "uniform" and sigma is not None:
        raise ValueError(f"a uniform window has no sigma, and {sigma} was given")
    if sigma is not None and not sigma > 0:
        raise ValueError(f"sigma must be positive, not {sigma}")
    if covariance not in get_args(Covariance):
        raise ValueError(f"covariance must be 'population' or 'sample', not '{covariance}'")
    if border not in get_args(Border):
        raise ValueError(f"border must be 'valid' or 'reflect', not '{border}'")
    if min(size) < window:
        raise ValueError(f"images of {size[0]} x {size[1]} are smaller than the window of {window}")
