"""Sizes of TransformerT2L: those of HH-T2L, and what feeding back needs."""

from __future__ import annotations

from dataclasses import dataclass

from lipbench.models.hh_t2l.config import SMALL, TINY, SharedConfig
from lipbench.models.sizes import check_sizes


@dataclass(frozen=True, kw_only=True)
class TransformerT2LConfig(SharedConfig):
    """HH-T2L's sizes ("the same model settings", paper §5.1) and four of its own.

    Raises:
        ValueError: the sizes do not fit together.
    """

    feedback_levels_skipped: int = 0
    """How often the fed-back frame is halved before its encoder, which has that many levels less."""
    feedback_dropout: float = 0.5
    """Dropout on the encoded previous frame while training (Tacotron's remedy against copying it)."""
    cache: bool = True
    """Whether keys and values of earlier frames are kept from step to step, or made again; changes no value."""
    max_frames: int = 375
    """Safety limit on a clip without a stop token: 15 s at 25 fps."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self, positive=("max_frames",), shares=("feedback_dropout",))
        if self.norm != "pre":
            raise ValueError("the causal decoder has pre-norm blocks only: norm must be pre")
        if not 0 <= self.feedback_levels_skipped < len(self.identity_channels):
            raise ValueError("feedback_levels_skipped must leave the feedback encoder a level")


PRESETS = {
    "paper": TransformerT2LConfig(),
    "small": TransformerT2LConfig(**SMALL, feedback_levels_skipped=1),
    "tiny": TransformerT2LConfig(**TINY),
}
