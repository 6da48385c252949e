"""Whether each token takes the time that it should."""

from __future__ import annotations

from torch import Tensor


def token_duration_error(preds: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of durations over the tokens of one sentence.

    Args:
        preds: (m,) frames per token, m at least 1.
        target: (m,).

    Returns:
        float64 scalar in frames per token, lower is better.

    Raises:
        ValueError: the shapes differ, are not 1-D, or are empty.
    """
    if preds.shape != target.shape or preds.ndim != 1 or len(preds) == 0:
        raise ValueError(
            f"preds and target must both be (m,) with at least one token, "
            f"not {tuple(preds.shape)} and {tuple(target.shape)}"
        )
    return (preds.double() - target.double()).abs().mean()
