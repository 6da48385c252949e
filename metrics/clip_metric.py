"""What all metrics of single clips have in common: one clip in, one value per clip, their mean out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

from lipbench.metrics.protocols import PAPER, Pooling, Protocol

Takes = Literal["frames", "landmarks", "durations", "lengths", "inception", "face"]
"""What of a clip a metric is given, each side of its own:

frames: float (T, 3, H, W), RGB in [0, 1]; a `lipbench.metrics.frame_metric.PictureMetric` also takes uint8: 8-bit
    levels.
landmarks: float (T, 20, 2), dlib's points 48 to 67 as (x, y) in pixels of the crop; a frame without a mouth is all NaN.
durations: whole numbers (m,), frames per token.
lengths: a whole number, frames of the clip.
inception: float (T, 2048), features of `lipbench.metrics.inception.InceptionFeatures`.
face: float (T, 128), dlib's face descriptors; a frame without a face is all NaN.
"""


class Score(NamedTuple):
    """What one clip scores under one metric."""

    value: float
    """NaN if the clip has no value."""
    weight: float
    """Its share in the mean over clips: 1, or the number of frames that count where the protocol pools frames."""
    frames: Tensor | None
    """float64 (T,) for metrics that have a value per frame, NaN in frames that were left out; else None."""
    reason: str | None = None
    """Why the clip has no value; None if it has one."""


class ClipMetric(Metric, ABC):
    """A metric that scores one clip at a time and pools clips by their mean.

    The state is a weighted sum over clips in float64, its weight and two counts, so the order of clips and their spread
    over processes change nothing but the last digits. A clip that has no value (its real mouth stands still, say) is
    left out of the mean and counted in `undefined_score`.

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
    best_is_due: ClassVar[bool] = True
    """Whether equal sides score the best value. False where how good it can be is a property of the corpus."""
    takes: ClassVar[Takes]
    aligned: ClassVar[bool]
    """Whether both sides must be of one length: apply `lipbench.metrics.alignment` first."""
    full_state_update: ClassVar[bool | None] = False  # pyright: ignore[reportIncompatibleVariableOverride]

    total: Tensor
    weight: Tensor
    clips: Tensor
    undefined_score: Tensor

    def __init__(self, *, protocol: Protocol = PAPER) -> None:
        super().__init__()
        self.protocol = protocol
        for state in ("total", "weight"):
            self.add_state(state, default=torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        for state in ("clips", "undefined"):
            self.add_state(state, default=torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, preds: Any, target: Any) -> None:
        """Add one clip.

        Args:
            preds: the generated side, as `takes` says.
            target: the real side, of the same length if `aligned`.

        Raises:
            ValueError: wrong shape, dtype, range or length, naming what was given.
        """
        clip_score = self.score(preds, target)
        if clip_score.reason is not None:
            self.undefined += 1
            return
        self.total += clip_score.weight * clip_score.value
        self.weight += clip_score.weight
        self.clips += 1

    def compute(self) -> Tensor:
        """Weighted mean over the clips that have a value.

        Returns:
            float64 scalar; NaN if no clip has a value.

        Raises:
            ValueError: no clip was added.
        """
        if self.clips + self.undefined == 0:
            raise ValueError(f"{self.title} has scored no clip: call update first")
        return self.total / self.weight

    def score(self, preds: Any, target: Any) -> Score:
        """Score one clip, without adding it; arguments and errors as for `update`."""
        with torch.no_grad():
            return self._score(*self._checked(preds, target))

    def per_clip(self, preds: Any, target: Any) -> Tensor:
        """Value of one clip, without adding it: float64 scalar, NaN where it has none."""
        return torch.tensor(self.score(preds, target).value, dtype=torch.float64)

    def per_frame(self, preds: Any, target: Any) -> Tensor | None:
        """One value per frame, float64 (T,), NaN where a frame has none; None from metrics of whole clips."""
        return self.score(preds, target).frames

    @abstractmethod
    def _checked(self, preds: Any, target: Any) -> tuple[Any, Any]:
        """Both sides checked, and made ready under the protocol.

        Raises:
            ValueError: wrong shape, dtype, range or length, naming what was given.
        """

    @abstractmethod
    def _score(self, preds: Any, target: Any) -> Score:
        """Score of what `_checked` returned."""


def defined_score(value: Tensor | float) -> Score:
    """The score of a whole clip that has a value."""
    return Score(float(value), weight=1.0, frames=None)


def undefined_score(reason: str, frames: Tensor | None = None) -> Score:
    """The score of a clip that has no value."""
    return Score(float("nan"), weight=0.0, frames=frames, reason=reason)


def mean_frame_score(frames: Tensor, pooling: Pooling, reason: str) -> Score:
    """The score of a clip as the mean of its frames.

    Args:
        frames: float64 (T,), NaN in frames that are left out.
        pooling: "frames" weighs the clip by the frames that count.
        reason: why the clip has no value, for the case that no frame has.
    """
    valid = frames[~torch.isnan(frames)]
    if len(valid) == 0:
        return undefined_score(reason, frames)
    weight = len(valid) if pooling == "frames" else 1
    return Score(valid.mean().item(), weight=float(weight), frames=frames)


def check_lengths(preds: Tensor, target: Tensor, what: str) -> None:
    """Refuse sides of unequal length.

    Raises:
        ValueError: naming both lengths.
    """
    if len(preds) != len(target):
        raise ValueError(
            f"preds and target have {len(preds)} and {len(target)} {what}: align them first "
            "(lipbench.metrics.alignment)"
        )
