"""Sizes of our DualLip. None of them is public: each is our choice, near HH-T2L's."""

from __future__ import annotations

from dataclasses import dataclass

from lipbench.models.layers.drawing import DrawingMode
from lipbench.models.layers.images import OutputRange
from lipbench.models.sizes import check_levels, check_sizes


@dataclass(frozen=True, kw_only=True)
class DualLipConfig:
    """Every size of DualLip.

    Raises:
        ValueError: the sizes do not fit together.
    """

    vocabulary_size: int = 29
    height: int = 80
    width: int = 160
    hidden: int = 256
    recurrent: int = 512
    """Cells of each of the two decoder LSTMs; with durations, half of them in each direction."""
    location_channels: int = 32
    location_kernel: int = 15
    feedback_reduction: int = 8
    """How many times smaller the fed-back frame is, per side."""
    feedback_dropout: float = 0.5
    """Dropout on the fed-back frame while training (Tacotron 2's pre-net, the paper's reference for the attention)."""
    dropout: float = 0.1
    identity_channels: tuple[int, ...] = (16, 32, 64, 128)
    image_channels: tuple[int, ...] = (256, 196, 128, 80, 48)
    image_kernel: int = 5
    output: OutputRange = "sigmoid"
    durations: bool = False
    """The branch with durations (§3.3.1) instead of the one with attention and feedback (§3.3.2)."""
    drawing: DrawingMode = "folded"
    """How clips are drawn: fast, or as the network is written down; changes no value beyond rounding."""
    max_frames: int = 375
    """Safety limit on a clip without a stop token: 15 s at 25 fps."""

    def __post_init__(self) -> None:
        check_sizes(
            self,
            positive=(
                "vocabulary_size", "height", "width", "hidden", "recurrent", "location_channels", "location_kernel",
                "feedback_reduction", "identity_channels", "image_channels", "image_kernel", "max_frames",
            ),
            odd=("location_kernel", "image_kernel"),
            shares=("dropout", "feedback_dropout"),
        )  # fmt: skip
        check_levels(self)
        if self.height % self.feedback_reduction or self.width % self.feedback_reduction:
            raise ValueError("feedback_reduction must divide height and width")
        if self.hidden % 2 or self.recurrent % 2:
            raise ValueError("hidden and recurrent must be even")


SMALL = {
    "height": 40,
    "width": 80,
    "hidden": 128,
    "recurrent": 256,
    "feedback_reduction": 4,
    "identity_channels": (16, 32, 64),
    "image_channels": (96, 64, 48, 24),
}
TINY = {
    "height": 20,
    "width": 40,
    "hidden": 32,
    "recurrent": 48,
    "location_channels": 8,
    "location_kernel": 5,
    "feedback_reduction": 2,
    "dropout": 0.0,
    "identity_channels": (8, 16),
    "image_channels": (32, 16, 16),
}
PRESETS = {"paper": DualLipConfig(), "small": DualLipConfig(**SMALL), "tiny": DualLipConfig(**TINY)}
