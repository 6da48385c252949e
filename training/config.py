"""The options of a training run, apart from model and corpus."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints


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
    identity: Literal["any", "first"] = "any"
    """Frame of a clip that is the identity picture: any (paper §4.3), or the first, as when a clip is made."""
    excerpts: float = 0.0
    """Share of clips of which only an excerpt is learned, some successive tokens: so that few sentences are not learned
    by heart. Clips without durations are learned whole."""
    mirrored: float = 0.0
    """Share of clips that are learned left to right, identity picture included: against learning few by heart."""
    shift: int = 0
    """Pixels, at the model's size, by which a clip and its identity picture may be moved up, down or sideways, at most;
    the edge is repeated."""
    optimizer: Literal["adam", "adamw"] = "adam"
    """"adam" (the paper's) or "adamw" (the public code's); they differ where `weight_decay` is above 0."""
    learning_rate: float = 1e-3
    """Of the optimiser: the highest that the schedule reaches."""
    beta1: float = 0.9
    """Of the optimiser: memory of the gradient's mean. "one_cycle" has its own, 0.95 to 0.85 and back."""
    beta2: float = 0.999
    """Of the optimiser: memory of the gradient's square."""
    weight_decay: float = 0.0
    """Of the optimiser."""
    schedule: Literal["one_cycle", "constant", "linear", "inverse_sqrt"] = "one_cycle"
    """"one_cycle" (up over the first tenth, then down to nothing), "constant" (the paper's), "linear" (evenly down to
    nothing) or "inverse_sqrt" (the public code's: down as one over the root of the steps)."""
    warmup: int = 0
    """Steps in which the learning rate rises evenly from nothing, first; "one_cycle" has its own rise, takes none."""
    clip_norm: float = 5.0
    """Largest norm of all gradients together; 0: as large as they come."""
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    """Lightning's name of the numbers computed with; weights are float32 in all. "16-mixed" needs a GPU."""
    weight_l1: float = 1.0
    """λ1 of eq. 8."""
    weight_duration: float = 1.0
    """λ2 of eq. 8."""
    weight_ssim: float = 1.0
    """λ3 of eq. 8."""
    weight_adversarial: float = 0.0
    """λ4 of eq. 8, the paper's is 5; 0: there is no discriminator."""
    discriminator_learning_rate: float = 1e-4
    """Of the discriminator's own Adam, constant."""
    discriminator_hidden: int = 256
    """H of the discriminator; the paper names it the hidden size."""
    duration_loss: Literal["linear", "log"] = "linear"
    """"linear" (eq. 4: frames, of tokens and of their sum) or "log" (the public code's: squares of log(1 + frames))."""
    weight_stop: float = 0.1
    """Of the stop token's cross-entropy (autoregressive models only; not in the paper)."""
    weight_attention: float = 1.0
    """Of the guided attention loss (Tachibana et al. 2018; autoregressive models only; not in the paper)."""
    feedback_noise: float = 0.0
    """Standard deviation of noise on the fed-back true frames, as a share of full brightness (autoregressive models
    only; a remedy for exposure bias)."""
    scheduled_sampling: float = 0.0
    """Share of fed-back frames that are the model's own instead of the true ones, reached at the last step in an even
    rise from none (Bengio et al. 2015; autoregressive models only)."""
    checkpoint_steps: int = 50
    """Updates between two checkpoints: what a kill can cost at most."""
    strip_checkpoints: int = 8
    """Checkpoints between two strips of sample frames; 0: none."""
    seed: int = 1234
    cache_bytes: int = 4 << 30
    """Memory that decoded clips may take; beyond it, clips are read again each time."""

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            if get_origin(hint) is Literal and getattr(self, name) not in get_args(hint):
                raise ValueError(f"{name} is one of {', '.join(get_args(hint))}, not '{getattr(self, name)}'")
        for name in ("steps", "clips", "frames_per_clip", "checkpoint_steps", "discriminator_hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("learning_rate", "discriminator_learning_rate"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be above 0 and finite, not {getattr(self, name)}")
        weights = [name for name in vars(self) if name.startswith("weight_")]
        for name in (
            *weights,
            "shift",
            "clip_norm",
            "warmup",
            "feedback_noise",
            "strip_checkpoints",
            "seed",
            "cache_bytes",
        ):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be at least 0 and finite, not {getattr(self, name)}")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, not {getattr(self, name)}")
        for name in ("excerpts", "mirrored", "scheduled_sampling"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1, not {getattr(self, name)}")
        if self.weight_l1 == 0 and self.weight_ssim == 0:
            raise ValueError("weight_l1 or weight_ssim must be above 0: nothing else judges the picture")
        if self.warmup and self.schedule == "one_cycle":
            raise ValueError("schedule 'one_cycle' takes no warmup: it has its own rise")
        if self.schedule == "inverse_sqrt" and not self.warmup:
            raise ValueError("schedule 'inverse_sqrt' needs warmup: it falls from where the rise ends")

    @property
    def losses(self) -> str:
        """Which of the paper's four ablations (table 4) this trains: "base", "ssim", "adv" or "ssim_adv"."""
        return ablation_of_recipe(vars(self))


def ablation_of_recipe(recipe: Mapping[str, Any]) -> str:
    """Which of the four ablations a recipe trains, as a checkpoint has it; see `TrainingConfig.losses`."""
    weights = {"ssim": recipe.get("weight_ssim", 0), "adv": recipe.get("weight_adversarial", 0)}
    return "_".join(name for name, weight in weights.items() if weight > 0) or "base"
