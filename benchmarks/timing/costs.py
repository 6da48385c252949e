"""Costs of a call that do not depend on speed: operations and bytes, counted.

Operations are those of `torch.utils.flop_counter.FlopCounterMode` (two per multiply-add; matrix products,
convolutions and attention), and, which it does not know, those of a CPU's fused attention and of recurrent layers.
"""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from lipbench.models.contract import LipModel, LipRequest
from lipbench.records.latency import Costs

Shape = Sequence[int]

OTHER_MODULES = "elsewhere"
"""Where operations are listed that no module is called for."""


def count_costs(model: object, call: Callable[[], object]) -> Costs:
    """Run a call once and count what it does.

    Args:
        model: whose parameters are counted; None of them if it is no `nn.Module`.
        call: runs the model, as it will be timed. One that runs outside torch's dispatcher (a replayed CUDA graph, a
            compiled function) hides its work from the count: count the eager call.
    """
    operations = _operation_counter()
    collecting = gc.isenabled()
    # a collection in the middle would free cycles now and then, and the peak would differ from run to run
    gc.collect()
    gc.disable()
    try:
        with operations, _Launches() as launches:
            output = call()
        del output
    finally:
        if collecting:
            gc.enable()
    return Costs(
        operations=int(operations.get_total_flops()),
        parameters=sum(p.numel() for p in model.parameters()) if isinstance(model, nn.Module) else 0,
        launches=launches.count,
        activation_bytes=launches.peak,
    )


class ModuleOperations(NamedTuple):
    """Operations of a clip, and which of the model's modules take them."""

    total: int
    by_module: dict[str, int]
    """Of each of the model's direct children; they and `OTHER_MODULES`, where there is any, sum to the total."""


def count_by_module(model: nn.Module, request: LipRequest) -> ModuleOperations:
    """Count the operations of `generate`, by running it once.

    Activations, norms, softmax and data that is only moved are left out; together they are a few per cent.

    Args:
        model: in evaluation mode.
        request: what it is asked to make.
    """
    by_module = dict.fromkeys((name for name, _ in model.named_children()), 0)
    counter = _operation_counter()
    with counter, _watched(model, counter, by_module):
        cast("LipModel", model).generate(request)
    total = counter.get_total_flops()
    rest = total - sum(by_module.values())
    return ModuleOperations(total, by_module | ({OTHER_MODULES: rest} if rest else {}))


class _Launches(TorchDispatchMode):
    """Counts dispatched operations, and the bytes of the storages that they make for as long as these live."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.peak = 0
        self._alive = 0
        self._known: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        for argument in tree_leaves((args, kwargs)):
            if isinstance(argument, Tensor):
                self._know(argument, is_output=False)
        result = func(*args, **kwargs)
        self.count += 1
        for output in tree_leaves(result):
            if isinstance(output, Tensor):
                self._know(output, is_output=True)
        return result

    def _know(self, tensor: Tensor, *, is_output: bool) -> None:
        """Note a storage. One that was there before the call, such as a weight's, has no bytes of the call's."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._known:
            return
        size = storage.nbytes() if is_output else 0

        def gone(_: object) -> None:
            self._alive -= size
            del self._known[key]

        self._known[key] = weakref.ref(storage, gone)
        self._alive += size
        self.peak = max(self.peak, self._alive)


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


def _operation_counter() -> FlopCounterMode:
    return FlopCounterMode(display=False, custom_mapping=_UNKNOWN_TO_TORCH)


def _attention_on_cpu(query: Shape, key: Shape, value: Shape, *_: Any, out_shape: Any = None, **__: Any) -> int:
    return int(sdpa_flop_count(query, key, value))


def _onednn_recurrent(inputs: Shape, of_input: Shape, of_state: Shape, *_: Any, **__: Any) -> int:
    """One layer in one direction; inputs (steps, B, features) or packed (steps, features)."""
    return 2 * math.prod(inputs[:-1]) * (math.prod(of_input) + math.prod(of_state))


def _cudnn_recurrent(inputs: Shape, weights: Sequence[Shape], *_: Any, **__: Any) -> int:
    """All layers and directions; biases are no matrices."""
    return 2 * math.prod(inputs[:-1]) * sum(math.prod(weight) for weight in weights if len(weight) == 2)


_UNKNOWN_TO_TORCH: dict[Any, Any] = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_on_cpu,
    torch.ops.aten.mkldnn_rnn_layer: _onednn_recurrent,
    torch.ops.aten._cudnn_rnn: _cudnn_recurrent,
}
