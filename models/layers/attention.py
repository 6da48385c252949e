"""Multi-head attention, in one form for full sequences and for one step with a cache.

Source: ParaLip's blocks have two heads, no biases and no dropout on the weights; the original Transformer (Vaswani et
al. 2017), which the paper names as its basic structure, has biases.
Legend: B clips, L queries, M memory positions, H channels.
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn


class KeyValues(NamedTuple):
    """Keys and values of the positions that may be looked at, split by head: each (B, heads, M, H / heads)."""

    keys: Tensor
    values: Tensor


class Attention(nn.Module):
    """Scaled dot-product attention.

    Args:
        hidden: channels H.
        heads: number of heads; divides H.
        bias: whether the four projections have biases.
        dropout: on the weights, while training.

    Raises:
        ValueError: the heads do not divide the channels.
    """

    def __init__(self, hidden: int, heads: int, *, bias: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        if hidden % heads:
            raise ValueError(f"{heads} heads do not divide {hidden} channels")
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(hidden, hidden, bias=bias)
        self.key_value = nn.Linear(hidden, 2 * hidden, bias=bias)
        self.out = nn.Linear(hidden, hidden, bias=bias)

    def remember(self, memory_BMH: Tensor) -> KeyValues:
        """Make keys and values of a sequence."""
        keys, values = self.key_value(memory_BMH).chunk(2, dim=-1)
        return KeyValues(self._split(keys), self._split(values))

    def forward(
        self, query_BLH: Tensor, memory: KeyValues, mask: Tensor | None = None, *, causal: bool = False
    ) -> Tensor:
        """Look up each query in the memory.

        Args:
            query_BLH: float (B, L, H).
            memory: from `remember`.
            mask: bool, broadcastable to (B, heads, L, M), True where looking is allowed; every query needs one.
            causal: query i may look at positions 0..i only (L must equal M); excludes `mask`.

        Returns:
            float (B, L, H).
        """
        attended = F.scaled_dot_product_attention(
            self._split(self.query(query_BLH)),
            memory.keys,
            memory.values,
            attn_mask=mask,
            is_causal=causal,
            dropout_p=self.dropout if self.training else 0.0,
        )
        return self.out(attended.transpose(1, 2).flatten(2))

    def weights(self, query_BLH: Tensor, memory: KeyValues, mask: Tensor | None = None) -> Tensor:
        """How much each query looks at each memory position: float (B, heads, L, M), rows sum to 1."""
        query = self._split(self.query(query_BLH))
        scores = query @ memory.keys.transpose(-1, -2) * query.shape[-1] ** -0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        return scores.softmax(dim=-1)

    def _split(self, x_BLH: Tensor) -> Tensor:
        return x_BLH.unflatten(-1, (self.heads, -1)).transpose(1, 2)
