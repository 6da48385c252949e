"""Which cells a bench has, and the key of every cell. To list them, neither torch nor a model is imported."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from lipbench import models
from lipbench.baselines import controls
from lipbench.benchmarks.config.requests import BenchRequest
from lipbench.errors import UnknownNameError
from lipbench.records.latency import EAGER, VARIANTS, Timer
from lipbench.records.record import Cell
from lipbench.registry import resolve_names, short_name


class QualityTask(NamedTuple):
    """A quality cell to score."""

    system: str
    kind: Literal["model", "control"]
    durations: Literal["true", "predicted"]


class LatencyTask(NamedTuple):
    """A latency cell to time."""

    model: str
    frames: int
    variant: str = EAGER


class CellBlock(NamedTuple):
    """Cells that are timed one after the other, in one process."""

    number: int
    """Of the pass, from 0."""
    cells: list[LatencyTask]


def resolve_control_names(selection: Sequence[str]) -> list[str]:
    """The controls asked for; "all" stands for every one.

    Raises:
        UnknownNameError: there is no such control.
    """
    if list(selection) == ["all"]:
        return controls.names()
    for name in selection:
        controls.get(name)
    return list(selection)


def model_names(request: BenchRequest) -> list[str]:
    """The models that a bench asks for."""
    return resolve_names(request.models, models.MODELS)


def variant_names(request: BenchRequest) -> list[str]:
    """The variants that a bench asks for.

    Raises:
        UnknownNameError: there is no such variant.
    """
    if list(request.variants) == ["all"]:
        return list(VARIANTS)
    for name in request.variants:
        if name not in VARIANTS:
            raise UnknownNameError("variant", name, VARIANTS)
    return list(request.variants)


def latency_cells(request: BenchRequest) -> list[LatencyTask]:
    """All cells to time, in an order that confounds length with nothing: shuffled by the request's seed."""
    return cell_blocks(request.model_copy(update={"passes": 1, "isolate": False}))[0].cells


def cell_blocks(request: BenchRequest) -> list[CellBlock]:
    """All cells to time, in blocks, in every pass in another order.

    A fresh process holds one model in one variant; where there is none, a pass is one block.
    """
    order = random.Random(request.order_seed)
    kinds = [(model, variant) for model in model_names(request) for variant in variant_names(request)]
    block_list: list[CellBlock] = []
    for number in range(request.passes):
        cells = [LatencyTask(model, frames, variant) for model, variant in kinds for frames in request.frames]
        order.shuffle(cells)
        if not request.isolate:
            block_list.append(CellBlock(number, cells))
            continue
        order.shuffle(kinds)
        block_list += [
            CellBlock(number, [cell for cell in cells if (cell.model, cell.variant) == kind]) for kind in kinds
        ]
    return block_list


def quality_cells(request: BenchRequest) -> list[QualityTask]:
    """All systems to score, models first."""
    cells: list[QualityTask] = []
    for mode in request.durations:
        cells += [QualityTask(name, "model", mode) for name in model_names(request)]
        cells += [QualityTask(name, "control", mode) for name in resolve_control_names(request.controls)]
    return cells


def latency_cell(request: BenchRequest, timed: LatencyTask, device: str) -> Cell:
    """The key of timing one model at one length.

    Args:
        request: the bench.
        timed: which.
        device: "cpu" or "cuda".
    """
    return _bench_cell(
        request,
        "latency",
        timed.model,
        frames=timed.frames,
        batch=request.batch,
        device=device,
        variant=None if timed.variant == EAGER else timed.variant,
    )


def natural_cell(request: BenchRequest, model: str, timer: Timer, device: str) -> Cell:
    """The key of timing one model on the test clips; arguments as for `latency_cell`."""
    return _bench_cell(
        request, "natural", model, split="test", limit=request.limit, batch=1, device=device, timer=timer
    )


def _bench_cell(request: BenchRequest, kind: Literal["latency", "natural"], model: str, **asked: Any) -> Cell:
    return Cell(
        kind=kind,
        system=short_name(model),
        preset=request.preset,
        options=request.options,
        corpus=request.corpus.name,
        corpus_options=request.corpus.options,
        **asked,
    )


def quality_cell(system: str, *, metrics: Sequence[str], **asked: Any) -> Cell:
    """The key of scoring one system; every verb that scores names its cells by it.

    Args:
        system: a registry's name or a path.
        metrics: those asked for; "all" stands for every one.
        asked: the other fields of the `Cell`.
    """
    return Cell(kind="quality", system=short_name(system), metrics=metrics_key(metrics), **asked)


def quality_task_cell(request: BenchRequest, scored: QualityTask) -> Cell:
    """The key of scoring one system of a bench."""
    return quality_cell(
        scored.system,
        role=scored.kind,
        preset=request.preset,
        options=request.options,
        corpus=request.corpus.name,
        corpus_options=request.corpus.options,
        split="test",
        limit=request.limit,
        durations=scored.durations,
        protocol=request.protocol,
        metrics=request.metrics,
    )


def metrics_key(metrics: Sequence[str]) -> list[str] | None:
    """Metrics as a cell names them: sorted; None for all."""
    return None if list(metrics) == ["all"] else sorted(metrics)
