"""How often no mouth was found: the number that must stand beside every landmark metric."""

from __future__ import annotations

from torch import Tensor

from lipbench.metrics.clip_metric import Score, defined_score
from lipbench.metrics.landmark_metric import LandmarkMetric, failed_frames


class LandmarkFailurePreds(LandmarkMetric):
    """Share of generated frames in which no mouth was found; other landmark metrics leave these frames out."""

    title = "Landmark failure, generated"
    unit = "%"
    higher_is_better = False
    best_is_due = False
    bounds = (0.0, 100.0)

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        return defined_score(100 * failed_frames(preds).double().mean())


class LandmarkFailureTarget(LandmarkMetric):
    """Share of real frames in which no mouth was found; other landmark metrics leave these frames out."""

    title = "Landmark failure, real"
    unit = "%"
    higher_is_better = False
    best_is_due = False
    bounds = (0.0, 100.0)

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        return defined_score(100 * failed_frames(target).double().mean())
