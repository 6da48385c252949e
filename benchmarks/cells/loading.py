"""Load a model by name, with the `System` entry of its records."""

from __future__ import annotations

import dataclasses
import logging
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from lipbench import corpora, models
from lipbench.baselines import controls
from lipbench.benchmarks.config.requests import BenchRequest
from lipbench.corpora.utterance import Corpus
from lipbench.errors import UserError
from lipbench.models.contract import LipModel
from lipbench.models.text import Vocabulary
from lipbench.records.run_folder import checkpoint_path
from lipbench.records.system import System, Training
from lipbench.registry import short_name
from lipbench.training import checkpoint
from lipbench.training.config import ablation_of_recipe
from lipbench.training.naming import training_config, training_name

log = logging.getLogger(__name__)

_ABLATIONS = {"base": " (base losses)", "ssim": "", "adv": " +ADV", "ssim_adv": " +SSIM+ADV"}
"""What table 4 of the paper calls them; nothing where the losses are the usual ones."""


class LoadedModel(NamedTuple):
    """A model ready to be measured."""

    model: LipModel
    system: System
    vocabulary: Vocabulary | None
    """None for an untrained model: it knows no text."""
    frame_size: tuple[int, int]


@dataclasses.dataclass(frozen=True)
class ModelLoader:
    """Loads the models of a bench: trained ones from the run's folder, where they are trained first if need be.

    It can be handed to another process.
    """

    request: BenchRequest
    device: torch.device
    progress: bool = False
    """Whether there is a terminal to draw progress bars on."""

    @cached_property
    def corpus(self) -> Corpus:
        """The corpus that models are trained and scored on."""
        return corpora.create(self.request.corpus.name, **self.request.corpus.options)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the opened corpus behind: the other process opens its own."""
        return ModelLoader, (self.request, self.device, self.progress)

    def checkpoint(self, model: str) -> Path | None:
        """The checkpoint of a model, trained now unless it is there; None for a model that is taken as it is."""
        if not models.is_trainable(model) or self.request.weights != "trained":
            return None
        from lipbench.training.fit import train

        request = self.request
        config = training_config(request.training)
        path = checkpoint_path(request.out, training_name(model, request.preset, config))
        log.info("%s (%s) learns %s; kept in %s", model, request.preset, request.corpus.name, path.parent)
        return train(
            model,
            request.preset,
            options=request.options,
            corpus=self.corpus,
            config=config,
            folder=path.parent,
            progress=self.progress,
            device="gpu" if self.device.type == "cuda" else "cpu",
        )

    def load(self, model: str, path: Path | None) -> LoadedModel:
        """Load a model from a checkpoint, or build it where there is none."""
        request = self.request
        if path is not None:
            return load_trained(path, model=model, preset=request.preset, device=self.device)
        vocabulary = Vocabulary(self.corpus.symbols)
        sized = {"vocabulary_size": vocabulary.size} if models.is_trainable(model) else {}
        return build_untrained(
            model, request.preset, options={**sized, **request.options}, device=self.device, vocabulary=vocabulary
        )


def load_trained(path: Path, *, model: str, preset: str, device: torch.device) -> LoadedModel:
    """Load a trained model.

    Raises:
        CheckpointError: see `lipbench.training.checkpoint.load_checkpoint`.
    """
    loaded_checkpoint = checkpoint.load_checkpoint(path, model=model, preset=preset)
    model_on_device = loaded_checkpoint.model.to(device)
    system = describe_system(model_on_device, name=model, preset=preset, options=loaded_checkpoint.card.options)
    system = system.model_copy(
        update={
            "title": system.title + _ABLATIONS[ablation_of_recipe(loaded_checkpoint.card.training)],
            "checkpoint": loaded_checkpoint.digest,
            "training": Training(
                corpus=loaded_checkpoint.card.corpus,
                corpus_fingerprint=loaded_checkpoint.card.corpus_fingerprint,
                steps=loaded_checkpoint.steps,
                recipe=loaded_checkpoint.card.training,
            ),
        }
    )
    return _loaded_model(model_on_device, system, loaded_checkpoint.vocabulary)


def build_untrained(
    name: str,
    preset: str,
    *,
    options: dict[str, Any],
    device: torch.device,
    vocabulary: Vocabulary | None = None,
    seed: int = 0,
) -> LoadedModel:
    """Build a model as it is: one that needs no training, or one with random weights, good for timing only.

    Args:
        name: registry name, or ``path/to/file.py:Class``.
        preset: its preset.
        options: changes to the preset.
        device: where it is to compute.
        vocabulary: of the text that it will be given; None: it will only be timed.
        seed: of the random weights.
    """
    torch.manual_seed(seed)
    new_model = models.create(name, preset, **options)
    if isinstance(new_model, nn.Module):
        new_model = new_model.to(device).eval()
    return _loaded_model(new_model, describe_system(new_model, name=name, preset=preset, options=options), vocabulary)


def describe_system(model: Any, *, name: str, preset: str, options: dict[str, Any]) -> System:
    """What a record says of a model."""
    card = getattr(model, "card", None)
    config = getattr(model, "config", None)
    config_fields = (
        dataclasses.asdict(config) if dataclasses.is_dataclass(config) and not isinstance(config, type) else {}
    )
    # a plug-in's config may hold anything; a record holds what JSON does
    plain: dict[str, object] = {
        field: value if _is_plain(value) else str(value) for field, value in config_fields.items()
    }
    return System(
        name=short_name(name),
        title=getattr(card, "title", short_name(name)),
        kind="model",
        preset=preset,
        options=options,
        config=plain,
        parameters=sum(p.numel() for p in model.parameters()) if isinstance(model, nn.Module) else None,
        frame_size=getattr(model, "frame_size", None),
        autoregressive=getattr(card, "autoregressive", None),
    )


def control_system(name: str, frame_size: tuple[int, int] | None) -> System:
    """What a record says of a control at a frame size; None: at that of each clip."""
    return System(name=name, title=controls.get(name).title, kind="control", frame_size=frame_size)


def _loaded_model(model: Any, system: System, vocabulary: Vocabulary | None) -> LoadedModel:
    if system.frame_size is None:
        raise UserError(
            f"the model '{system.name}' does not say its frame size", remedy="Give it a property frame_size: (H, W)"
        )
    return LoadedModel(model, system, vocabulary, system.frame_size)


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str))
