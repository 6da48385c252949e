"""Whether a face is the same person's."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cosine_similarity


def identity_similarity(preds: Tensor, target: Tensor) -> Tensor:
    """Cosine of the angle between the face descriptors of each pair of frames.

    Args:
        preds: float (N, D), NaN rows where there is no face.
        target: float (N, D).

    Returns:
        float (N,) in [-1, 1], higher is better, 1 for equal descriptors; NaN where a side has no face.

    Raises:
        ValueError: the shapes differ or are not 2-D, or a dtype is not floating.
    """
    if preds.shape != target.shape or preds.ndim != 2:
        raise ValueError(f"preds and target must both be (N, D), not {tuple(preds.shape)} and {tuple(target.shape)}")
    if not (preds.is_floating_point() and target.is_floating_point()):
        raise ValueError(f"preds and target must be floating point, not {preds.dtype} and {target.dtype}")
    return cosine_similarity(preds, target, dim=1).clamp(-1, 1)
