"""The feed-forward Transformer block (paper §3.2; FastSpeech), for text and for motion.

Pre-norm by default: post-norm, as in the original Transformer, is an option, and learns a motionless mouth easily.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.attention import Attention

Norm = Literal["pre", "post"]


class ConvFeedForward(nn.Module):
    """Conv1d over time, ReLU, then a linear layer (ParaLip: kernel 9, four times wider, scaled by kernel^-0.5).

    Args:
        hidden: channels in and out.
        inner: channels between.
        kernel: taps; odd.
        dropout: on the inner channels.
        causal: look back only, so that the future cannot leak.
    """

    def __init__(self, hidden: int, inner: int, kernel: int, dropout: float, *, causal: bool = False) -> None:
        super().__init__()
        self.reach = kernel - 1
        self.causal = causal
        self.conv = nn.Conv1d(hidden, inner, kernel)
        self.linear = nn.Linear(inner, hidden)
        self.dropout = nn.Dropout(dropout)
        self.scale = kernel**-0.5

    def forward(self, x_BLH: Tensor, past: Tensor | None = None) -> Tensor:
        """Transform float (B, L, H).

        Args:
            x_BLH: the sequence; padded positions must be 0.
            past: float (B, kernel - 1, H), what came before it, for stepwise use of a causal block; None: nothing did.
        """
        x_BHL = x_BLH.transpose(1, 2)
        if past is not None:
            x_BHL = torch.cat([past.transpose(1, 2), x_BHL], dim=2)
        else:
            left = self.reach if self.causal else self.reach // 2
            x_BHL = F.pad(x_BHL, (left, self.reach - left))
        inner_BIL = F.relu(self.conv(x_BHL) * self.scale)
        return self.linear(self.dropout(inner_BIL.transpose(1, 2)))


class FFTBlock(nn.Module):
    """Self-attention and a convolutional feed-forward, each with layer norm and a residual.

    Args:
        hidden: channels H.
        heads: attention heads.
        inner: channels inside the feed-forward.
        kernel: its taps.
        dropout: on both residual branches.
        norm: "pre" or "post".
    """

    def __init__(self, hidden: int, heads: int, *, inner: int, kernel: int, dropout: float, norm: Norm = "pre") -> None:
        super().__init__()
        self.norm: Norm = norm
        self.attention = Attention(hidden, heads)
        self.feed_forward = ConvFeedForward(hidden, inner, kernel, dropout)
        self.attention_norm = nn.LayerNorm(hidden)
        self.feed_forward_norm = nn.LayerNorm(hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_BLH: Tensor, valid_BL: Tensor) -> Tensor:
        """Transform float (B, L, H); positions that are not valid neither matter nor come back as anything but 0."""
        keep = valid_BL[:, :, None].to(x_BLH.dtype)
        look = valid_BL[:, None, None, :]
        if self.norm == "pre":
            x_BLH = (x_BLH + self._attend(self.attention_norm(x_BLH), look)) * keep
            # the convolution reaches into the padding, and a norm turns 0 into its bias
            return (x_BLH + self.dropout(self.feed_forward(self.feed_forward_norm(x_BLH) * keep))) * keep
        x_BLH = self.attention_norm(x_BLH + self._attend(x_BLH, look)) * keep
        return self.feed_forward_norm(x_BLH + self.dropout(self.feed_forward(x_BLH))) * keep

    def _attend(self, x_BLH: Tensor, look: Tensor) -> Tensor:
        return self.dropout(self.attention(x_BLH, self.attention.remember(x_BLH), look))


class FFTStack(nn.Module):
    """Several blocks, and the last layer norm that pre-norm blocks need.

    Args:
        layers: number of blocks.
        hidden: channels H.
        heads: attention heads.
        inner: channels inside the feed-forwards.
        kernel: their taps.
        dropout: on all residual branches.
        norm: "pre" or "post".
    """

    def __init__(
        self, layers: int, hidden: int, heads: int, *, inner: int, kernel: int, dropout: float, norm: Norm = "pre"
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            FFTBlock(hidden, heads, inner=inner, kernel=kernel, dropout=dropout, norm=norm) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(hidden) if norm == "pre" else nn.Identity()

    def forward(self, x_BLH: Tensor, valid_BL: Tensor) -> Tensor:
        """Transform float (B, L, H); see `FFTBlock.forward`."""
        for block in self.blocks:
            x_BLH = block(x_BLH, valid_BL)
        return self.norm(x_BLH) * valid_BL[:, :, None].to(x_BLH.dtype)
