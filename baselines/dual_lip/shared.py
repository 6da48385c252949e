"""What both branches of DualLip share: a recurrent reader of text, and HH-T2L's identity encoder and image decoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lipbench.baselines.dual_lip.config import DualLipConfig
from lipbench.models.layers.images import IdentityEncoder, ImageDecoder
from lipbench.models.text import PADDING


class DualLipBase(nn.Module):
    """The shared modules.

    Args:
        config: sizes.
    """

    def __init__(self, config: DualLipConfig) -> None:
        super().__init__()
        self.config = config
        size = (config.height, config.width)
        self.identity_encoder = IdentityEncoder(
            config.identity_channels, size, vector=config.hidden, kernel=config.image_kernel
        )
        self.embedding = nn.Embedding(config.vocabulary_size, config.hidden, padding_idx=PADDING)
        self.text_rnn = nn.LSTM(config.hidden, config.hidden // 2, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(config.dropout)
        self.image_decoder = ImageDecoder(
            config.image_channels,
            config.identity_channels,
            size,
            vector=2 * config.hidden,
            kernel=config.image_kernel,
            output=config.output,
        )

    @property
    def frame_size(self) -> tuple[int, int]:
        """(H, W) of the frames."""
        return self.config.height, self.config.width

    def read(self, tokens_Bm: Tensor, lengths: Sequence[int]) -> Tensor:
        """Encode the text in both directions.

        Args:
            tokens_Bm: int64 (B, m).
            lengths: tokens of each clip, B numbers.

        Returns:
            float (B, m, H).
        """
        return run_packed(self.text_rnn, self.dropout(self.embedding(tokens_Bm)), lengths)


def run_packed(rnn: nn.LSTM, x_BLH: Tensor, lengths: Sequence[int]) -> Tensor:
    """Run a recurrent network over padded rows; padding is left out, so it changes nothing.

    Args:
        rnn: batch first.
        x_BLH: float (B, L, H).
        lengths: B numbers from 1 to L.

    Returns:
        float (B, L, cells), 0 where padded.
    """
    if min(lengths) == x_BLH.shape[1]:  # nothing is padded; packing would read and sort on the device
        return rnn(x_BLH)[0]
    packed_sequence = nn.utils.rnn.pack_padded_sequence(
        x_BLH, torch.tensor(lengths), batch_first=True, enforce_sorted=False
    )
    states, _ = rnn(packed_sequence)
    return nn.utils.rnn.pad_packed_sequence(states, batch_first=True, total_length=x_BLH.shape[1])[0]


def with_identity(motion: Tensor, identity_BH: Tensor) -> Tensor:
    """Put the identity beside each motion vector, float (B, …, H): what the image decoder takes, (B, …, 2H)."""
    between = (1,) * (motion.dim() - 2)
    return torch.cat([motion, identity_BH.view(len(identity_BH), *between, -1).expand_as(motion)], dim=-1)
