"""Whether the mouth opens when it should, over a corpus."""

from __future__ import annotations

from torch import Tensor

from lipbench.metrics.clip_metric import Score, defined_score, undefined_score
from lipbench.metrics.functional.aperture_correlation import MIN_FRAMES, aperture_correlation
from lipbench.metrics.landmark_metric import NO_COMMON_FRAME, LandmarkMetric, failed_frames


class ApertureCorrelation(LandmarkMetric):
    """Correlation over time of the generated and the real inner-lip opening: 1 in step, 0 for a mouth that never moves.

    Pearson's r within each clip, then the mean over clips. A clip has no value where the real mouth does not move, or
    where fewer than three frames have landmarks on both sides; `compute` leaves such clips out and `undefined_score`
    counts them.
    """

    title = "Aperture correlation"
    unit = ""
    higher_is_better = True
    bounds = (-1.0, 1.0)

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        r = aperture_correlation(preds, target)
        return undefined_aperture_score(preds, target) if r.isnan() else defined_score(r)


def undefined_aperture_score(preds: Tensor, target: Tensor) -> Score:
    """The score of a clip whose openings cannot be compared, with the reason.

    Args:
        preds: float (T, 20, 2), NaN in frames without landmarks.
        target: float (T, 20, 2).
    """
    usable = int((~(failed_frames(preds) | failed_frames(target))).sum())
    if usable == 0:
        return undefined_score(NO_COMMON_FRAME)
    if usable < MIN_FRAMES:
        return undefined_score(f"fewer than {MIN_FRAMES} frames have landmarks on both sides")
    return undefined_score("the real mouth does not move")
