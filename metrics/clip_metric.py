"""What all metrics have in common: one clip in, one value per clip, the mean of the clips out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor
from torchmetrics import Metric

from metrics.protocols import PAPER, Protocol


class ClipMetric(Metric, ABC):
    """A metric that scores one clip at a time and pools clips by their mean.

    The state is a sum over clips in float64 and two counts, so the order of clips and their spread over processes
    change nothing but the last digits.

    Calling the metric, ``value = metric(preds, target)``, adds the clip and returns its own value.

    Args:
        protocol: the rules to score by.
    """

    title: ClassVar[str]
    """Name for tables."""
    unit: ClassVar[str]
    """Unit of the value, "" for a plain number."""
    bounds: ClassVar[tuple[float, float]]
    """Lowest and highest value possible."""
    higher_is_better: ClassVar[bool | None]  # pyright: ignore[reportIncompatibleVariableOverride]
    """None: the metric is a ratio whose best value is 1. Reports say so, so another best value needs another fact."""
    full_state_update: ClassVar[bool | None] = False  # pyright: ignore[reportIncompatibleVariableOverride]

    total: Tensor
    clips: Tensor
    undefined: Tensor

    def __init__(self, *, protocol: Protocol = PAPER) -> None:
        super().__init__()
        self.protocol = protocol
        self.add_state("total", default=torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("clips", default=torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("undefined", default=torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add one clip.

        Args:
            preds: generated frames, float (T, 3, H, W) in [0, 1].
            target: real frames, float (T', 3, H, W) in [0, 1]; where T' differs from T, the longer side loses its end.

        Raises:
            ValueError: wrong shape, dtype or range, naming what was given.
        """
        value = self.per_clip(preds, target).detach().to(self.total)
        if torch.isnan(value):
            self.undefined += 1
        else:
            self.total += value
            self.clips += 1

    def compute(self) -> Tensor:
        """Mean over the clips that have a value.

        Returns:
            float64 scalar; NaN if no clip has a value.

        Raises:
            ValueError: no clip was added.
        """
        if self.clips + self.undefined == 0:
            raise ValueError(f"{self.title} has scored no clip: call update first")
        return self.total / self.clips

    def per_clip(self, preds: Tensor, target: Tensor) -> Tensor:
        """Value of one clip, without adding it.

        Args:
            preds: float (T, 3, H, W) in [0, 1].
            target: float (T', 3, H, W) in [0, 1].

        Returns:
            float64 scalar; NaN where the clip has no value (see the metric).

        Raises:
            ValueError: wrong shape, dtype or range, naming what was given.
        """
        return self._clip_value(*self._paired(preds, target))

    def per_frame(self, preds: Tensor, target: Tensor) -> Tensor | None:
        """One value per frame, for curves over time; arguments and errors as for `per_clip`.

        Returns:
            float64 (min(T, T'),), or None from a metric that has a value for whole clips only.
        """
        return self._frame_values(*self._paired(preds, target))

    @abstractmethod
    def _clip_value(self, preds: Tensor, target: Tensor) -> Tensor:
        """Value of one clip of checked float64 frames of equal length."""

    def _frame_values(self, preds: Tensor, target: Tensor) -> Tensor | None:
        """Values of checked float64 frames of equal length; None if a single frame has no value."""
        return None

    def _paired(self, preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        for side, frames in (("preds", preds), ("target", target)):
            _check_frames(side, frames)
        if preds.shape[1:] != target.shape[1:]:
            raise ValueError(
                f"preds and target differ in size, {tuple(preds.shape)} and {tuple(target.shape)}: "
                "metrics resize nothing"
            )
        length = min(len(preds), len(target))
        return preds[:length].double(), target[:length].double()


class FrameMetric(ClipMetric):
    """A metric that has a value for each frame; a clip scores their mean."""

    def _clip_value(self, preds: Tensor, target: Tensor) -> Tensor:
        return self._frame_values(preds, target).mean()

    @abstractmethod
    def _frame_values(self, preds: Tensor, target: Tensor) -> Tensor: ...


def _check_frames(side: str, frames: Tensor) -> None:
    if frames.ndim != 4 or frames.shape[1] != 3 or frames.numel() == 0:
        raise ValueError(f"{side} must be one clip (T, 3, H, W) with at least one frame, not {tuple(frames.shape)}")
    if not frames.is_floating_point():
        raise ValueError(f"{side} must be floating point in [0, 1], not {frames.dtype}")
    low, high = (bound.item() for bound in frames.detach().aminmax())
    if not (low >= 0 and high <= 1):  # so that NaN is refused too
        raise ValueError(f"{side} must lie in [0, 1], not in [{low:g}, {high:g}]")
