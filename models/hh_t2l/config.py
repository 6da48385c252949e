"""Sizes of HH-T2L and its three presets."""

from __future__ import annotations

from dataclasses import dataclass

from models.layers.fft import Norm
from models.layers.images import OutputRange
from models.sizes import check_levels, check_sizes


@dataclass(frozen=True, kw_only=True)
class SharedConfig:
    """Sizes that HH-T2L and TransformerT2L have in common ("the same model settings", paper §5.1).

    The defaults are those of the `paper` preset (paper §4.3; sizes that it omits from ParaLip's code).

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

    def __post_init__(self) -> None:
        check_sizes(
            self,
            positive=(
                "vocabulary_size", "height", "width", "hidden", "heads", "encoder_layers", "decoder_layers",
                "ffn_inner", "ffn_kernel", "identity_channels", "image_channels", "image_kernel",
            ),
            odd=("ffn_kernel", "image_kernel"),
            shares=("dropout",),
        )  # fmt: skip
        check_levels(self)
        if self.hidden % self.heads or self.hidden % 2:
            raise ValueError("hidden must be even and divisible by heads")


@dataclass(frozen=True, kw_only=True)
class HHT2LConfig(SharedConfig):
    """The shared sizes, and two options of HH-T2L's own.

    Raises:
        ValueError: the sizes do not fit together.
    """

    detach_durations: bool = True
    """Whether the duration loss leaves the text encoder alone (ParaLip's `predictor_sg`)."""
    chunk: int = 25
    """Frames drawn at once when generating: bounds memory, changes no value."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self, positive=("chunk",))


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
