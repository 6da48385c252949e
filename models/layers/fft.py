"""The feed-forward Transformer block (paper §3.2; FastSpeech), for text and for motion.

Pre-norm by default: post-norm, as in the original Transformer, is an option, and learns a motionless mouth easily.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lipbench.models.layers.attention import Attention

Norm = Literal["pre", "post"]


@dataclass(frozen=True, kw_only=True)
class BlockSizes:
    """Sizes and details of one Transformer block."""

    hidden: int
    """Channels H."""
    heads: int
    """Attention heads."""
    inner: int
    """Channels inside the feed-forward."""
    kernel: int
    """Its taps; odd."""
    dropout: float
    """On the residual branches, and inside the feed-forward."""
    attention_bias: bool = False
    """Whether the attention's projections have biases."""
    attention_dropout: float = 0.0
    """On the attention's weights."""
    scaled: bool = True
    """Whether the feed-forward's convolution is scaled by kernel^-0.5."""

    def attention(self) -> Attention:
        """An attention of these sizes."""
        return Attention(self.hidden, self.heads, bias=self.attention_bias, dropout=self.attention_dropout)

    def feed_forward(self, *, causal: bool = False) -> ConvFeedForward:
        """A feed-forward of these sizes."""
        return ConvFeedForward(self.hidden, self.inner, self.kernel, self.dropout, causal=causal, scaled=self.scaled)


class ConvFeedForward(nn.Module):
    """Conv1d over time, ReLU, then a linear layer (ParaLip: kernel 9, four times wider, scaled by kernel^-0.5).

    Args:
        hidden: channels in and out.
        inner: channels between.
        kernel: taps; odd.
        dropout: on the inner channels.
        causal: look back only, so that the future cannot leak.
        scaled: multiply what the convolution gives by kernel^-0.5.
    """

    def __init__(
        self, hidden: int, inner: int, kernel: int, dropout: float, *, causal: bool = False, scaled: bool = True
    ) -> None:
        super().__init__()
        self.reach = kernel - 1
        self.causal = causal
        self.conv = nn.Conv1d(hidden, inner, kernel)
        self.linear = nn.Linear(inner, hidden)
        self.dropout = nn.Dropout(dropout)
        self.scale = kernel**-0.5 if scaled else 1.0

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
            left_padding = self.reach if self.causal else self.reach // 2
            x_BHL = F.pad(x_BHL, (left_padding, self.reach - left_padding))
        inner_BIL = F.relu(self.conv(x_BHL) * self.scale)
        return self.linear(self.dropout(inner_BIL.transpose(1, 2)))


class FFTBlock(nn.Module):
    """Self-attention and a convolutional feed-forward, each with layer norm and a residual.

    Args:
        sizes: see `BlockSizes`.
        norm: "pre" or "post".
    """

    def __init__(self, sizes: BlockSizes, norm: Norm = "pre") -> None:
        super().__init__()
        self.norm: Norm = norm
        self.attention = sizes.attention()
        self.feed_forward = sizes.feed_forward()
        self.attention_norm = nn.LayerNorm(sizes.hidden)
        self.feed_forward_norm = nn.LayerNorm(sizes.hidden)
        self.dropout = nn.Dropout(sizes.dropout)

    def forward(self, x_BLH: Tensor, valid_BL: Tensor) -> Tensor:
        """Transform float (B, L, H); positions that are not valid neither matter nor come back as anything but 0."""
        keep = valid_BL[:, :, None].to(x_BLH.dtype)
        attention_mask = valid_BL[:, None, None, :]
        if self.norm == "pre":
            x_BLH = (x_BLH + self._attend(self.attention_norm(x_BLH), attention_mask)) * keep
            # the convolution reaches into the padding, and a norm turns 0 into its bias
            return (x_BLH + self.dropout(self.feed_forward(self.feed_forward_norm(x_BLH) * keep))) * keep
        x_BLH = self.attention_norm(x_BLH + self._attend(x_BLH, attention_mask)) * keep
        return self.feed_forward_norm(x_BLH + self.dropout(self.feed_forward(x_BLH))) * keep

    def _attend(self, x_BLH: Tensor, attention_mask: Tensor) -> Tensor:
        return self.dropout(self.attention(x_BLH, self.attention.remember(x_BLH), attention_mask))


class FFTStack(nn.Module):
    """Several blocks, and the last layer norm that pre-norm blocks need.

    Args:
        layers: number of blocks.
        sizes: of each.
        norm: "pre" or "post".
    """

    def __init__(self, layers: int, sizes: BlockSizes, norm: Norm = "pre") -> None:
        super().__init__()
        self.blocks = nn.ModuleList(FFTBlock(sizes, norm) for _ in range(layers))
        self.norm = nn.LayerNorm(sizes.hidden) if norm == "pre" else nn.Identity()

    def forward(self, x_BLH: Tensor, valid_BL: Tensor) -> Tensor:
        """Transform float (B, L, H); see `FFTBlock.forward`."""
        for block in self.blocks:
            x_BLH = block(x_BLH, valid_BL)
        return self.norm(x_BLH) * valid_BL[:, :, None].to(x_BLH.dtype)
