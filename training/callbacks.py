"""What a run shows while it trains: a line of progress, and strips of sample frames."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import cv2
import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lipbench.files import write_atomic
from lipbench.models.contract import LipModel, LipRequest
from lipbench.training.config import TrainingConfig
from lipbench.training.data import Clip, ClipReader
from lipbench.training.frames import to_unit

log = logging.getLogger(__name__)


class ProgressLog(Callback):
    """A line of progress now and then, where there is no terminal to draw a bar on.

    Args:
        config: says how often, and how many steps there are.
    """

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.began = 0, 0.0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Begin to count."""
        self.began = trainer.global_step, time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Say how far the run is, with each checkpoint."""
        current_step, steps = trainer.global_step, self.config.steps
        if not trainer.is_global_zero or (current_step % self.config.checkpoint_steps and current_step != steps):
            return
        step, start = self.began
        rate = (current_step - step) / (time.perf_counter() - start)
        loss = float(trainer.callback_metrics["loss/total"])
        log.info(
            "step %d/%d, loss %.4f, %.2f steps/s, %.0f s left",
            current_step,
            steps,
            loss,
            rate,
            (steps - current_step) / rate,
        )


class StripWriter(Callback):
    """Draws a few fixed clips of the training split now and then: a mouth that does not move is seen at once.

    PSNR would not tell: a motionless blur scores nearly as well as a first result that moves. The strips go to
    TensorBoard and, as ``strips/step_000400.png``, into the run's folder. They change nothing of the training.

    Args:
        reader: gives the clips.
        ids: of the training split; the clips are spread over it.
        config: says how often.
        folder: the run's.
        clips: how many clips.
        frames: how many frames of each, spread over it.
    """

    def __init__(
        self,
        reader: ClipReader,
        ids: Sequence[str],
        config: TrainingConfig,
        folder: Path,
        *,
        clips: int = 3,
        frames: int = 10,
    ) -> None:
        self._reader = reader
        self._ids = [ids[i] for i in _places(len(ids), min(clips, len(ids)))]
        self._every = config.checkpoint_steps * config.strip_checkpoints
        self._steps = config.steps
        self._folder = folder / "strips"
        self._frames = frames

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Draw, if it is time. A model that cannot generate yet loses its strip, said in the log, and not its training.

        Raises:
            OSError: the file cannot be written.
        """
        current_step = trainer.global_step
        if not trainer.is_global_zero or (current_step % self._every and current_step != self._steps):
            return
        clips = [self._reader.read(name) for name in self._ids]
        try:
            picture = render_strip(cast("Any", pl_module).model, clips, self._frames, device=pl_module.device)
        except Exception as error:
            log.warning("no strip at step %d: %s: %s", current_step, type(error).__name__, error)
            return
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image("strips", picture, current_step, dataformats="HWC")
        _, png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        write_atomic(self._folder / f"step_{current_step:06d}.png", png.tobytes())


def render_strip(
    model: torch.nn.Module, clips: Sequence[Clip], frames: int, *, device: torch.device
) -> NDArray[np.uint8]:
    """Draw clips with their true timing from their first frames, each below its truth.

    Args:
        model: keeps `LipModel`; is left in the mode that it is in.
        clips: at least one.
        frames: how many to show of each, from the first to the last.
        device: where the model is.

    Returns:
        uint8 RGB (2 · clips · H, frames · W, 3).
    """
    lengths = torch.tensor([len(clip.frames) for clip in clips])
    durations = pad_sequence([clip.durations for clip in clips], batch_first=True)
    request = LipRequest(
        tokens=pad_sequence([clip.tokens for clip in clips], batch_first=True).to(device),
        token_lengths=torch.tensor([len(clip.tokens) for clip in clips], device=device),
        identity=to_unit(torch.stack([clip.frames[0] for clip in clips])).to(device),
        durations=durations.to(device) if torch.equal(durations.sum(dim=1), lengths) else None,
        n_frames=lengths.to(device),
    )
    was_training = model.training
    model.eval()
    try:
        generated = cast("LipModel", model).generate(request).frames
    finally:
        model.train(was_training)
    rows: list[Tensor] = []
    for clip, generated_clip in zip(
        clips, generated.float().clamp(0, 1).mul(255).round().to(torch.uint8).cpu(), strict=True
    ):
        frame_places = _places(len(clip.frames), frames)
        rows += [_side_by_side(clip.frames[frame_places]), _side_by_side(generated_clip[frame_places])]
    return torch.cat(rows).numpy()


def _side_by_side(frames_T3HW: Tensor) -> Tensor:
    """(T, 3, H, W) to (H, T·W, 3)."""
    return frames_T3HW.permute(2, 0, 3, 1).flatten(1, 2)


def _places(length: int, count: int) -> list[int]:
    """`count` places from the first to the last; some repeated if there are fewer."""
    return [round(place) for place in np.linspace(0, length - 1, count)]
