"""The discriminator, its optimiser, and the adversarial loss (eq. 6-7)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from lipbench.training import losses
from lipbench.training.config import TrainingConfig
from lipbench.training.discriminator import QualityDiscriminator
from lipbench.training.losses import not_finite_error

_RATE = "discriminator_learning_rate"


class Adversary(nn.Module):
    """A discriminator with its own optimiser.

    Outside `learn` its weights take no gradient, so to Lightning there is one optimiser, one update and one backward
    pass per step with it or without; where several processes train, `average` makes their gradients one.

    Args:
        frame_size: (H, W) of the frames that it judges.
        config: the recipe.
    """

    def __init__(self, frame_size: tuple[int, int], config: TrainingConfig) -> None:
        super().__init__()
        self.discriminator = QualityDiscriminator(frame_size, hidden=config.discriminator_hidden).requires_grad_(False)
        self._learning_rate = config.discriminator_learning_rate
        self._optimizer: torch.optim.Optimizer | None = None

    def begin(self, state: dict[str, Any] | None) -> None:
        """Make the optimiser, once the weights are on their device.

        Args:
            state: what `state` gave in an earlier start; None: there was none.
        """
        self._optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=self._learning_rate)
        if state is not None:
            self._optimizer.load_state_dict(state)

    @property
    def state(self) -> dict[str, Any]:
        """The optimiser's state, for a checkpoint."""
        assert self._optimizer is not None
        return self._optimizer.state_dict()

    def learn(self, generated: Tensor, target: Tensor, average: Callable[[Tensor], Tensor], *, step: int) -> Tensor:
        """Take one step on eq. 7.

        Args:
            generated: float (N, 3, H, W), the model's frames; nothing flows back into them.
            target: float (N, 3, H, W), the true ones.
            average: the mean of a tensor over all processes.
            step: which one, for the error.

        Returns:
            The loss before the step, a scalar.

        Raises:
            UserError: the loss or its gradient is no longer a number; no weight was changed.
        """
        assert self._optimizer is not None
        self.discriminator.requires_grad_(True)
        try:
            loss = losses.discriminator_loss(self.discriminator(target), self.discriminator(generated.detach()))
            mean = average(loss.detach())
            if not bool(torch.isfinite(mean)):
                raise not_finite_error("the discriminator's loss is", step, rate=_RATE)
            self._optimizer.zero_grad()
            loss.backward()
            for weight in self.discriminator.parameters():
                assert weight.grad is not None
                weight.grad = average(weight.grad)
            # a finite loss may have such a gradient, and one step along it leaves no weight whole
            if not bool(torch.isfinite(nn.utils.clip_grad_norm_(self.discriminator.parameters(), math.inf))):
                raise not_finite_error("the discriminator's gradient is", step, rate=_RATE)
            self._optimizer.step()
        finally:
            self.discriminator.requires_grad_(False)
        return mean

    def loss(self, generated: Tensor) -> Tensor:
        """The generator's adversarial loss (eq. 6), a scalar."""
        return losses.generator_loss(self.discriminator(generated))
