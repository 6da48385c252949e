"""One training run in one folder: started, resumed, or skipped if it is complete."""

from __future__ import annotations

import dataclasses
import logging
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, RichProgressBar
from lightning.pytorch.utilities import rank_zero_only
from torch import nn

from lipbench import models
from lipbench.corpora.utterance import Corpus
from lipbench.errors import UnknownNameError, UserError
from lipbench.models.contract import ModelCard
from lipbench.models.text import Vocabulary
from lipbench.records.run_folder import CHECKPOINT
from lipbench.training.atomic import AtomicCheckpoints
from lipbench.training.callbacks import ProgressLog, StripWriter
from lipbench.training.checkpoint import CheckpointCard, card_fields, read_card
from lipbench.training.config import TrainingConfig
from lipbench.training.data import ClipReader, TrainingDataset, loader
from lipbench.training.logs import loggers, merge_write_errors
from lipbench.training.module import LipTraining

log = logging.getLogger(__name__)

_EXPECTED_WARNINGS = (
    ".*does not have many workers.*",  # batches come from memory
    ".*exists and is not empty.*",  # so it is when a run goes on
    ".*dataloader is not resumable.*",  # ours begins where it should by itself
    ".*LeafSpec.*",
    ".*find_unused_parameters=True was specified.*",  # said of a strategy that was asked for by name
)

"""Name of the checkpoint in a run's folder."""
STRATEGIES = ("auto", "ddp", "ddp_find_unused_parameters_true")
"""Lightning's strategies that keep the whole model in each process, and start the processes as this one was started."""
_OPTIONS_WITHOUT_EFFECT = ("cache_bytes", "strip_checkpoints")
"""Options that change no value: a run may go on with others."""


def is_first_process() -> bool:
    """Whether this process has rank 0."""
    return rank_zero_only.rank == 0  # pyright: ignore[reportFunctionMemberAccess]


class Hardware(NamedTuple):
    """Where a run computes. It may go on elsewhere: values differ by rounding only."""

    device: str = "auto"
    """Lightning's accelerator: "auto", "cpu" or "gpu"."""
    devices: int = 1
    """GPUs, or processes on CPUs, per node."""
    num_nodes: int = 1
    strategy: str = "auto"
    """One of `STRATEGIES`; "auto" is "ddp" where there are several processes."""

    @property
    def processes(self) -> int:
        """Processes in all."""
        return self.devices * self.num_nodes

    def check(self, config: TrainingConfig) -> None:
        """Find what cannot work.

        Raises:
            UserError: a number or a name is not valid, or the clips of a step cannot be shared out evenly.
        """
        if self.devices < 1 or self.num_nodes < 1:
            raise UserError("devices and num_nodes must be at least 1", remedy="Write devices=1")
        if self.strategy not in STRATEGIES:
            raise UnknownNameError("strategy", self.strategy, STRATEGIES)
        if config.clips % self.processes:
            raise UserError(
                f"{config.clips} clips per step cannot be shared evenly by {self.processes} processes",
                remedy=f"Make training.clips a multiple of {self.processes}",
            )
        if config.precision == "16-mixed" and self.device == "cpu":
            raise UserError(
                "16-mixed needs a GPU: on a CPU, gradients of so few digits vanish",
                remedy="Write training.precision=bf16-mixed, or device=cuda",
            )


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
    devices: int = 1,
    num_nodes: int = 1,
    strategy: str = "auto",
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
        device: see `Hardware`, as all that follow.
        devices: each takes its share of every step's clips.
        num_nodes: the same command is to be started on each, as Lightning's manual says.
        strategy: how the processes work together.

    Returns:
        The checkpoint.

    Raises:
        UserError: the folder holds another run or cannot be written, the input is bad, or a number got lost.
    """
    hardware = Hardware(device, devices, num_nodes, strategy)
    hardware.check(config)
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
    target = folder / CHECKPOINT
    steps_done = _completed_steps(target, card)
    if steps_done >= config.steps:
        log.info("%s has its %d steps already", target, steps_done)
        return target
    # Lightning's notes on the hardware and on other products say nothing about this run
    for part in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(part).setLevel(logging.ERROR)
    new_model = _build_model(model, preset, options, vocabulary, seed=config.seed)
    model_card: ModelCard | None = getattr(new_model, "card", None)  # a class of someone else's may have none
    reader = ClipReader(
        corpus,
        vocabulary,
        frame_size=new_model.frame_size,  # pyright: ignore[reportArgumentType]
        cache_bytes=config.cache_bytes,
        needs_durations=model_card is None or model_card.predicts_durations,
    )
    dataset = TrainingDataset(reader, corpus.ids("train"), config)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}", remedy="Give another out=") from error
    training = LipTraining(new_model, config, card).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    strip_callbacks: list[Callback] = (
        [StripWriter(reader, corpus.ids("train"), config, folder)] if config.strip_checkpoints else []
    )
    trainer = _trainer(
        config, hardware, folder=folder, first_step=steps_done, progress=progress, callbacks=strip_callbacks
    )
    with warnings.catch_warnings(), merge_write_errors(folder):
        for warning_pattern in _EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", warning_pattern)
        try:
            trainer.fit(
                training,
                loader(dataset, steps_done),
                ckpt_path=target if steps_done else None,
                weights_only=True,
            )
        except SystemExit as error:
            # Lightning answers an interrupt by leaving the program; who called us may have more to say
            raise KeyboardInterrupt from error
    trainer.save_checkpoint(target)
    if hardware.processes > 1:
        _destroy_process_group()
    return target


def _destroy_process_group() -> None:
    """End the threads that joined this process to the others.

    Lightning does so for NCCL only. A process that ends while gloo's threads run is now and then aborted by them
    (pytorch/pytorch#190489): after its work is done, but with an exit status that says otherwise.
    """
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _build_model(model: str, preset: str, options: dict[str, Any], vocabulary: Vocabulary, *, seed: int) -> nn.Module:
    """A model with first weights that follow from the seed.

    Raises:
        UserError: it cannot be trained.
    """
    torch.manual_seed(seed)
    new_model = models.create(model, preset, **{"vocabulary_size": vocabulary.size, **options})
    if not isinstance(new_model, nn.Module) or not models.is_trainable(model) or not hasattr(new_model, "frame_size"):
        raise UserError(
            f"the model '{model}' cannot be trained",
            remedy="It must be a torch module with forward(batch) and frame_size (see models/contract.py)",
        )
    return new_model


def _completed_steps(target: Path, card: CheckpointCard) -> int:
    """Steps that the folder's checkpoint has; 0 without one.

    Raises:
        UserError: it is of another run.
    """
    if not target.exists():
        return 0
    stored_card, content = read_card(target)
    own_fields, stored_fields = card_fields(card), card_fields(stored_card)
    # an option that is younger than the checkpoint has the value that changes nothing for its default
    stored_fields["training"] = {**dataclasses.asdict(TrainingConfig()), **stored_fields["training"]}
    own_fields["training"] = {
        **own_fields["training"],
        **{name: stored_fields["training"][name] for name in _OPTIONS_WITHOUT_EFFECT},
    }
    different = [key for key in own_fields if own_fields[key] != stored_fields[key]]
    if different:
        detail = "; ".join(f"{key}: {_difference(stored_fields[key], own_fields[key])}" for key in different)
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


def _trainer(
    config: TrainingConfig,
    hardware: Hardware,
    *,
    folder: Path,
    first_step: int,
    progress: bool,
    callbacks: list[Callback],
) -> lightning.Trainer:
    keep = ModelCheckpoint(
        dirpath=folder,
        filename=Path(CHECKPOINT).stem,
        every_n_train_steps=config.checkpoint_steps,
        save_top_k=1,
        monitor=None,
        enable_version_counter=False,
    )
    progress_callback = RichProgressBar(console_kwargs={"stderr": True}) if progress else ProgressLog(config)
    strategy = "ddp" if hardware.strategy == "auto" and hardware.processes > 1 else hardware.strategy
    return lightning.Trainer(
        accelerator=hardware.device,
        devices=hardware.devices,
        num_nodes=hardware.num_nodes,
        strategy=strategy,
        use_distributed_sampler=False,  # each process takes its part of the same batch
        precision=config.precision,
        max_epochs=1,  # the whole run is one
        gradient_clip_val=config.clip_norm or None,
        callbacks=[keep, progress_callback, *callbacks],
        logger=loggers(folder, first_step),
        plugins=[AtomicCheckpoints()],
        log_every_n_steps=min(10, config.steps),
        enable_progress_bar=progress,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
