"""The quality discriminator of adversarial training (paper §3.3): is this frame a real one?

Legend: N frames, H x W pixels.
"""

from __future__ import annotations

from torch import Tensor, nn

_MIN_ROWS = 5
"""Rows at which halving ends: what is left then fits one convolution."""


class QualityDiscriminator(nn.Module):
    """Strided convolutions with LeakyReLU down to 1 x 1 x `hidden`, then a 1 x 1 convolution to one number.

    The paper names no channels, kernels or slope: kernel 5 and doubling channels are those of its identity encoder, the
    slope is LSGAN's (Mao et al. 2017). No normalisation: each frame is judged on its own, whatever stands beside it.

    Args:
        frame_size: (H, W) of the frames.
        hidden: channels where one pixel is left.
        kernel: taps of the strided convolutions; odd.
        slope: of LeakyReLU below zero.
    """

    def __init__(self, frame_size: tuple[int, int], *, hidden: int = 256, kernel: int = 5, slope: float = 0.2) -> None:
        super().__init__()
        height, width = frame_size
        layers: list[nn.Module] = []
        inputs, outputs = 3, 16
        while min(height, width) > _MIN_ROWS:
            layers += [nn.Conv2d(inputs, outputs, kernel, stride=2, padding=kernel // 2), nn.LeakyReLU(slope)]
            height, width = (height + 1) // 2, (width + 1) // 2
            inputs, outputs = outputs, min(2 * outputs, hidden)
        layers += [nn.Conv2d(inputs, hidden, (height, width)), nn.LeakyReLU(slope)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(hidden, 1, 1))

    def forward(self, frames_N3HW: Tensor) -> Tensor:
        """Judge float (N, 3, H, W) in [0, 1]: float (N,), near 1 where real; not bounded, as least squares want it."""
        return self.layers(frames_N3HW).flatten()
