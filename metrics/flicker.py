"""How much a generated clip flickers, against the real one."""

from __future__ import annotations

from math import inf

from torch import Tensor

from lipbench.metrics.chunks import mean_over_time
from lipbench.metrics.clip_metric import Score, defined_score, undefined_score
from lipbench.metrics.frame_metric import PictureMetric
from lipbench.metrics.functional.flicker import flicker


class FlickerRatio(PictureMetric):
    """Temporal flicker of the generated clip over that of the real one: 1 is best, above it the picture trembles.

    Flicker is the mean absolute second difference over time. Below 1 the clip is smoother than the real one, grain
    included: a blurred or still clip scores low. A clip has no ratio where the real side does not flicker at all, or
    where there are fewer than three frames; `compute` leaves such clips out and `undefined_score` counts them.

    Example:
        >>> import torch
        >>> clip = torch.tensor([0.0, 1.0, 0.0])[:, None, None, None].expand(3, 3, 16, 16)
        >>> FlickerRatio()(0.5 * clip, clip).item()
        0.5
    """

    title = "Flicker ratio"
    unit = ""
    higher_is_better = None
    bounds = (0.0, inf)

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        if len(target) < 3:
            return undefined_score("flicker needs three frames")
        real = self._over_time(target)
        return (
            defined_score(self._over_time(preds) / real)
            if real > 0
            else undefined_score("the real clip does not flicker")
        )

    def _over_time(self, frames: Tensor) -> Tensor:
        return mean_over_time(lambda chunk: flicker(self._prepared(chunk)), frames, reach=2)
