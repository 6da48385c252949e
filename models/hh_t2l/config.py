"""Sizes of HH-T2L and its three presets."""

from __future__ import annotations

from dataclasses import dataclass

from models.layers.fft import Norm
from models.layers.images import OutputRange, coarsest


@dataclass(frozen=True, kw_only=True)
class HHT2LConfig:
    """Every size of HH-T2L. The defaults are the `paper` preset (paper §4.3; sizes that it omits from ParaLip's code).

    Raises:
        ValueError: the sizes do not fit together.
    """

    vocabulary_size: int = 29
    """Token ids, padding included; the character level has 28 symbols."""
    height: int = 80
    width: int = 160
    hidden: int = 256
    heads: int = 2
    encoder_layers: int = 4
    decoder_layers: int = 4
    ffn_inner: int = 1024
    ffn_kernel: int = 9
    dropout: float = 0.2
    norm: Norm = "pre"
    identity_channels: tuple[int, ...] = (16, 32, 64, 128)
    image_channels: tuple[int, ...] = (256, 196, 128, 80, 48)
    image_kernel: int = 5
    output: OutputRange = "sigmoid"
    detach_durations: bool = True
    """Whether the duration loss leaves the text encoder alone (ParaLip's `predictor_sg`)."""
    chunk: int = 25
    """Frames drawn at once when generating: bounds memory, changes no value."""

    def __post_init__(self) -> None:
        coarsest((self.height, self.width), len(self.identity_channels))
        if len(self.image_channels) != len(self.identity_channels) + 1:
            raise ValueError("image_channels needs one entry more than identity_channels")
        for kernel in (self.ffn_kernel, self.image_kernel):
            if kernel % 2 == 0:
                raise ValueError("kernels must be odd")
        if self.hidden % self.heads or self.hidden % 2:
            raise ValueError("hidden must be even and divisible by heads")
        if self.chunk < 1 or self.vocabulary_size < 2:
            raise ValueError("chunk and vocabulary_size must be positive")


SMALL = {
    "height": 40,
    "width": 80,
    "hidden": 128,
    "encoder_layers": 3,
    "decoder_layers": 3,
    "ffn_inner": 256,
    "ffn_kernel": 5,
    "dropout": 0.1,
    "identity_channels": (16, 32, 64),
    "image_channels": (96, 64, 48, 24),
}
"""What the small preset changes: half the size of the picture, a few million parameters, trainable on two cores."""

TINY = {
    "height": 20,
    "width": 40,
    "hidden": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "ffn_inner": 64,
    "ffn_kernel": 3,
    "dropout": 0.0,
    "identity_channels": (8, 16),
    "image_channels": (32, 16, 16),
}
"""What the tiny preset changes: for tests."""

PRESETS = {"paper": HHT2LConfig(), "small": HHT2LConfig(**SMALL), "tiny": HHT2LConfig(**TINY)}
