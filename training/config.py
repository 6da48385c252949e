"""Everything that a training run can be told, apart from the model and the corpus."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """One recipe.

    Raises:
        ValueError: a number is out of its range.
    """

    steps: int = 2000
    """Updates in total."""
    clips: int = 12
    """Clips per update."""
    frames_per_clip: int = 4
    """Frames drawn and judged per clip and update, at random. Exact for losses that judge each frame alone."""
    learning_rate: float = 1e-3
    """Of Adam; the peak, with one cycle."""
    schedule: str = "one_cycle"
    """"one_cycle" (up over the first tenth, then down to nothing) or "constant" (the paper's)."""
    clip_norm: float = 5.0
    """Largest norm of all gradients together."""
    weight_l1: float = 1.0
    """λ1 of eq. 8."""
    weight_duration: float = 1.0
    """λ2 of eq. 8."""
    weight_ssim: float = 1.0
    """λ3 of eq. 8."""
    weight_stop: float = 0.1
    """Of the stop token's cross-entropy (autoregressive models only; not in the paper)."""
    weight_attention: float = 1.0
    """Of the guided attention loss (Tachibana et al. 2018; autoregressive models only; not in the paper)."""
    checkpoint_steps: int = 50
    """Updates between two checkpoints: what a kill can cost at most."""
    seed: int = 1234
    cache_bytes: int = 4 << 30
    """Memory that decoded clips may take; beyond it, clips are read again each time."""

    def __post_init__(self) -> None:
        for name in ("steps", "clips", "frames_per_clip", "checkpoint_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be above 0 and finite, not {getattr(self, name)}")
        weights = {name: value for name, value in vars(self).items() if name.startswith("weight_")}
        for name, value in weights.items():
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} must be at least 0 and finite, not {value}")
        if self.weight_l1 == 0 and self.weight_ssim == 0:
            raise ValueError("weight_l1 or weight_ssim must be above 0: nothing else judges the picture")
        if self.seed < 0 or self.cache_bytes < 0:
            raise ValueError("seed and cache_bytes must be at least 0")
        if self.schedule not in ("one_cycle", "constant"):
            raise ValueError(f"schedule is 'one_cycle' or 'constant', not '{self.schedule}'")
