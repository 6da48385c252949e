"""Corpus frames to model frames: uint8 (T, 80, 160, 3) to the model's size, channels first."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor


def to_model_size(frames_THW3: NDArray[np.uint8], frame_size: tuple[int, int]) -> Tensor:
    """Resize by averaging areas, which is exact for whole ratios and never rings.

    Args:
        frames_THW3: uint8 RGB (T, H, W, 3).
        frame_size: (height, width) to reach.

    Returns:
        uint8 (T, 3, height, width).
    """
    frames = torch.from_numpy(np.ascontiguousarray(frames_THW3)).permute(0, 3, 1, 2)
    if frames.shape[2:] == frame_size:
        return frames.contiguous()
    return F.adaptive_avg_pool2d(frames.float(), frame_size).round().to(torch.uint8)


def to_unit(frames: Tensor) -> Tensor:
    """uint8 in 0..255 to float32 in [0, 1]."""
    return frames.float() / 255
