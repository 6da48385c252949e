"""What Lightning trains: a model, its losses, its optimiser."""

from __future__ import annotations

from typing import Any, cast

import lightning
import torch
from torch import Tensor, nn

from models.contract import Attempt, Lesson, TrainableLipModel
from models.errors import UserError
from training import losses
from training.checkpoint import CARD_KEY, CheckpointCard, as_plain
from training.config import TrainingConfig


class LipTraining(lightning.LightningModule):
    """A model in training.

    Args:
        model: an `nn.Module` that keeps `TrainableLipModel`.
        config: the recipe.
        card: what its checkpoints say of themselves.
    """

    def __init__(self, model: nn.Module, config: TrainingConfig, card: CheckpointCard) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self.card = card

    def on_train_batch_start(self, batch: Lesson, batch_idx: int) -> None:
        """Tie dropout to the step, so that a resumed run goes on exactly as an unbroken one."""
        torch.manual_seed(self.config.seed * 1_000_003 + self.global_step)

    def training_step(self, batch: Lesson, batch_idx: int) -> Tensor:
        """Judge one lesson.

        Raises:
            UserError: the loss is no longer a number; the last checkpoint is from before that.
        """
        attempt: Attempt = cast("TrainableLipModel", self.model).forward(batch)
        parts = self.judge(batch, attempt)
        total = torch.stack([weight * value for weight, value in parts.values()]).sum()
        if not bool(torch.isfinite(total)):
            named = ", ".join(f"{name} {value.item():.3g}" for name, (_, value) in parts.items())
            raise UserError(
                f"the loss is not a number any more at step {self.global_step} ({named})",
                remedy="The last checkpoint is kept: lower training.learning_rate and train again",
            )
        self.log_dict({f"loss/{name}": value.detach() for name, (_, value) in parts.items()})
        self.log("loss/total", total.detach(), prog_bar=True)
        return total

    def judge(self, lesson: Lesson, attempt: Attempt) -> dict[str, tuple[float, Tensor]]:
        """All losses that this model's answer allows, each with its weight."""
        rows = torch.arange(len(lesson.picked), device=lesson.picked.device)[:, None]
        target = lesson.frames[rows, lesson.picked].flatten(0, 1)
        drawn = attempt.frames.flatten(0, 1)
        weights = self.config
        parts = {
            "l1": (weights.weight_l1, losses.reconstruction_loss(drawn, target)),
            "ssim": (weights.weight_ssim, losses.ssim_loss(drawn, target)),
        }
        if attempt.durations is not None:
            error = losses.duration_loss(attempt.durations, lesson.durations, lesson.token_lengths)
            parts["duration"] = (weights.weight_duration, error)
        if attempt.stop_logits is not None:
            parts["stop"] = (weights.weight_stop, losses.stop_loss(attempt.stop_logits, lesson.frame_lengths))
        if attempt.attention is not None:
            cost = losses.guided_attention_loss(attempt.attention, lesson.frame_lengths, lesson.token_lengths)
            parts["attention"] = (weights.weight_attention, cost)
        return {name: part for name, part in parts.items() if part[0] > 0}

    def configure_optimizers(self) -> Any:
        """Adam, with one cycle of the learning rate or none."""
        optimizer = torch.optim.Adam(self.model.parameters(), lr=self.config.learning_rate)
        if self.config.schedule == "constant":
            return optimizer
        cycle = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=self.config.learning_rate, total_steps=self.config.steps, pct_start=0.1
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Write the card into the file."""
        checkpoint[CARD_KEY] = as_plain(self.card)
