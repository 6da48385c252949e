"""Sizes of HH-T2L and its three presets."""

from __future__ import annotations

from dataclasses import dataclass

from lipbench.models.layers.drawing import DrawingMode
from lipbench.models.layers.durations import Domain, Rounding
from lipbench.models.layers.fft import Norm
from lipbench.models.layers.images import OutputRange
from lipbench.models.sizes import check_levels, check_sizes


@dataclass(frozen=True, kw_only=True)
class SharedConfig:
    """Sizes that HH-T2L and TransformerT2L have in common ("the same model settings", paper §5.1).

    The defaults are those of the `paper` preset (paper §4.3; what it omits from ParaLip's code). docs/models.md lists
    each with its source.

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
    """Taps of the feed-forward's convolution; the paper's "kernel size 5" is read as that of the pictures' ones."""
    ffn_scaled: bool = True
    """Whether that convolution is scaled by ffn_kernel^-0.5."""
    attention_bias: bool = False
    attention_dropout: float = 0.0
    dropout: float = 0.2
    norm: Norm = "pre"
    first_position: int = 1
    """Position of the first token and frame: ParaLip counts from its padding's id plus 1."""
    text_positions_weighted: bool = False
    """Whether the text's positions have a learnable weight, as the motion's have."""
    identity_channels: tuple[int, ...] = (16, 32, 64, 128)
    image_channels: tuple[int, ...] = (256, 196, 128, 80, 48)
    image_kernel: int = 5
    output: OutputRange = "sigmoid"
    """The paper names none; ParaLip ends in tanh, of which the negative half is clipped when a clip is made."""
    drawing: DrawingMode = "folded"
    """How clips are drawn: fast, or as the network is written down; changes no value beyond rounding."""

    def __post_init__(self) -> None:
        check_sizes(
            self,
            positive=(
                "vocabulary_size", "height", "width", "hidden", "heads", "encoder_layers", "decoder_layers",
                "ffn_inner", "ffn_kernel", "identity_channels", "image_channels", "image_kernel",
            ),
            odd=("ffn_kernel", "image_kernel"),
            shares=("dropout", "attention_dropout"),
        )  # fmt: skip
        check_levels(self)
        if self.hidden % self.heads or self.hidden % 2:
            raise ValueError("hidden must be even and divisible by heads")
        if self.first_position < 0:
            raise ValueError(f"first_position must be at least 0, not {self.first_position}")


@dataclass(frozen=True, kw_only=True)
class HHT2LConfig(SharedConfig):
    """The shared sizes, and the options of HH-T2L's own.

    Raises:
        ValueError: the sizes do not fit together.
    """

    detach_durations: bool = True
    """Whether the duration loss leaves the text encoder alone (ParaLip's `predictor_sg`)."""
    duration_domain: Domain = "linear"
    """What the duration predictor's last layer says: frames (paper, eq. 4) or log(frames + 1) (ParaLip)."""
    duration_dropout: float = 0.5
    """Dropout in the duration predictor. At ParaLip's 0.5 it comes to say longer durations without than with it."""
    token_places: bool = False
    """Whether the motion decoder receives each frame's position within its token, and how long that token is. Not in
    the paper."""
    duration_rounding: Rounding = "total"
    """What is rounded to whole frames: the running total, or each token alone (ParaLip)."""
    chunk: int = 0
    """Frames drawn at once when generating: bounds memory, changes no value. 0: as many as fit the cache, and all at
    once with drawing=plain."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self, positive=(), shares=("duration_dropout",))
        if self.chunk < 0:
            raise ValueError(f"chunk must be at least 0, not {self.chunk}")


SMALL = {
    "height": 40,
    "width": 80,
    "hidden": 128,
    "encoder_layers": 3,
    "decoder_layers": 3,
    "ffn_inner": 256,
    "ffn_kernel": 5,
    "dropout": 0.1,
    "first_position": 0,
    "text_positions_weighted": True,
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
    "first_position": 0,
    "text_positions_weighted": True,
    "identity_channels": (8, 16),
    "image_channels": (32, 16, 16),
}
"""What the tiny preset changes: for tests."""

PRESETS = {
    "paper": HHT2LConfig(),
    # of 296 sentences, attention learns whole ones by heart, and few words need an unbiased sum: docs/training.md
    "small": HHT2LConfig(**SMALL, attention_dropout=0.5, duration_dropout=0.1, token_places=True),
    "tiny": HHT2LConfig(**TINY),
}
