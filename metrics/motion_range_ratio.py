"""How far a generated picture moves about its mean, against the real one."""

from __future__ import annotations

from torch import Tensor

from lipbench.metrics.chunks import mean_over_time
from lipbench.metrics.motion_energy_ratio import MotionEnergyRatio


class MotionRangeRatio(MotionEnergyRatio):
    """Spread over time of the generated clip's pixels over that of the real one's: 1 is best, 0 never moves.

    The spread is the root of the mean squared distance of all pixels from the clip's own mean frame. Slow and wide
    movements, of which a mouth's are made, count in full here, where motion energy counts what changes from one frame
    to the next, and with it the grain of the camera. The ratio says nothing of when a clip moves. Definition: ours.
    The clips that have no ratio are those of motion energy.

    Example:
        >>> import torch
        >>> clip = torch.linspace(0, 1, 3)[:, None, None, None].expand(3, 3, 16, 16)
        >>> round(MotionRangeRatio()(0.6 * clip, clip).item(), 6)
        0.6
    """

    title = "Motion range ratio"

    def _over_time(self, frames: Tensor) -> Tensor:
        first = self._prepared(frames[:1])  # taken off first, so that a still clip has exactly none
        mean = mean_over_time(lambda chunk: (self._prepared(chunk) - first).mean(dim=0), frames, reach=0)
        variance = mean_over_time(lambda chunk: (self._prepared(chunk) - first - mean).square().mean(), frames, reach=0)
        return variance.sqrt()
