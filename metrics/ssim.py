"""Structural similarity over a corpus."""

from __future__ import annotations

import torch
from torch import Tensor

from metrics.frame_metric import FrameMetric
from metrics.functional.ssim import ssim

FRAMES_AT_ONCE = 8
"""A few frames stay in the cache where a whole clip does not."""


class SSIM(FrameMetric):
    """Structural similarity in the protocol's window: mean over pixels and channels, then frames, then clips.

    Example:
        >>> clip = torch.linspace(0, 1, 2 * 3 * 16 * 16).reshape(2, 3, 16, 16)
        >>> round(SSIM()(clip, clip).item(), 6)
        1.0
    """

    title = "SSIM"
    unit = ""
    higher_is_better = True
    bounds = (-1.0, 1.0)

    def _frame_values(self, preds: Tensor, target: Tensor) -> Tensor:
        rules = self.protocol
        values = [
            ssim(
                some_preds,
                some_target,
                window=rules.ssim_window,
                weights=rules.ssim_weights,
                sigma=rules.ssim_sigma,
                covariance=rules.ssim_covariance,
                border=rules.ssim_border,
            )
            for some_preds, some_target in zip(preds.split(FRAMES_AT_ONCE), target.split(FRAMES_AT_ONCE), strict=True)
        ]
        return torch.cat(values)
