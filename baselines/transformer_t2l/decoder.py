"""The causal decoder: it looks at the frames so far and at the text, all at once in training, step by step after.

Legend: B clips, T frames so far, m tokens, H channels.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from lipbench.models.layers.attention import KeyValues
from lipbench.models.layers.fft import BlockSizes


class BlockCache(NamedTuple):
    """What one block keeps of the steps so far."""

    seen: KeyValues
    """Keys and values of the frames so far."""
    text: KeyValues
    """Keys and values of the text."""
    past: Tensor
    """float (B, kernel - 1, H), the newest inputs of the feed-forward."""


class CausalBlock(nn.Module):
    """Causal self-attention, attention over the text, causal feed-forward; pre-norm, with residuals.

    Args:
        sizes: see `BlockSizes`.
    """

    def __init__(self, sizes: BlockSizes) -> None:
        super().__init__()
        self.self_attention = sizes.attention()
        self.text_attention = sizes.attention()
        self.feed_forward = sizes.feed_forward(causal=True)
        self.norms = nn.ModuleList(nn.LayerNorm(sizes.hidden) for _ in range(3))
        self.dropout = nn.Dropout(sizes.dropout)

    def forward(self, x_BTH: Tensor, text: KeyValues, text_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Transform all frames at once.

        Args:
            x_BTH: float (B, T, H); frame t sees 0..t only.
            text: from `self.text_attention.remember`.
            text_mask: bool (B, 1, 1, m), True where there is text.

        Returns:
            float (B, T, H), and how much the first head of each frame looks at each token, float (B, T, m).
        """
        inputs = self.norms[0](x_BTH)
        x_BTH = x_BTH + self.dropout(self.self_attention(inputs, self.self_attention.remember(inputs), causal=True))
        inputs = self.norms[1](x_BTH)
        x_BTH = x_BTH + self.dropout(self.text_attention(inputs, text, text_mask))
        attention_weights = self.text_attention.weights(inputs, text, text_mask)[:, 0]
        return x_BTH + self.dropout(self.feed_forward(self.norms[2](x_BTH))), attention_weights

    def start(self, text_BmH: Tensor) -> BlockCache:
        """Make the cache before the first step."""
        clips, _, hidden = text_BmH.shape
        no_frames = text_BmH.new_zeros(clips, 0, hidden)
        return BlockCache(
            seen=self.self_attention.remember(no_frames),
            text=self.text_attention.remember(text_BmH),
            past=text_BmH.new_zeros(clips, self.feed_forward.reach, hidden),
        )

    def step(self, x_B1H: Tensor, cache: BlockCache, text_mask: Tensor) -> tuple[Tensor, BlockCache]:
        """Transform one frame, float (B, 1, H), given those before it."""
        inputs = self.norms[0](x_B1H)
        new = self.self_attention.remember(inputs)
        self_attention_memory = KeyValues(
            torch.cat([cache.seen.keys, new.keys], dim=2), torch.cat([cache.seen.values, new.values], dim=2)
        )
        x_B1H = x_B1H + self.self_attention(inputs, self_attention_memory)
        x_B1H = x_B1H + self.text_attention(self.norms[1](x_B1H), cache.text, text_mask)
        inputs = self.norms[2](x_B1H)
        window = torch.cat([cache.past, inputs], dim=1)
        return x_B1H + self.feed_forward(inputs, cache.past), BlockCache(
            self_attention_memory, cache.text, window[:, 1:]
        )
