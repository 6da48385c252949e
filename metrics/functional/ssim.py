"""Structural similarity in a sliding window, gaussian or uniform.

Source: Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural similarity",
IEEE TIP 2004, eq. 13 with K1 = 0.01, K2 = 0.03.
"""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import get_args

import torch
from torch import Tensor

from lipbench.metrics.functional.pairs import check_pair, check_range
from lipbench.metrics.protocols import Border, Covariance, Weights

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
        return _mean_similarity(
            *_promote_dtypes(preds, target),
            data_range=data_range,
            window=window,
            sigma=sigma,
            covariance=covariance,
            border=border,
        )


def _mean_similarity(
    preds: Tensor,
    target: Tensor,
    *,
    data_range: float,
    window: int,
    sigma: float | None,
    covariance: Covariance,
    border: Border,
) -> Tensor:
    # Of x and y only their sum and difference and the squares of these are blurred: four maps instead of five, and with
    # p = E[s], q = E[d] the products of means and variances follow from p^2 +- q^2 and var s +- var d.
    # Variances do not depend on the origin; one in the middle of the range loses the fewest digits in E[s^2] - E[s]^2.
    height, width = preds.shape[2:]
    x, y = (side.permute(2, 0, 1, 3) for side in (preds, target))
    maps = torch.stack([x + y - data_range, x - y], dim=1)
    squares = maps * maps
    # Both windows are separable, and each pass is a product with a banded matrix, done in blocks along the band so that
    # little of the product is with zeros. On CPUs that runs five to ten times faster than a grouped convolution with a
    # 1 x 11 kernel, forward and backward. With rows before frames each is one large product of matrices. Each block is
    # followed to its share of the mean while it is in the cache.
    bands = partial(_bands, window=window, sigma=sigma, border=border, dtype=maps.dtype, device=maps.device)
    similarity = partial(
        _similarity,
        origin=data_range,
        c1=2 * (K1 * data_range) ** 2,
        # the sample's n / (n - 1) stands before every variance: it is as good to divide the constant by it
        c2=2 * (K2 * data_range) ** 2 / (window**2 / (window**2 - 1) if covariance == "sample" else 1.0),
    )
    total, count = maps.new_zeros(len(preds)), 0
    for rows, down in bands(height):
        stripes = [(down.mT @ part[rows].flatten(1)).view(-1, width) for part in (maps, squares)]
        for columns, across in bands(width):
            shape = (down.shape[1], 2, len(preds), preds.shape[1] * across.shape[1])
            blurred_maps = [(stripe[:, columns] @ across).view(shape) for stripe in stripes]
            total = total + similarity(*blurred_maps).sum(dim=(0, 2))
            count += shape[0] * shape[3]
    return total / count


def _similarity(means: Tensor, squares: Tensor, *, origin: float, c1: float, c2: float) -> Tensor:
    """Similarity in some places, from the blurred maps there.

    Args:
        means: (rows, 2, N, places), of sum and difference, the sum taken from `origin`.
        squares: of the squares of these.
        origin: what was taken from the sum.
        c1: twice the constant of the means.
        c2: twice that of the variances.

    Returns:
        (rows, N, places).
    """
    squared_means = means * means
    var_sum, var_difference = (squares - squared_means).unbind(1)
    mean_sum, mean_difference = (means[:, 0] + origin).square() + c1, squared_means[:, 1]
    var_sum = var_sum + c2
    above = (mean_sum - mean_difference) * (var_sum - var_difference)
    return above / ((mean_sum + mean_difference) * (var_sum + var_difference))


@lru_cache(maxsize=64)
def _bands(
    size: int, *, window: int, sigma: float | None, border: Border, dtype: torch.dtype, device: torch.device
) -> tuple[tuple[slice, Tensor], ...]:
    """The band cut along its columns: which sources a block of outputs needs, and their weights (sources, outputs).

    Kept from call to call, as making them takes as long as multiplying a few frames with them.
    """
    before, after = (0, window - 1) if border == "valid" else (window // 2, window // 2)
    # tensors made in inference mode could not take part in a loss later
    with torch.inference_mode(False):
        band = _band(size, window, sigma, border, dtype=dtype, device=device)
        cut_bands: list[tuple[slice, Tensor]] = []
        for start in range(0, band.shape[1], BLOCK):
            end = min(start + BLOCK, band.shape[1])
            # mirrored sources lie on the near side of the edge, within the same reach
            sources = slice(max(start - before, 0), min(end + after, size))
            cut_bands.append((sources, band[sources, start:end].contiguous()))
        return tuple(cut_bands)


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


def _promote_dtypes(preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
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
