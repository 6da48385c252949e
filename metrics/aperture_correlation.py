"""Whether the mouth opens when it should, over a corpus."""

from __future__ import annotations

from torch import Tensor

from lipbench.metrics.clip_metric import Score, scored, undefined
from lipbench.metrics.functional.aperture_correlation import MIN_FRAMES, aperture_correlation
from lipbench.metrics.landmark_metric import NO_COMMON_FRAME, LandmarkMetric, failed


class ApertureCorrelation(LandmarkMetric):
    """Correlation over time of the generated and the real inner-lip opening: 1 in step, 0 for a mouth that never moves.

    Pearson's r within each clip, then the mean over clips. A clip has no value where the real mouth does not move, or
    where fewer than three frames have landmarks on both sides; `compute` leaves such clips out and `undefined` counts
    them.
    """

    title = "Aperture correlation"
    unit = ""
    higher_is_better = True
    bounds = (-1.0, 1.0)

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        r = aperture_correlation(preds, target)
        return without_value(preds, target) if r.isnan() else scored(r)


def without_value(preds: Tensor, target: Tensor) -> Score:
    """The score of a clip whose openings cannot be compared, with the reason.

    Args:
        preds: float (T, 20, 2), NaN in frames without landmarks.
        target: float (T, 20, 2).
    """
    usable = int((~(failed(preds) | failed(target))).sum())
    if usable == 0:
        return undefined(NO_COMMON_FRAME)
    if usable < MIN_FRAMES:
        return undefined(f"fewer than {MIN_FRAMES} frames have landmarks on both sides")
    return undefined("the real mouth does not move")
