"""How far the mouth opens and closes against the real one, over a corpus."""

from __future__ import annotations

from math import inf

from torch import Tensor

from lipbench.metrics.aperture_correlation import undefined_aperture_score
from lipbench.metrics.clip_metric import Score, defined_score
from lipbench.metrics.functional.aperture_range import aperture_range_ratio
from lipbench.metrics.landmark_metric import LandmarkMetric


class ApertureRangeRatio(LandmarkMetric):
    """Spread over time of the generated inner-lip opening over the real one's: 1 is best, 0 never moves.

    The ratio of standard deviations within each clip, then the mean over clips. Below 1 the mouth opens too little,
    above 1 too much; the ratio says nothing of when. It looks at landmarks: noise of camera and codec,
    which motion energy counts as motion, is in pixels. Clips without a value are those of aperture correlation.
    """

    title = "Aperture range ratio"
    unit = ""
    higher_is_better = None
    bounds = (0.0, inf)

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        ratio = aperture_range_ratio(preds, target)
        return undefined_aperture_score(preds, target) if ratio.isnan() else defined_score(ratio)
