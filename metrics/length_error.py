"""How wrong the length of a clip is, over a corpus."""

from __future__ import annotations

from math import inf

from torch import Tensor

from lipbench.metrics.clip_metric import Score, defined_score
from lipbench.metrics.duration_metric import LengthMetric


class LengthError(LengthMetric):
    """How many frames the clip is longer or shorter than the real one, as a mean of absolute differences.

    Example:
        >>> LengthError()(70, 75).item()
        5.0
    """

    title = "Length error"
    unit = "frames"
    higher_is_better = False
    bounds = (0.0, inf)

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        return defined_score((preds - target).abs())


class LengthErrorShare(LengthMetric):
    """How much the clip is longer or shorter than the real one, as a share of the real length.

    Example:
        >>> LengthErrorShare()(60, 75).item()
        20.0
    """

    title = "Relative length error"
    unit = "%"
    higher_is_better = False
    bounds = (0.0, inf)

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        return defined_score(100 * (preds - target).abs() / target)
