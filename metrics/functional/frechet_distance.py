"""Fréchet distance between two sets of features, each seen as a gaussian."""

from __future__ import annotations

import torch
from torch import Tensor


def frechet_distance(preds: Tensor, target: Tensor) -> Tensor:
    """Fréchet distance of the gaussians with the mean and the sample covariance of two sets of features.

    Args:
        preds: float (N, D) features, N at least 2.
        target: float (M, D) features, M at least 2.

    Returns:
        float64 scalar, at least 0, lower is better.

    Raises:
        ValueError: the sets are not 2-D, of different dimension, too small, or not finite.

    Example:
        >>> features = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
        >>> round(frechet_distance(features + 3, features).item(), 6)
        18.0
    """
    for side, features in (("preds", preds), ("target", target)):
        if features.ndim != 2 or len(features) < 2 or not features.is_floating_point():
            raise ValueError(
                f"{side} must be floating point (N, D) with N at least 2, not {features.dtype} {tuple(features.shape)}"
            )
    first, second = preds.double(), target.double()
    # `cov` of a single column is a scalar
    covariances = [side.mT.cov().reshape(side.shape[1], side.shape[1]) for side in (first, second)]
    return frechet_between(first.mean(dim=0), covariances[0], second.mean(dim=0), covariances[1])


def frechet_between(mean: Tensor, covariance: Tensor, other_mean: Tensor, other_covariance: Tensor) -> Tensor:
    """Fréchet distance of two gaussians, ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``.

    The trace of the root is the sum of the roots of the eigenvalues of ``C1^(1/2) C2 C1^(1/2)``, which is symmetric: no
    complex numbers arise, and covariances without full rank do no harm.

    Source: Dowson and Landau, "The Fréchet distance between multivariate normal distributions", Journal of
    Multivariate Analysis 1982; for images Heusel et al., NeurIPS 2017, section 4.

    Args:
        mean: float (D,).
        covariance: float (D, D), symmetric.
        other_mean: float (D,).
        other_covariance: float (D, D), symmetric.

    Returns:
        float64 scalar, at least 0.

    Raises:
        ValueError: the shapes do not fit, or something is not finite.
    """
    size = (len(mean), len(mean))
    if mean.ndim != 1 or other_mean.shape != mean.shape or covariance.shape != size or other_covariance.shape != size:
        shapes = [tuple(part.shape) for part in (mean, covariance, other_mean, other_covariance)]
        raise ValueError(f"means and covariances must be (D,) and (D, D) of one D, not {shapes}")
    parts = [part.double() for part in (mean, covariance, other_mean, other_covariance)]
    if not all(bool(torch.isfinite(part).all()) for part in parts):
        raise ValueError("means and covariances must be finite")
    mean, covariance, other_mean, other_covariance = parts
    values, vectors = torch.linalg.eigh(covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.mT
    product = root @ other_covariance @ root
    trace_of_root = torch.linalg.eigvalsh((product + product.mT) / 2).clamp(min=0).sqrt().sum()
    distance = (mean - other_mean).square().sum() + covariance.trace() + other_covariance.trace() - 2 * trace_of_root
    return distance.clamp(min=0)  # rounding of equal sides
