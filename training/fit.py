"""One training run in one folder: begun, continued, or found finished."""

from __future__ import annotations

import dataclasses
import logging
import time
import warnings
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch import nn

import models
from corpora.utterance import Corpus
from models.errors import UserError
from models.text import Vocabulary
from training.atomic import AtomicCheckpoints
from training.checkpoint import CheckpointCard, as_plain, read_card
from training.config import TrainingConfig
from training.data import ClipReader, Lessons, loader
from training.module import LipTraining

log = logging.getLogger(__name__)

_EXPECTED_WARNINGS = (
    ".*does not have many workers.*",  # lessons come from memory
    ".*exists and is not empty.*",  # so it is when a run goes on
    ".*dataloader is not resumable.*",  # ours begins where it should by itself
    ".*LeafSpec.*",
)

LAST = "last.ckpt"
"""Name of the checkpoint in a run's folder."""


def train(
    model: str,
    preset: str,
    *,
    options: dict[str, Any],
    corpus: Corpus,
    config: TrainingConfig,
    folder: Path,
    progress: bool,
    device: str = "auto",
) -> Path:
    """Train a model, going on where an earlier run in the same folder stopped.

    Args:
        model: registry name.
        preset: its preset.
        options: changes to the preset.
        corpus: where the `train` split comes from.
        config: the recipe.
        folder: where checkpoint and logs go; one folder, one run.
        progress: True: a live progress bar; False: a line in the log with each checkpoint.
        device: Lightning's accelerator: "auto", "cpu" or "gpu".

    Returns:
        The checkpoint.

    Raises:
        UserError: the folder holds another run, or the input is bad.
    """
    vocabulary = Vocabulary(corpus.symbols)
    card = CheckpointCard(
        model=model,
        preset=preset,
        options=options,
        symbols=list(vocabulary.symbols),
        corpus=corpus.name,
        corpus_fingerprint=corpus.fingerprint,
        training=dataclasses.asdict(config),
    )
    target = folder / LAST
    done = _steps_done(target, card)
    if done >= config.steps:
        log.info("%s has its %d steps already", target, done)
        return target
    # Lightning's notes on the hardware and on other products say nothing about this run
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.manual_seed(config.seed)
    built = models.create(model, preset, **{"vocabulary_size": vocabulary.size, **options})
    if not isinstance(built, nn.Module) or not models.is_trainable(model) or not hasattr(built, "frame_size"):
        raise UserError(
            f"the model '{model}' cannot be trained",
            remedy="It must be a torch module with forward(lesson) and frame_size (see models/contract.py)",
        )
    frame_size: tuple[int, int] = built.frame_size  # pyright: ignore[reportAssignmentType]
    reader = ClipReader(corpus, vocabulary, frame_size=frame_size, cache_bytes=config.cache_bytes)
    lessons = Lessons(reader, corpus.ids("train"), config)
    # convolutions run up to twice as fast on CPUs with channels last; values differ by rounding only
    built = built.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}", remedy="Give another out=") from error
    trainer = _trainer(config, folder=folder, started=done, progress=progress, device=device)
    with warnings.catch_warnings():
        for known in _EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", known)
        try:
            trainer.fit(
                LipTraining(built, config, card),
                loader(lessons, done),
                ckpt_path=target if done else None,
                weights_only=True,
            )
        except SystemExit as error:
            # Lightning answers an interrupt by leaving the program; who called us may have more to say
            raise KeyboardInterrupt from error
    trainer.save_checkpoint(target)
    return target


def _steps_done(target: Path, card: CheckpointCard) -> int:
    """Steps that the folder's checkpoint has; 0 without one.

    Raises:
        UserError: it is of another run.
    """
    if not target.exists():
        return 0
    found, content = read_card(target)
    ours, theirs = as_plain(card), as_plain(found)
    # memory is no part of the recipe: it changes no value
    ours["training"] = {**ours["training"], "cache_bytes": theirs["training"].get("cache_bytes")}
    different = [key for key in ours if ours[key] != theirs[key]]
    if different:
        detail = "; ".join(f"{key}: {_difference(theirs[key], ours[key])}" for key in different)
        raise UserError(
            f"{target} comes from another run ({detail})",
            remedy="Give another out=, delete that folder, or ask for the same options to go on with it",
        )
    return int(content["global_step"])


def _difference(theirs: Any, ours: Any) -> str:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        keys = [k for k in {**theirs, **ours} if theirs.get(k) != ours.get(k)]
        return ", ".join(f"{k} was {theirs.get(k)}, asked {ours.get(k)}" for k in keys)
    return f"was {str(theirs)[:60]}, asked {str(ours)[:60]}"


def _trainer(config: TrainingConfig, *, folder: Path, started: int, progress: bool, device: str) -> lightning.Trainer:
    keep = ModelCheckpoint(
        dirpath=folder,
        filename=Path(LAST).stem,
        every_n_train_steps=config.checkpoint_steps,
        save_top_k=1,
        monitor=None,
        enable_version_counter=False,
    )
    # a log of its own for each start: Lightning's CSV logger would delete the earlier one
    logs = [
        CSVLogger(folder, name="csv", version=f"from_step_{started:06d}"),
        TensorBoardLogger(folder, name="tensorboard", version=f"from_step_{started:06d}"),
    ]
    return lightning.Trainer(
        accelerator=device,
        devices=1,
        max_epochs=1,  # the whole run is one
        gradient_clip_val=config.clip_norm,
        callbacks=[keep, RichProgressBar(console_kwargs={"stderr": True}) if progress else _Lines(config)],
        logger=logs,
        plugins=[AtomicCheckpoints()],
        log_every_n_steps=min(10, config.steps),
        enable_progress_bar=progress,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


class _Lines(Callback):
    """A line of progress now and then, where there is no terminal to draw a bar on."""

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.began = 0, 0.0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self.began = trainer.global_step, time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        done, steps = trainer.global_step, self.config.steps
        if done % self.config.checkpoint_steps and done != steps:
            return
        step, start = self.began
        rate = (done - step) / (time.perf_counter() - start)
        loss = float(trainer.callback_metrics["loss/total"])
        log.info("step %d/%d, loss %.4f, %.2f steps/s, %.0f s left", done, steps, loss, rate, (steps - done) / rate)
