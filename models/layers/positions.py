"""Sinusoidal positions (Vaswani et al. 2017), with the learnable weight of ParaLip's motion decoder."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class PositionalEncoding(nn.Module):
    """Adds sinusoids to a sequence of an even number of channels, weighted by a learnable number that starts at 1.

    Args:
        first: position of a sequence's first element.
        weighted: whether there is a learnable weight; else it stays 1.
    """

    def __init__(self, *, first: int = 0, weighted: bool = True) -> None:
        super().__init__()
        self.first = first
        self.weight = nn.Parameter(torch.ones(1)) if weighted else None

    def forward(self, x_BLH: Tensor, start: int = 0) -> Tensor:
        """Add positions to float (B, L, H), whose first element is the sequence's `start`-th.

        They are computed afresh, so there is no longest length.
        """
        start, hidden = self.first + start, x_BLH.shape[2]
        # single precision whatever the model's is: a half cannot tell position 257 from 256
        places = torch.arange(start, start + x_BLH.shape[1], device=x_BLH.device, dtype=torch.float32)
        rates = torch.exp(-math.log(10_000.0) * torch.arange(0, hidden, 2, device=x_BLH.device) / hidden)
        angles = places[:, None] * rates
        table = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).to(x_BLH.dtype)
        return x_BLH + (table if self.weight is None else self.weight * table)
