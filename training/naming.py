"""The name and the recipe of a training; where it lies is known by `lipbench.records.run_folder`."""

from __future__ import annotations

from lipbench.presets import resolve
from lipbench.registry import short_name
from lipbench.training.config import TrainingConfig


def training_config(values: dict[str, object]) -> TrainingConfig:
    """Check a training group.

    Raises:
        UserError: a name or a value is not valid.
    """
    return resolve("training", {"base": TrainingConfig()}, "base", values)


def training_name(model: str, preset: str, config: TrainingConfig | None = None) -> str:
    """Default name of a training; it contains the losses, so ablations never share a folder.

    Args:
        model: a model given as file:Class is called as the class.
        preset: the model's.
        config: the recipe; None: one with the usual losses.
    """
    usual = TrainingConfig().losses
    losses = usual if config is None else config.losses
    return f"{short_name(model)}-{preset}" if losses == usual else f"{short_name(model)}-{preset}-{losses}"
