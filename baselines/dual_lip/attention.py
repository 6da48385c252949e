"""Location-sensitive attention (Chorowski et al. 2015; Tacotron 2): where to look next depends on where it has looked.

Legend: B clips, m tokens, H channels, A attention size.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class AttentionStep(NamedTuple):
    """Where the attention stands: both float (B, m)."""

    now: Tensor
    """Weights of the last step; rows sum to 1."""
    total: Tensor
    """Weights of all steps so far, summed."""


class LocationAttention(nn.Module):
    """Additive attention over content, with a convolution over the last and the summed weights.

    Args:
        query: size of the query.
        hidden: channels H of the text.
        channels: channels of the location convolution.
        kernel: its taps; odd.
    """

    def __init__(self, query: int, hidden: int, *, channels: int, kernel: int) -> None:
        super().__init__()
        self.query = nn.Linear(query, hidden, bias=False)
        self.memory = nn.Linear(hidden, hidden)
        self.location = nn.Sequential(
            nn.Conv1d(2, channels, kernel, padding=kernel // 2, bias=False),
        )
        self.location_out = nn.Linear(channels, hidden, bias=False)
        self.energy = nn.Linear(hidden, 1, bias=False)

    def start(self, text_BmH: Tensor) -> AttentionStep:
        """Stand on the first token."""
        weights = text_BmH.new_zeros(text_BmH.shape[:2])
        weights[:, 0] = 1
        return AttentionStep(weights, weights)

    def forward(
        self, query_BQ: Tensor, text_BmH: Tensor, keys_BmH: Tensor, valid_Bm: Tensor, step: AttentionStep
    ) -> tuple[Tensor, AttentionStep]:
        """Look once.

        Args:
            query_BQ: float (B, Q), the decoder's state.
            text_BmH: float (B, m, H), what is looked at.
            keys_BmH: `self.memory(text_BmH)`, the same for every step.
            valid_Bm: bool (B, m).
            step: where the attention stood.

        Returns:
            What was seen, float (B, H), and where it stands now.
        """
        location = self.location_out(self.location(torch.stack(step, dim=1)).transpose(1, 2))
        energy = self.energy(torch.tanh(self.query(query_BQ)[:, None] + keys_BmH + location)).squeeze(-1)
        weights = energy.masked_fill(~valid_Bm, float("-inf")).softmax(dim=-1)
        return torch.bmm(weights[:, None], text_BmH).squeeze(1), AttentionStep(weights, step.total + weights)
