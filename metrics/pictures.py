"""The colours and the depth in which a protocol looks at frames."""

from __future__ import annotations

import torch
from torch import Tensor

from lipbench.metrics.protocols import Protocol

GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue: ITU-R BT.601 luma, as in OpenCV."""
_GREY_FIXED = (9798, 19235, 3735)
_GREY_BITS = 15


def prepare_frames(frames: Tensor, protocol: Protocol) -> Tensor:
    """Frames as the protocol sees them.

    Args:
        frames: float (T, 3, H, W) in [0, 1], RGB, or uint8: levels. A few: of whole videos each step in between would
            need hundreds of megabytes.
        protocol: its `colour` and `depth` say what is done.

    Returns:
        float64 (T, 3 or 1, H, W) in [0, 1]; whole multiples of 1/255 unless the depth is "float".
    """
    frames = as_unit(frames).double()
    if protocol.depth == "float":
        if protocol.colour == "rgb":
            return frames
        return grey(frames)
    levels = to_8_bits(frames)
    return (grey_8_bits(levels) if protocol.colour == "grey" else levels).double() / 255


def as_unit(frames: Tensor) -> Tensor:
    """8-bit levels, uint8, as float32 in [0, 1]; floats as they are."""
    return frames.float() / 255 if frames.dtype == torch.uint8 else frames


def grey(frames: Tensor) -> Tensor:
    """RGB to grey without rounding, float (T, 3, H, W) to (T, 1, H, W)."""
    return (frames * frames.new_tensor(GREY)[:, None, None]).sum(dim=1, keepdim=True)


def to_8_bits(frames: Tensor) -> Tensor:
    """Frames in [0, 1] to uint8, rounded to the nearest level, halves to the even one."""
    return (frames * 255).round().to(torch.uint8)


def grey_8_bits(levels: Tensor) -> Tensor:
    """RGB to grey as OpenCV's ``cvtColor`` does it for 8-bit pictures, in fixed point.

    Args:
        levels: uint8 (T, 3, H, W).

    Returns:
        uint8 (T, 1, H, W).
    """
    weights = torch.tensor(_GREY_FIXED, dtype=torch.int32, device=levels.device)[:, None, None]
    total = (levels.to(torch.int32) * weights).sum(dim=1, keepdim=True, dtype=torch.int32)
    return ((total + (1 << (_GREY_BITS - 1))) >> _GREY_BITS).to(torch.uint8)
