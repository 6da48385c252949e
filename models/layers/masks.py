"""Which positions of a padded batch are real."""

from __future__ import annotations

import torch
from torch import Tensor


def valid_positions(lengths: Tensor, size: int) -> Tensor:
    """Mark the real positions of a padded batch.

    Args:
        lengths: int (B,), in 0..size.
        size: padded length L.

    Returns:
        bool (B, L), True before each row's length.

    Example:
        >>> valid_positions(torch.tensor([1, 3]), 3).tolist()
        [[True, False, False], [True, True, True]]
    """
    return torch.arange(size, device=lengths.device) < lengths[:, None]
