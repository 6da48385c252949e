"""How many operations a model takes to make a clip, and which of its modules take them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, cast

from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lipbench.benchmarks.timing.costs import UNKNOWN_TO_TORCH
from lipbench.models.contract import LipModel, LipRequest

ELSEWHERE = "elsewhere"
"""Where operations are listed that no module is called for."""


class Operations(NamedTuple):
    """Multiplications and additions of matrix products and convolutions, each counted as one operation."""

    total: int
    by_module: dict[str, int]
    """Of each of the model's direct children; they and `ELSEWHERE`, where there is any, sum to the total."""


def count(model: nn.Module, request: LipRequest) -> Operations:
    """Count the operations of `generate`, by running it once.

    Products, convolutions, attention and recurrent layers are counted, as by `costs.count`. Activations, norms, softmax
    and data that is only moved are left out; together they are a few per cent.

    Args:
        model: in evaluation mode.
        request: what it is asked to make.
    """
    by_module = dict.fromkeys((name for name, _ in model.named_children()), 0)
    counter = FlopCounterMode(display=False, custom_mapping=UNKNOWN_TO_TORCH)
    with counter, _watched(model, counter, by_module):
        cast("LipModel", model).generate(request)
    total = counter.get_total_flops()
    rest = total - sum(by_module.values())
    return Operations(total, by_module | ({ELSEWHERE: rest} if rest else {}))


@contextmanager
def _watched(model: nn.Module, counter: FlopCounterMode, by_module: dict[str, int]) -> Iterator[None]:
    """Add up what is counted during the calls of each child's modules, an inner call within an outer one once.

    Every module below a child is watched and not the child alone: a model may call its parts past it.
    """
    depth, before = 0, 0

    def enter(*_: object) -> None:
        nonlocal depth, before
        if depth == 0:
            before = counter.get_total_flops()
        depth += 1

    def leave(name: str) -> None:
        nonlocal depth
        depth -= 1
        if depth == 0:
            by_module[name] += counter.get_total_flops() - before

    handles = []
    for name, child in model.named_children():
        for module in child.modules():
            handles.append(module.register_forward_pre_hook(enter))
            handles.append(module.register_forward_hook(lambda *_, name=name: leave(name), always_call=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
