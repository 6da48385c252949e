"""Whether each token takes the time that it should, over a corpus."""

from __future__ import annotations

from math import inf

from torch import Tensor

from lipbench.metrics.clip_metric import Score, defined_score
from lipbench.metrics.duration_metric import DurationMetric
from lipbench.metrics.functional.token_duration_error import token_duration_error


class TokenDurationError(DurationMetric):
    """How many frames the duration of a token is off: mean over the tokens of a sentence, then over sentences.

    Example:
        >>> import torch
        >>> TokenDurationError()(torch.tensor([3, 5]), torch.tensor([4, 4])).item()
        1.0
    """

    title = "Token duration error"
    unit = "frames"
    higher_is_better = False
    bounds = (0.0, inf)

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        return defined_score(token_duration_error(preds, target))
