"""What Lightning trains: a model, its losses, its optimiser."""

from __future__ import annotations

import math
from typing import Any, cast

import lightning
import torch
from torch import Tensor, nn

from lipbench.models.contract import TrainableLipModel, TrainingBatch, TrainingOutput
from lipbench.training import feedback, losses, schedules
from lipbench.training.adversary import Adversary
from lipbench.training.batchnorm import make_global
from lipbench.training.checkpoint import CARD_KEY, CheckpointCard, card_fields
from lipbench.training.config import TrainingConfig
from lipbench.training.data import shard_batch
from lipbench.training.losses import not_finite_error

ADVERSARY_KEY = "lipbench_discriminator_optimizer"

Parts = dict[str, tuple[float, Tensor]]
"""Losses by name, each with its weight."""


class LipTraining(lightning.LightningModule):
    """A model in training.

    With an adversary there is still one optimiser for Lightning, the model's: see `Adversary`.

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
        self.adversary = Adversary(self._lip_model.frame_size, config) if config.weight_adversarial > 0 else None
        self._adversary_state: dict[str, Any] | None = None

    @property
    def _lip_model(self) -> TrainableLipModel:
        return cast("TrainableLipModel", self.model)

    def setup(self, stage: str) -> None:
        """Let batch norm see the clips of all processes, where there are several."""
        if self.trainer.world_size > 1:
            make_global(self.model)

    def on_before_batch_transfer(self, batch: TrainingBatch, dataloader_idx: int) -> TrainingBatch:
        """Keep this process's share of the batch."""
        return shard_batch(batch, self.global_rank, self.trainer.world_size)

    def on_train_batch_start(self, batch: TrainingBatch, batch_idx: int) -> None:
        """Tie dropout to the step, so that a resumed run goes on exactly as an unbroken one."""
        torch.manual_seed(self.config.seed * 1_000_003 + self.global_step + self.global_rank * 1_000_000_007)

    def training_step(self, batch: TrainingBatch, batch_idx: int) -> Tensor:
        """Judge one batch, after the discriminator, if there is one, has learned from it.

        Raises:
            UserError: a loss is no longer a number; the last checkpoint is from before that.
        """
        model_input = feedback.perturb(self._lip_model, batch, self.config, self.global_step)
        output: TrainingOutput = self._lip_model.forward(model_input)
        # what a mean or a variance would lose in half precision is lost for good
        with torch.autocast(self.device.type, enabled=False):
            output = _to_float32(output)
            parts = self.judge(batch, output)
            total = self._total(parts)
            if self.adversary is not None:
                generated, target = output.frames.flatten(0, 1), _target_frames(batch)
                discriminator_loss = self.adversary.learn(generated, target, self._average, step=self.global_step)
                self.log("loss/discriminator", discriminator_loss)
                parts["adversarial"] = (self.config.weight_adversarial, self.adversary.loss(generated))
                total = self._total(parts)
        # the mean over all processes is what one would log
        self.log_dict({f"loss/{name}": value.detach() for name, (_, value) in parts.items()}, sync_dist=True)
        self.log("loss/total", total.detach(), prog_bar=True, sync_dist=True)
        return total

    def _total(self, parts: Parts) -> Tensor:
        """The weighted sum (eq. 8)."""
        total = torch.stack([weight * value for weight, value in parts.values()]).sum()
        # asked of all processes together: they stop together
        if not bool(torch.isfinite(self._average(total.detach()))):
            loss_values = ", ".join(f"{name} {value.item():.3g}" for name, (_, value) in parts.items())
            raise not_finite_error("the loss is", self.global_step, details=loss_values)
        return total

    def judge(self, batch: TrainingBatch, output: TrainingOutput) -> Parts:
        """All losses that this model's answer allows, each with its weight."""
        target = _target_frames(batch)
        generated = output.frames.flatten(0, 1)
        weights = self.config
        parts: Parts = {}
        if weights.weight_l1 > 0:
            parts["l1"] = (weights.weight_l1, losses.reconstruction_loss(generated, target))
        if weights.weight_ssim > 0:
            parts["ssim"] = (weights.weight_ssim, losses.ssim_loss(generated, target))
        # at weight 0 these still tell every parameter that nothing is asked of it, which several processes wait for
        if output.durations is not None:
            loss = {"linear": losses.duration_loss, "log": losses.log_duration_loss}[weights.duration_loss]
            error = loss(output.durations, batch.durations, batch.token_lengths)
            parts["duration"] = (weights.weight_duration, error)
        share = self._share_of_frames(batch)
        if output.stop_logits is not None:
            cost = losses.stop_loss(output.stop_logits, batch.frame_lengths)
            parts["stop"] = (weights.weight_stop, cost * share)
        if output.attention is not None:
            cost = losses.guided_attention_loss(output.attention, batch.frame_lengths, batch.token_lengths)
            parts["attention"] = (weights.weight_attention, cost * share)
        return parts

    def _share_of_frames(self, batch: TrainingBatch) -> Tensor | float:
        """What a mean over this process's frames counts in the mean of all processes' means; 1 where it is alone."""
        if self.trainer.world_size == 1:
            return 1.0
        frames = batch.frame_lengths.sum().float()
        return frames / self._average(frames)

    def _average(self, tensor: Tensor) -> Tensor:
        """The mean over all processes."""
        if self.trainer.world_size == 1:
            return tensor
        return cast("Tensor", self.trainer.strategy.reduce(tensor.clone(), reduce_op="mean"))

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the norm of all gradients together, which are those of all processes, and stop where it is no number.

        Raises:
            UserError: a finite loss may have such a gradient, and one step along it leaves no weight whole; the last
                checkpoint is from before that.
        """
        # a clip at infinity leaves every number as it is
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), gradient_clip_val or math.inf)
        # in half precision they overflow now and then by design: the gradients' scaler leaves out such a step itself
        if self.config.precision != "16-mixed" and not bool(torch.isfinite(norm)):
            raise not_finite_error("the gradient is", self.global_step)

    def configure_optimizers(self) -> Any:
        """The model's optimiser and schedule; the adversary makes its own."""
        if self.adversary is not None:
            self.adversary.begin(self._adversary_state)
        optimizer = schedules.optimizer(self.model.parameters(), self.config)
        cycle = schedules.scheduler(optimizer, self.config)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Write the card into the file, and where the adversary stands."""
        checkpoint[CARD_KEY] = card_fields(self.card)
        if self.adversary is not None:
            checkpoint[ADVERSARY_KEY] = self.adversary.state

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the adversary's optimiser until there is one to take it."""
        if self.adversary is not None:
            self._adversary_state = checkpoint[ADVERSARY_KEY]


def _target_frames(batch: TrainingBatch) -> Tensor:
    """The true frames that were to be drawn, float (B·K, 3, H, W)."""
    rows = torch.arange(len(batch.frame_indices), device=batch.frame_indices.device)[:, None]
    return batch.frames[rows, batch.frame_indices].flatten(0, 1)


def _to_float32(output: TrainingOutput) -> TrainingOutput:
    """An answer in float32."""
    float_fields = {name: answer.float() for name, answer in output._asdict().items() if answer is not None}
    return TrainingOutput(**float_fields)
