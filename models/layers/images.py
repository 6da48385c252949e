"""The image stack: a mouth picture in, features out; motion and features in, a mouth picture out.

Sizes from ParaLip's code for the paper preset: encoder 3-16-32-64-128, decoder 256-196-128-80-48, then 16 and 3.
Legend: N pictures, B clips, H x W pixels, D channels of a vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

OutputRange = Literal["sigmoid", "tanh"]


class IdentityFeatures(NamedTuple):
    """What the identity encoder says of each picture."""

    vector: Tensor
    """float (B, D)."""
    levels: list[Tensor]
    """One float (B, C, h, w) per convolution, from the finest to the coarsest."""


class IdentityEncoder(nn.Module):
    """Strided convolutions with batch norm and ReLU; every level is sent out (paper §3.2).

    Args:
        channels: output channels of each convolution; each halves height and width.
        frame_size: (H, W) of the pictures; divisible by 2 to the number of levels.
        vector: size D of the final vector.
        kernel: taps of the convolutions; odd.
    """

    def __init__(self, channels: Sequence[int], frame_size: tuple[int, int], *, vector: int, kernel: int = 5) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(inputs, outputs, kernel, stride=2, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            )
            for inputs, outputs in zip((3, *channels[:-1]), channels, strict=True)
        )
        height, width = coarsest(frame_size, len(channels))
        self.linear = nn.Linear(channels[-1] * height * width, vector)

    def forward(self, pictures_N3HW: Tensor) -> IdentityFeatures:
        """Encode float (N, 3, H, W) in [0, 1]."""
        levels: list[Tensor] = []
        x = pictures_N3HW
        for level in self.levels:
            x = level(x)
            levels.append(x)
        return IdentityFeatures(torch.tanh(self.linear(x.flatten(1))), levels)


class ImageDecoder(nn.Module):
    """Transposed convolutions, joined at every level with the identity's features by concatenation (paper §3.2).

    Each frame is drawn on its own, so any subset of a clip's frames can be drawn. This is the formulation to read and
    to train; `lipbench.models.layers.drawing` draws clips with the same weights faster.

    Args:
        channels: channels before the first and after each transposed convolution: one more than there are levels.
        skips: the identity encoder's channels, finest first.
        frame_size: (H, W) of the pictures.
        vector: size of the incoming vector.
        last: channels between the two extra convolutions.
        kernel: taps of all convolutions; odd.
        output: "sigmoid" ends in (0, 1); "tanh" is the public code's way, of which the negative half is clipped.
    """

    def __init__(
        self,
        channels: Sequence[int],
        skips: Sequence[int],
        frame_size: tuple[int, int],
        *,
        vector: int,
        last: int = 16,
        kernel: int = 5,
        output: OutputRange = "sigmoid",
    ) -> None:
        super().__init__()
        self.frame_size = frame_size
        self.padding = kernel // 2
        self.seed_shape = (channels[0], *coarsest(frame_size, len(skips)))
        self.linear = nn.Linear(vector, channels[0] * self.seed_shape[1] * self.seed_shape[2])
        self.levels = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(
                    inputs + skip, outputs, kernel, stride=2, padding=kernel // 2, output_padding=1, bias=False
                ),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            )
            for inputs, skip, outputs in zip(channels[:-1], reversed(skips), channels[1:], strict=True)
        )
        self.extra = nn.Sequential(
            nn.Conv2d(channels[-1], last, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(last),
            nn.ReLU(inplace=True),
            nn.Conv2d(last, 3, kernel, padding=kernel // 2),
        )
        self.output: OutputRange = output

    def forward(self, motion_ND: Tensor, levels: Sequence[Tensor], clip_N: Tensor) -> Tensor:
        """Draw frames.

        Args:
            motion_ND: float (N, D), one vector per frame to draw, of any clips in any order.
            levels: the identity encoder's features, finest first, each (B, C, h, w).
            clip_N: int64 (N,), the clip in 0..B-1 that each frame belongs to.

        Returns:
            float (N, 3, H, W) in [0, 1] ("tanh": in (-1, 1) while training, clipped otherwise).
        """
        x = F.relu(self.linear(motion_ND)).unflatten(1, self.seed_shape)
        for level, skip in zip(self.levels, reversed(levels), strict=True):
            x = level(torch.cat([x, skip.index_select(0, clip_N)], dim=1))
        return self.to_range(self.extra(x))

    def to_range(self, x_N3HW: Tensor) -> Tensor:
        """Bring what the last convolution gives to the range of pictures; see `forward`."""
        if self.output == "sigmoid":
            return torch.sigmoid(x_N3HW)
        pictures = torch.tanh(x_N3HW)
        return pictures if self.training else pictures.clamp(min=0)


def coarsest(frame_size: tuple[int, int], levels: int) -> tuple[int, int]:
    """Height and width after halving `levels` times.

    Raises:
        ValueError: the frame cannot be halved that often.
    """
    height, width = frame_size
    step = 2**levels
    if height % step or width % step:
        raise ValueError(f"frames of {height} x {width} cannot be halved {levels} times")
    return height // step, width // step


def gather_frames(x_BTD: Tensor, picked_BK: Tensor) -> tuple[Tensor, Tensor]:
    """Take some positions of each row, flattened.

    Args:
        x_BTD: float (B, T, D).
        picked_BK: int64 (B, K), positions.

    Returns:
        float (B·K, D), and int64 (B·K,), the row that each came from.
    """
    rows = torch.arange(len(picked_BK), device=picked_BK.device).repeat_interleave(picked_BK.shape[1])
    return x_BTD[rows, picked_BK.flatten()], rows
