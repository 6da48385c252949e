"""How much a clip moves: the check that pixel scores miss, as a mouth that never opens still scores well on them."""

from __future__ import annotations

from torch import Tensor


def motion_energy(frames: Tensor) -> Tensor:
    """Mean absolute difference of successive frames.

    Args:
        frames: float (T, C, H, W), T at least 2.

    Returns:
        float scalar in the unit of the pixels, 0 for a clip that stands still.

    Raises:
        ValueError: the frames are not 4-D, not floating point, or fewer than two.
    """
    if frames.ndim != 4 or len(frames) < 2:
        raise ValueError(f"frames must be (T, C, H, W) with T at least 2, not {tuple(frames.shape)}")
    if not frames.is_floating_point():
        raise ValueError(f"frames must be floating point, not {frames.dtype}")
    return (frames[1:] - frames[:-1]).abs().mean()
