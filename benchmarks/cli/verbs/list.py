"""`lipbench list`: what there is, by name; with model=…, one model in detail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lipbench import corpora, metrics, models
from lipbench.baselines import controls
from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import Request, Text
from lipbench.errors import UnknownNameError
from lipbench.metrics import protocols

if TYPE_CHECKING:
    from torch import nn

    from lipbench.models.contract import LipRequest


CLIP_FRAMES = 75
"""Length of the clip whose operations are counted: GRID's."""
KINDS = ("models", "controls", "corpora", "metrics", "protocols")


class ListRequest(Request):
    """`lipbench list`."""

    what: str
    model: Text | None
    preset: str
    options: dict[str, Any]


def run(request: ListRequest) -> None:
    """Print the lists asked for."""
    if request.model is not None:
        _describe(request, request.model)
        return
    if request.what not in (*KINDS, "all"):
        raise UnknownNameError("list", request.what, (*KINDS, "all"))
    for kind in KINDS if request.what == "all" else (request.what,):
        print(kind)
        for name, meaning in _entries(kind):
            print(f"  {name:<22} {meaning}".rstrip())


def _entries(kind: str) -> list[tuple[str, str]]:
    if kind == "models":
        return [(name, models.MODELS.origin(name)) for name in models.names()]
    if kind == "controls":
        return [(name, controls.get(name).why) for name in controls.names()]
    if kind == "corpora":
        return [(name, corpora.CORPORA.origin(name)) for name in corpora.names()]
    if kind == "metrics":
        return [(name, metrics.meaning(name)) for name in metrics.names()]
    return [(name, protocols.get(name).summary) for name in protocols.names()]


def _describe(request: ListRequest, model: str) -> None:
    from torch import nn

    from lipbench.benchmarks.cells.loading import describe_system

    preset, options = request.preset, request.options
    model_object = models.create(model, preset, **options)
    system = describe_system(model_object, name=model, preset=preset, options=options)
    card = getattr(model_object, "card", None)
    rows = {"name": system.name, "preset": preset, "parameters": f"{system.parameters or 0:,}"}
    rows |= {field: str(value) for field, value in vars(card).items()} if card is not None else {}
    rows |= {f"  {field}": str(value) for field, value in system.config.items()}
    for field, value in rows.items():
        print(f"{field:<22} {value}")
    if isinstance(model_object, nn.Module):
        _print_modules(model_object, _plain_model(model_object, request, model))


def _print_modules(model: nn.Module, plain_model: nn.Module) -> None:
    """A table of the model's parts: parameters, and operations where they can be counted.

    Args:
        model: as it makes clips.
        plain_model: as it is written down; the same, or another of the same sizes.
    """
    from lipbench.benchmarks.timing import costs

    parameters = {name: sum(p.numel() for p in child.parameters()) for name, child in model.named_children()}
    clip_request = _clip_request(model)
    if clip_request is None:
        print("parameters by module")
        for name, number in parameters.items():
            print(f"  {name:<20} {number:>14,}")
        print("operations are not counted: the model has no frame_size and no option vocabulary_size")
        return
    ops = costs.count_by_module(plain_model.eval(), clip_request)
    print(f"{'by module':<22} {'parameters':>14} {'MFLOP per frame':>16} {f'GFLOP, {CLIP_FRAMES} frames':>18}")
    for name in dict.fromkeys((*parameters, *ops.by_module)):
        print(f"  {name:<20} {parameters.get(name, 0):>14,} {_figures(ops.by_module.get(name, 0))}")
    print(f"  {'all':<20} {sum(p.numel() for p in model.parameters()):>14,} {_figures(ops.total)}")
    if plain_model is not model:
        # what is the same for all frames is then computed once
        print(f"  {'as generated':<20} {'':>14} {_figures(costs.count_by_module(model.eval(), clip_request).total)}")


def _figures(operations: int) -> str:
    return f"{operations / CLIP_FRAMES / 1e6:>16,.2f} {operations / 1e9:>18,.3f}"


def _plain_model(model: nn.Module, request: ListRequest, name: str) -> nn.Module:
    """The model in its plain formulation, whose parts can be counted one by one."""
    from torch import nn

    config = getattr(model, "config", None)
    if getattr(config, "drawing", "plain") == "plain":
        return model
    few_at_once = {"chunk": 5} if hasattr(config, "chunk") else {}  # or the whole clip's layers take most of a gigabyte
    twin = models.create(name, request.preset, **{**request.options, **few_at_once, "drawing": "plain"})
    assert isinstance(twin, nn.Module)
    return twin


def _clip_request(model: nn.Module) -> LipRequest | None:
    """One clip of `CLIP_FRAMES`; None if the model does not say what it takes."""
    import torch

    from lipbench.benchmarks.latency import random_request

    size, symbols = getattr(model, "frame_size", None), getattr(getattr(model, "config", None), "vocabulary_size", None)
    if size is None or symbols is None:
        return None
    return random_request(CLIP_FRAMES, 1, frame_size=size, symbols=symbols, device=torch.device("cpu"))


VERB = Verb(
    summary="show models, controls, corpora, metrics and protocols, or one model in detail",
    examples=("lipbench list", "lipbench list models", "lipbench list model=hh_t2l preset=paper"),
    place=10,
    request=ListRequest,
    run=run,
    positional=("what",),
)
