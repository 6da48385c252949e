"""How much a generated mouth moves, against the real one."""

from __future__ import annotations

from math import inf

from torch import Tensor

from metrics.clip_metric import ClipMetric
from metrics.functional.motion_energy import motion_energy


class MotionEnergyRatio(ClipMetric):
    """Motion energy of the generated clip over that of the real one.

    1 is best: below it the mouth moves too little (0: not at all), above it too much, or it flickers. The ratio says
    nothing of when it moves. A clip has no ratio (NaN) where the real side stands still or a single frame is left;
    `compute` leaves such clips out and `undefined` counts them.

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

    def _clip_value(self, preds: Tensor, target: Tensor) -> Tensor:
        if len(target) < 2:
            return target.new_tensor(float("nan"))
        real = motion_energy(target)
        # An infinite ratio would let one still clip decide the mean of all.
        return (motion_energy(preds) / real).where(real > 0, float("nan"))
