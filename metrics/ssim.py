"""Structural similarity over a corpus."""

from __future__ import annotations

from torch import Tensor

from lipbench.metrics.clip_metric import Score, undefined_score
from lipbench.metrics.frame_metric import FrameMetric
from lipbench.metrics.functional.ssim import ssim


class SSIM(FrameMetric):
    """Structural similarity in the protocol's window: mean over pixels and channels, then frames, then clips.

    A clip whose frames are smaller than the window has no value; `compute` leaves it out and `undefined_score` counts
    it.

    Example:
        >>> import torch
        >>> clip = torch.linspace(0, 1, 2 * 3 * 16 * 16).reshape(2, 3, 16, 16)
        >>> round(SSIM()(clip, clip).item(), 6)
        1.0
    """

    title = "SSIM"
    unit = ""
    higher_is_better = True
    bounds = (-1.0, 1.0)

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        height, width = preds.shape[2:]
        window = self.protocol.ssim_window
        if min(height, width) < window:
            return undefined_score(f"frames of {width} x {height} are smaller than the SSIM window of {window}")
        return super()._score(preds, target)

    def _frame_values(self, preds: Tensor, target: Tensor) -> Tensor:
        rules = self.protocol
        return ssim(
            preds,
            target,
            window=rules.ssim_window,
            weights=rules.ssim_weights,
            sigma=rules.ssim_sigma,
            covariance=rules.ssim_covariance,
            border=rules.ssim_border,
        )
