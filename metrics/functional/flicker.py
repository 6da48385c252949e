"""How much a clip flickers."""

from __future__ import annotations

from torch import Tensor


def flicker(frames: Tensor) -> Tensor:
    """Mean absolute second difference over time, ``|x[t+1] - 2 x[t] + x[t-1]|``.

    The second difference is a high-pass filter (gain ``4 sin^2(w / 2)``: 0 for what stays or changes steadily, largest
    for what alternates from frame to frame), so this is the clip's energy at high temporal frequencies. Definition:
    ours.

    Args:
        frames: float (T, C, H, W), T at least 3.

    Returns:
        float scalar in the unit of the pixels, 0 for a clip that stands still or changes steadily.

    Raises:
        ValueError: the frames are not 4-D, not floating point, or fewer than three.
    """
    if frames.ndim != 4 or len(frames) < 3:
        raise ValueError(f"frames must be (T, C, H, W) with T at least 3, not {tuple(frames.shape)}")
    if not frames.is_floating_point():
        raise ValueError(f"frames must be floating point, not {frames.dtype}")
    return frames.diff(n=2, dim=0).abs().mean()
