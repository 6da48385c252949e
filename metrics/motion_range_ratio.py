"""How far a generated picture moves about its mean, against the real one."""

from __future__ import annotations

from math import inf

from torch import Tensor

from metrics.chunks import FRAMES_AT_ONCE, mean_over_time
from metrics.clip_metric import Score, scored, undefined
from metrics.frame_metric import PictureMetric


class MotionRangeRatio(PictureMetric):
    """Spread over time of the generated clip's pixels over that of the real one's: 1 is best, 0 never moves.

    The spread is the root of the mean squared distance of all pixels from the clip's own mean frame. Slow and wide
    movements, of which a mouth's are made, count in full here, where motion energy counts what changes from one frame
    to the next, and with it the grain of the camera. The ratio says nothing of when a clip moves. Definition: ours.
    A clip has no ratio where the real side stands still or there is a single frame, as with motion energy.

    Example:
        >>> import torch
        >>> clip = torch.linspace(0, 1, 3)[:, None, None, None].expand(3, 3, 16, 16)
        >>> round(MotionRangeRatio()(0.6 * clip, clip).item(), 6)
        0.6
    """

    title = "Motion range ratio"
    unit = ""
    higher_is_better = None
    bounds = (0.0, inf)

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        if len(target) < 2:
            return undefined("motion needs two frames")
        real = self._spread(target)
        # an infinite ratio would let one still clip decide the mean of all
        return scored(self._spread(preds) / real) if real > 0 else undefined("the real clip stands still")

    def _spread(self, frames: Tensor) -> Tensor:
        first = self._prepared(frames[:1])  # taken off first, so that a still clip has exactly none
        pieces = frames.split(FRAMES_AT_ONCE)
        mean = sum((self._prepared(piece) - first).sum(dim=0) for piece in pieces) / len(frames)
        return mean_over_time(
            lambda some: (self._prepared(some) - first - mean).square().mean(), frames, reach=0
        ).sqrt()
