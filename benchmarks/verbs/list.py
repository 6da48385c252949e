"""`lipbench list`: what there is, by name; with model=…, one model in detail."""

from __future__ import annotations

import corpora
import metrics
import models
from baselines import controls
from benchmarks.config import Listing
from metrics import protocols
from models.errors import UnknownNameError

KINDS = ("models", "controls", "corpora", "metrics", "protocols")


def run(request: Listing) -> None:
    """Print the lists asked for."""
    if request.model is not None:
        _describe(request.model, request.preset, request.options)
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


def _describe(model: str, preset: str, options: dict[str, object]) -> None:
    from benchmarks.systems import describe

    built = models.create(model, preset, **options)
    system = describe(built, name=model, preset=preset, options=options)
    card = getattr(built, "card", None)
    rows = {"name": system.name, "preset": preset, "parameters": f"{system.parameters or 0:,}"}
    rows |= {field: str(value) for field, value in vars(card).items()} if card is not None else {}
    rows |= {f"  {field}": str(value) for field, value in system.config.items()}
    for field, value in rows.items():
        print(f"{field:<22} {value}")
    children = getattr(built, "named_children", None)
    if children is not None:
        print("parameters by module")
        for name, child in children():
            print(f"  {name:<20} {sum(p.numel() for p in child.parameters()):>12,}")
