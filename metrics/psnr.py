"""Peak signal-to-noise ratio over a corpus."""

from __future__ import annotations

from math import inf

from torch import Tensor

from lipbench.metrics.frame_metric import FrameMetric
from lipbench.metrics.functional.psnr import psnr, psnr_wrapping
from lipbench.metrics.pictures import to_8_bits


class PSNR(FrameMetric):
    """Peak signal-to-noise ratio in dB: each frame at most the protocol's cap, then the mean per clip, then of clips.

    A frame without error has an infinite ratio. The cap stands in for it, so a clip of equal frames scores the cap.

    Example:
        >>> import torch
        >>> metric = PSNR()
        >>> metric(torch.zeros(2, 3, 16, 16), torch.full((2, 3, 16, 16), 0.1)).round(decimals=3).item()
        20.0
    """

    title = "PSNR"
    unit = "dB"
    higher_is_better = True
    bounds = (0.0, inf)

    def _frame_values(self, preds: Tensor, target: Tensor) -> Tensor:
        if self.protocol.depth == "uint8_wrapping":
            values = psnr_wrapping(to_8_bits(preds), to_8_bits(target))
        else:
            values = psnr(preds, target)
        return values.clamp(max=self.protocol.psnr_cap_db)
