"""Which cells a bench has. Names only: to list them, neither torch nor a model is imported."""

from __future__ import annotations

from typing import Literal, NamedTuple

import models
from benchmarks.config import Bench


class Scored(NamedTuple):
    """A cell of the quality table that is to be measured."""

    system: str
    kind: Literal["model", "control"]
    durations: Literal["true", "predicted"]


def model_names(request: Bench) -> list[str]:
    """The models that a bench asks for."""
    return models.names() if request.models == "all" else list(request.models)


def latency_cells(request: Bench) -> list[tuple[str, int]]:
    """All (model, frames) to time."""
    return [(name, frames) for name in model_names(request) for frames in request.frames]


def quality_cells(request: Bench) -> list[Scored]:
    """All systems to score, models first."""
    cells: list[Scored] = []
    for mode in request.durations:
        cells += [Scored(name, "model", mode) for name in model_names(request)]
        cells += [Scored(name, "control", mode) for name in request.controls]
    return cells
