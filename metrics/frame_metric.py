"""Metrics of pictures: each side a clip of RGB frames."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from lipbench.metrics.chunks import in_chunks
from lipbench.metrics.clip_metric import ClipMetric, Score, check_lengths, mean_frame_score
from lipbench.metrics.pictures import prepare_frames


class PictureMetric(ClipMetric):
    """A metric of frames, float (T, 3, H, W) in [0, 1] or 8-bit levels on each side.

    They are seen in the protocol's colours and depth, a few frames at a time, so that of a long or large clip no second
    copy is held.
    """

    takes = "frames"
    aligned = True

    def _checked(self, preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        for side, frames in (("preds", preds), ("target", target)):
            check_frames(side, frames)
        if preds.shape[1:] != target.shape[1:]:
            raise ValueError(
                f"preds and target differ in size, {tuple(preds.shape)} and {tuple(target.shape)}: "
                "metrics resize nothing"
            )
        check_lengths(preds, target, "frames")
        return preds, target

    def _prepared(self, frames: Tensor) -> Tensor:
        """A few frames as the protocol sees them: float64 (T, 3 or 1, H, W) in [0, 1]."""
        return prepare_frames(frames, self.protocol)


class FrameMetric(PictureMetric):
    """A metric that has a value for each frame; a clip scores their mean."""

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        def values_of(preds: Tensor, target: Tensor) -> Tensor:
            return self._frame_values(self._prepared(preds), self._prepared(target))

        values = in_chunks(values_of, preds, target)
        return mean_frame_score(values, self.protocol.pooling, "no frame has a value")

    @abstractmethod
    def _frame_values(self, preds: Tensor, target: Tensor) -> Tensor:
        """Value of each frame, float64 (T,), of prepared frames."""


def check_frames(side: str, frames: Tensor) -> None:
    """Refuse what is no clip of RGB frames in [0, 1], or of 8-bit levels.

    Args:
        side: what to call it in the message.
        frames: what was given.

    Raises:
        ValueError: naming shape, dtype or range.
    """
    if frames.ndim != 4 or frames.shape[1] != 3 or frames.numel() == 0:
        raise ValueError(f"{side} must be one clip (T, 3, H, W) with at least one frame, not {tuple(frames.shape)}")
    if frames.dtype == torch.uint8:
        return
    if not frames.is_floating_point():
        raise ValueError(f"{side} must be floating point in [0, 1] or uint8, not {frames.dtype}")
    low, high = (bound.item() for bound in frames.detach().aminmax())
    if not (low >= 0 and high <= 1):  # so that NaN is refused too
        raise ValueError(f"{side} must lie in [0, 1], not in [{low:g}, {high:g}]")
