"""Metrics of whole corpora: one value for all clips, from features of both sides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from torchmetrics import Metric

from lipbench.errors import UserError
from lipbench.metrics.clip_metric import Takes
from lipbench.metrics.functional.frechet_distance import frechet_between
from lipbench.metrics.landmark_metric import check_rows, failed_frames
from lipbench.metrics.protocols import PAPER, Protocol

SIDES = ("preds", "target")
MIN_CLIPS = 2


class NotMeasuredError(UserError):
    """A metric that cannot be measured here: too few clips, or no weights. A reason to print, never a number."""


class CorpusMetric(Metric, ABC):
    """A distance between the features of all generated and of all real frames.

    The sides are independent: they may differ in the number of clips and of frames, and either may be given alone. Its
    n is clips, as frames of one clip are nearly the same. Rows that are NaN (no face was found) are left out and
    counted.

    Args:
        protocol: the rules to score by.
    """

    title: ClassVar[str]
    unit: ClassVar[str]
    bounds: ClassVar[tuple[float, float]]
    higher_is_better: ClassVar[bool | None]  # pyright: ignore[reportIncompatibleVariableOverride]
    takes: ClassVar[Takes]
    aligned: ClassVar[bool] = False
    dimension: ClassVar[int]
    """Numbers per feature."""
    full_state_update: ClassVar[bool | None] = False  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, *, protocol: Protocol = PAPER) -> None:
        super().__init__()
        self.protocol = protocol
        for side in SIDES:
            for count in ("clips", "frames", "failed"):
                self.add_state(f"{side}_{count}", default=torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: a single clip has no value.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self.title} has no value of a single clip: call update, and compute at the end")

    def update(self, preds: Tensor | None, target: Tensor | None) -> None:
        """Add the features of one clip, or of one side of it.

        Args:
            preds: float (T, dimension) of generated frames; None for none.
            target: float (T', dimension) of real frames; None for none.

        Raises:
            ValueError: wrong shape or dtype, or not finite, naming what was given. Nothing was added then.
        """
        features = {side: rows for side, rows in zip(SIDES, (preds, target), strict=True) if rows is not None}
        for side, rows in features.items():
            if rows.ndim != 2 or rows.shape[1] != self.dimension or len(rows) == 0:
                raise ValueError(
                    f"{side} must be features (T, {self.dimension}) of at least one frame, not {tuple(rows.shape)}"
                )
            check_rows(side, rows)
        for side, rows in features.items():
            missing = failed_frames(rows)
            usable = rows[~missing]
            self._count(f"{side}_failed", int(missing.sum()))
            if len(usable) > 0:
                self._count(f"{side}_clips", 1)
                self._count(f"{side}_frames", len(usable))
                self._add(side, usable.detach())

    def compute(self) -> Tensor:
        """Distance between the two sides.

        Returns:
            float64 scalar.

        Raises:
            NotMeasuredError: a side has fewer clips or frames than the distance needs.
        """
        for side, side_name in zip(SIDES, ("generated", "real"), strict=True):
            clips, frames = self._counted(f"{side}_clips"), self._counted(f"{side}_frames")
            if clips < MIN_CLIPS or frames < self._min_frames():
                raise NotMeasuredError(
                    f"{self.title} is not measured: it needs {MIN_CLIPS} clips and {self._min_frames()} frames on each "
                    f"side, and the {side_name} side has {clips} and {frames}{self._taken()}",
                    remedy="Score more clips, or leave this metric out",
                )
        return self._distance()

    def _taken(self) -> str:
        """Of how many frames of a clip the protocol makes features, in words; "" for all."""
        rules = self.protocol
        count = rules.inception_frames if self.takes == "inception" else rules.face_frames
        return "" if count is None else f", as the protocol {rules.name} takes {count} of a clip"

    def clips(self) -> tuple[int, int]:
        """Clips of the generated and of the real side that have features: the n to print beside the value."""
        return self._counted("preds_clips"), self._counted("target_clips")

    def failures(self) -> tuple[int, int]:
        """Frames of the generated and of the real side that were left out, as they have no features."""
        return self._counted("preds_failed"), self._counted("target_failed")

    def real_state(self) -> dict[str, Tensor]:
        """All that is known of the real side, for `load_real` of another metric of this kind."""
        return {name: getattr(self, name) for name in self._defaults if name.startswith("target_")}

    def load_real(self, state: Mapping[str, Tensor]) -> None:
        """Take over a real side; what was added of one before is forgotten.

        Raises:
            ValueError: the state is not that of a metric of this kind.
        """
        own_state = self.real_state()
        if set(state) != set(own_state) or any(
            state[k].shape != own_state[k].shape or state[k].dtype != own_state[k].dtype for k in own_state
        ):
            raise ValueError(f"this is no real side of {self.title}: it has {sorted(state)}")
        for name, tensor in state.items():
            setattr(self, name, tensor.clone().to(own_state[name].device))

    def _counted(self, state: str) -> int:
        return int(getattr(self, state))

    def _count(self, state: str, number: int) -> None:
        setattr(self, state, getattr(self, state) + number)

    @abstractmethod
    def _min_frames(self) -> int:
        """Frames that each side must have."""

    @abstractmethod
    def _add(self, side: str, features: Tensor) -> None:
        """Add checked features, float (T, dimension), T at least 1, to "preds" or "target"."""

    @abstractmethod
    def _distance(self) -> Tensor:
        """The distance, float64."""


class FrechetMetric(CorpusMetric):
    """Fréchet distance between two gaussians; the state is a sum and a sum of outer products per side, in float64.

    A covariance of D dimensions has full rank from D + 1 frames on; with fewer the distance says more of their number
    than of the pictures, and is refused.
    """

    unit = ""
    higher_is_better = False
    bounds = (0.0, float("inf"))

    def __init__(self, *, protocol: Protocol = PAPER) -> None:
        super().__init__(protocol=protocol)
        for side in SIDES:
            for state, shape in (("sum", (self.dimension,)), ("outer", (self.dimension, self.dimension))):
                self.add_state(f"{side}_{state}", default=torch.zeros(shape, dtype=torch.float64), dist_reduce_fx="sum")

    def _min_frames(self) -> int:
        return self.dimension + 1

    def _add(self, side: str, features: Tensor) -> None:
        features = features.double()
        setattr(self, f"{side}_sum", getattr(self, f"{side}_sum") + features.sum(dim=0))
        setattr(self, f"{side}_outer", getattr(self, f"{side}_outer") + features.mT @ features)

    def _distance(self) -> Tensor:
        return frechet_between(*self._gaussian("preds"), *self._gaussian("target"))

    def _gaussian(self, side: str) -> tuple[Tensor, Tensor]:
        """Mean (D,) and sample covariance (D, D)."""
        n = self._counted(f"{side}_frames")
        mean = getattr(self, f"{side}_sum") / n
        return mean, (getattr(self, f"{side}_outer") - n * mean.outer(mean)) / (n - 1)
