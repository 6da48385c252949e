"""Whether the mouth's points move as they should, over a corpus."""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor

from lipbench.metrics.clip_metric import Score, defined_score, undefined_score
from lipbench.metrics.functional.landmark_velocity_error import landmark_velocity_error
from lipbench.metrics.landmark_metric import LandmarkMetric


class LandmarkVelocityError(LandmarkMetric):
    """Difference between the generated and the real velocity of the mouth's points, mean over points and steps.

    A step counts if both its frames have landmarks on both sides; a clip without such a step has no value.
    """

    title = "Landmark velocity error"
    unit = "px/frame"
    higher_is_better = False
    bounds = (0.0, inf)

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        if len(preds) < 2:
            return undefined_score("a velocity needs two frames")
        steps = landmark_velocity_error(preds, target)
        valid = steps[~torch.isnan(steps)]
        if len(valid) == 0:
            return undefined_score("no two successive frames have landmarks on both sides")
        return defined_score(valid.mean())
