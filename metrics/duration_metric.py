"""Metrics of timing: how long tokens and clips are."""

from __future__ import annotations

import torch
from torch import Tensor

from lipbench.metrics.clip_metric import ClipMetric


class DurationMetric(ClipMetric):
    """A metric of durations, whole numbers (m,) of frames per token on each side, of the same tokens."""

    takes = "durations"
    aligned = False

    def _checked(self, preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        for side, durations in (("preds", preds), ("target", target)):
            _check_whole(side, durations)
            if durations.ndim != 1 or len(durations) == 0:
                raise ValueError(f"{side} must be durations (m,) of at least one token, not {tuple(durations.shape)}")
        if len(preds) != len(target):
            raise ValueError(f"preds and target time {len(preds)} and {len(target)} tokens: they are of two sentences")
        return preds.double(), target.double()


class LengthMetric(ClipMetric):
    """A metric of the number of frames, one whole number on each side."""

    takes = "lengths"
    aligned = False

    def _checked(self, preds: Tensor | int, target: Tensor | int) -> tuple[Tensor, Tensor]:
        sides: list[Tensor] = []
        for side, length in (("preds", preds), ("target", target)):
            number = torch.as_tensor(length)
            _check_whole(side, number)
            if number.ndim != 0:
                raise ValueError(f"{side} must be one number of frames, not {tuple(number.shape)}")
            sides.append(number.double())
        if sides[1] == 0:
            raise ValueError("target has no frame: a share of nothing has no value")
        return sides[0], sides[1]


def _check_whole(side: str, numbers: Tensor) -> None:
    if numbers.is_floating_point() or numbers.is_complex() or numbers.dtype == torch.bool:
        raise ValueError(f"{side} must be whole numbers of frames, not {numbers.dtype}")
    if (numbers < 0).any():
        raise ValueError(f"{side} must be at least 0 frames, not {int(numbers.min())}")
