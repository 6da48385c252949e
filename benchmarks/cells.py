"""Which cells a bench has. Names only: to list them, neither torch nor a model is imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import models
from baselines import controls
from benchmarks.config import Bench
from models.registry import Registry, is_path


class Scored(NamedTuple):
    """A cell of the quality table that is to be measured."""

    system: str
    kind: Literal["model", "control"]
    durations: Literal["true", "predicted"]


def chosen(wanted: Sequence[str], registry: Registry[Any]) -> list[str]:
    """The names asked for; "all" stands for every registered one. Imports none of the things named.

    Raises:
        UnknownNameError: one of them is not registered (a ``file.py:Class`` need not be).
    """
    if list(wanted) == ["all"]:
        return registry.names()
    for name in wanted:
        if not is_path(name):
            registry.origin(name)
    return list(wanted)


def chosen_controls(wanted: Sequence[str]) -> list[str]:
    """The controls asked for; "all" stands for every one.

    Raises:
        UnknownNameError: there is no such control.
    """
    if list(wanted) == ["all"]:
        return controls.names()
    for name in wanted:
        controls.get(name)
    return list(wanted)


def model_names(request: Bench) -> list[str]:
    """The models that a bench asks for."""
    return chosen(request.models, models.MODELS)


def latency_cells(request: Bench) -> list[tuple[str, int]]:
    """All (model, frames) to time."""
    return [(name, frames) for name in model_names(request) for frames in request.frames]


def quality_cells(request: Bench) -> list[Scored]:
    """All systems to score, models first."""
    cells: list[Scored] = []
    for mode in request.durations:
        cells += [Scored(name, "model", mode) for name in model_names(request)]
        cells += [Scored(name, "control", mode) for name in chosen_controls(request.controls)]
    return cells
