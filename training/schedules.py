"""The optimiser and the learning rate over the steps of a run."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from lipbench.training.config import TrainingConfig


def optimizer(weights: Iterable[nn.Parameter], config: TrainingConfig) -> torch.optim.Optimizer:
    """Adam or AdamW, as the recipe says."""
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config.optimizer]
    return kind(weights, lr=config.learning_rate, betas=(config.beta1, config.beta2), weight_decay=config.weight_decay)


def scheduler(optimizer: torch.optim.Optimizer, config: TrainingConfig) -> LRScheduler:
    """The recipe's schedule, to be advanced once per step."""
    if config.schedule == "one_cycle":
        return OneCycleLR(optimizer, max_lr=config.learning_rate, total_steps=config.steps, pct_start=0.1)
    return LambdaLR(optimizer, lambda step: share(step, config))


def share(step: int, config: TrainingConfig) -> float:
    """The learning rate of a step, counted from 0, as a share of the recipe's; of every schedule but "one_cycle".

    "inverse_sqrt" is Vaswani et al. 2017 §5.3: with `warmup` 2000 and `learning_rate` 0.5 / √(2000 · 256) it is the
    public ParaLip code's, but for its floor of 1e-7.
    """
    step += 1  # the first step is to move something
    if step < config.warmup:
        return step / config.warmup
    if config.schedule == "inverse_sqrt":
        return (config.warmup / step) ** 0.5
    if config.schedule == "linear":
        return max(0.0, (config.steps - step + 1) / (config.steps - config.warmup + 1))
    return 1.0
