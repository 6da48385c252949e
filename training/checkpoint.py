"""Checkpoints: Lightning's file, with a card of what the weights are. Reading one executes no code from it."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lipbench import models
from lipbench.errors import UserError
from lipbench.models.text import Vocabulary

CARD_KEY = "lipbench"
CARD_FORMAT = 1
_PREFIX = "model."


class CheckpointError(UserError):
    """A checkpoint that is missing, unreadable, or of something else."""


@dataclass(frozen=True, kw_only=True)
class CheckpointCard:
    """What a checkpoint's weights are."""

    model: str
    preset: str
    options: dict[str, Any]
    symbols: list[str]
    corpus: str
    corpus_fingerprint: str
    training: dict[str, Any]
    format: int = CARD_FORMAT


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A model with its weights, ready to generate."""

    model: nn.Module
    vocabulary: Vocabulary
    card: CheckpointCard
    steps: int
    digest: str
    """sha256 of the weights, names included."""


def read_card(path: Path) -> tuple[CheckpointCard, dict[str, Any]]:
    """Read a checkpoint's card, and all of its content.

    Raises:
        CheckpointError: the file is missing, damaged, or no checkpoint of lipbench.
    """
    if not path.is_file():
        raise CheckpointError(
            f"there is no checkpoint at {path}", remedy="Train first: lipbench train model=… corpus=…"
        )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        fields = dict(content[CARD_KEY])
        if fields.get("format") != CARD_FORMAT:
            raise CheckpointError(
                f"{path} is a checkpoint of format {fields.get('format')}, this lipbench reads {CARD_FORMAT}",
                remedy="Train again, or use the lipbench that wrote it",
            )
        return CheckpointCard(**fields), content
    except (RuntimeError, EOFError, KeyError, TypeError, ValueError, OSError, pickle.UnpicklingError) as error:
        raise CheckpointError(
            f"{path} is no checkpoint of lipbench, or is damaged: {(str(error) or repr(error)).splitlines()[0]}",
            remedy="Give a file that lipbench train wrote (last.ckpt), or train again",
        ) from error


def load_checkpoint(path: Path, *, model: str | None = None, preset: str | None = None) -> TrainedModel:
    """Rebuild a trained model.

    Args:
        path: file that `lipbench train` wrote.
        model: registry name that it must be of; None: any.
        preset: preset that it must be of; None: any.

    Raises:
        CheckpointError: it is missing, damaged, of another model or preset, or its weights do not fit the code.
    """
    card, content = read_card(path)
    for noun, expected, recorded in (("model", model, card.model), ("preset", preset, card.preset)):
        if expected is not None and expected != recorded:
            raise CheckpointError(
                f"{path} holds the {noun} '{recorded}', not '{expected}'",
                remedy=f"Ask for {noun}={recorded}, or train {expected}",
            )
    vocabulary = Vocabulary(card.symbols)
    model_object = models.create(card.model, card.preset, **{"vocabulary_size": vocabulary.size, **card.options})
    assert isinstance(model_object, nn.Module)
    weights = {k.removeprefix(_PREFIX): v for k, v in content["state_dict"].items() if k.startswith(_PREFIX)}
    try:
        model_object.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"the weights in {path} do not fit {card.model} ({card.preset}) as it is now",
            remedy="Train again, or use the lipbench that wrote it",
        ) from error
    return TrainedModel(
        model=model_object.eval(),
        vocabulary=vocabulary,
        card=card,
        steps=int(content["global_step"]),
        digest=digest(weights),
    )


def digest(weights: dict[str, Tensor]) -> str:
    """sha256 over names, shapes and bytes of the weights, independent of how they were saved."""
    sha = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        sha.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        sha.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return sha.hexdigest()


def card_fields(card: CheckpointCard) -> dict[str, Any]:
    """The card as plain values, as it is written."""
    return dataclasses.asdict(card)
