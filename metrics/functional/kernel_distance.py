"""Kernel distance between two sets of features, which needs no gaussian and is not biased by their number."""

from __future__ import annotations

from torch import Tensor


def kernel_distance(preds: Tensor, target: Tensor) -> Tensor:
    """Unbiased squared maximum mean discrepancy with the kernel ``(x·y / D + 1)^3``.

    Source: Bińkowski, Sutherland, Arbel and Gretton, "Demystifying MMD GANs", ICLR 2018, section 4 and appendix B.
    There it is averaged over random subsets; here all pairs count at once.

    Args:
        preds: float (N, D) features, N at least 2.
        target: float (M, D) features, M at least 2.

    Returns:
        float64 scalar, lower is better. Being unbiased, it is as often below 0 as above for equal distributions.

    Raises:
        ValueError: the sets are not 2-D, of different dimension, too small, or not floating point.
    """
    for side, features in (("preds", preds), ("target", target)):
        if features.ndim != 2 or len(features) < 2 or not features.is_floating_point():
            raise ValueError(
                f"{side} must be floating point (N, D) with N at least 2, not {features.dtype} {tuple(features.shape)}"
            )
    if preds.shape[1] != target.shape[1]:
        raise ValueError(f"preds and target have {preds.shape[1]} and {target.shape[1]} dimensions")
    x, y = preds.double(), target.double()
    return _mean_of_pairs(x) + _mean_of_pairs(y) - 2 * _kernel(x, y).mean()


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.mT / x.shape[1] + 1) ** 3


def _mean_of_pairs(x: Tensor) -> Tensor:
    kernel = _kernel(x, x)
    return (kernel.sum() - kernel.diagonal().sum()) / (len(x) * (len(x) - 1))
