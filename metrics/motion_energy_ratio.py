"""How much a generated mouth moves, against the real one."""

from __future__ import annotations

from math import inf

from torch import Tensor

from lipbench.metrics.chunks import mean_over_time
from lipbench.metrics.clip_metric import Score, defined_score, undefined_score
from lipbench.metrics.frame_metric import PictureMetric
from lipbench.metrics.functional.motion_energy import motion_energy


class MotionEnergyRatio(PictureMetric):
    """Motion energy of the generated clip over that of the real one: 1 is best, 0 is a mouth that never moves.

    Above 1 it moves too much, or it flickers. The ratio says nothing of when it moves. A clip has no ratio where the
    real side stands still or there is a single frame; `compute` leaves such clips out and `undefined_score` counts
    them.

    Example:
        >>> import torch
        >>> clip = torch.linspace(0, 1, 3)[:, None, None, None].expand(3, 3, 16, 16)
        >>> MotionEnergyRatio()(0.5 * clip, clip).item()
        0.5
    """

    title = "Motion energy ratio"
    unit = ""
    higher_is_better = None
    bounds = (0.0, inf)

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        if len(target) < 2:
            return undefined_score("motion needs two frames")
        real = self._over_time(target)
        # an infinite ratio would let one still clip decide the mean of all
        return (
            defined_score(self._over_time(preds) / real) if real > 0 else undefined_score("the real clip stands still")
        )

    def _over_time(self, frames: Tensor) -> Tensor:
        return mean_over_time(lambda chunk: motion_energy(self._prepared(chunk)), frames, reach=1)
