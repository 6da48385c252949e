"""Landmark distance of mouths over a corpus."""

from __future__ import annotations

from math import inf

from torch import Tensor

from lipbench.metrics.clip_metric import Score, mean_frame_score
from lipbench.metrics.functional.lmd import lmd
from lipbench.metrics.landmark_metric import NO_COMMON_FRAME, LandmarkMetric


class LMD(LandmarkMetric):
    """Landmark distance by the protocol: how far the mouth's twenty points are from the real ones, in crop pixels.

    Mean over frames, then over clips, unless the protocol pools frames. Frames without landmarks on either side are
    left out.

    Example:
        >>> import torch
        >>> mouth = torch.rand(2, 20, 2)
        >>> round(LMD()(mouth + torch.tensor([3.0, 4.0]), mouth).item(), 3)
        5.0
    """

    title = "LMD"
    unit = "px"
    higher_is_better = False
    bounds = (0.0, inf)

    def _centred(self) -> bool:
        return self.protocol.lmd_centring == "frame"

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        frames = lmd(preds, target, centred=self._centred(), over_points=self.protocol.lmd_over_points)
        return mean_frame_score(frames, self.protocol.lmd_pooling, NO_COMMON_FRAME)


class LMDCentred(LMD):
    """Landmark distance after centring both mouths in each frame: their shape counts, not their place.

    Centred whatever the protocol says of `LMD`; the other rules are the protocol's.
    """

    title = "LMD, centred"

    def _centred(self) -> bool:
        return True
