"""Sinusoidal positions (Vaswani et al. 2017), with the learnable weight of ParaLip's decoders."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Positions(nn.Module):
    """Adds sinusoids to a sequence, weighted by one learnable number that starts at 1.

    Args:
        hidden: channels H; even.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        rates = torch.exp(-math.log(10_000.0) * torch.arange(0, hidden, 2) / hidden)
        self.register_buffer("rates", rates, persistent=False)

    def forward(self, x_BLH: Tensor, start: int = 0) -> Tensor:
        """Add positions start, start + 1, … to float (B, L, H). Computed afresh, so there is no longest length."""
        rates: Tensor = self.get_buffer("rates")
        places = torch.arange(start, start + x_BLH.shape[1], device=x_BLH.device, dtype=rates.dtype)
        angles = places[:, None] * rates
        table = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
        return x_BLH + self.weight * table.to(x_BLH.dtype)
