"""Ways to run one and the same model. Each works on a copy, so that the eager model stays as it is.

eager: as it is, float32.
compile: `torch.compile`; of a model that makes frame after frame each submodule, as its loop would be unrolled whole.
bf16: weights and picture in bfloat16, weights of convolutions channels-last.
cuda_graph: the whole call captured once and replayed, all steps of an autoregressive loop in one graph. A capture may
    not read from the device: the request tells its lengths (`HostLengths`).
uncached: without the option `cache`, by which a model keeps what it needs of the frames before.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn

from lipbench.benchmarks.cells.loading import LoadedModel
from lipbench.benchmarks.cells.runner import NotAttemptedError
from lipbench.models.contract import LipClip, LipRequest
from lipbench.records.latency import EAGER

RECOMPILES = 8
"""Shapes that each submodule may be compiled for: torch's own limit for one function."""


class VariantCall(NamedTuple):
    """A model in one variant, at one request."""

    call: Callable[[], LipClip]
    dtype: torch.dtype


def apply_variant(variant: str, loaded_model: LoadedModel, request: LipRequest) -> VariantCall:
    """Bring a model into a variant.

    Args:
        variant: one of `lipbench.records.latency.VARIANTS`.
        loaded_model: the model; it is left as it is.
        request: what it will be asked, on its device.

    Raises:
        NotAttemptedError: the model or the device has no such variant.
    """
    return _WAYS[variant](loaded_model, request)


def _eager(loaded_model: LoadedModel, request: LipRequest) -> VariantCall:
    return VariantCall(lambda: loaded_model.model.generate(request), request.identity.dtype)


def _compiled(loaded_model: LoadedModel, request: LipRequest) -> VariantCall:
    model = _copy(loaded_model)
    torch.compiler.reset()  # what an earlier cell compiled would count against this one's limit of shapes
    if loaded_model.system.autoregressive:
        children = list(model.children())
        # torch's declarations do not know it by the one name that all supported versions have
        limits: Any = torch._dynamo.config
        # children of one class share their code, and each counts against its limit: beyond it torch runs them eagerly
        limits.cache_size_limit = max(limits.cache_size_limit, RECOMPILES * len(children))
        for child in children:
            child.compile()
        return VariantCall(lambda: model.generate(request), request.identity.dtype)
    generate = torch.compile(model.generate)
    return VariantCall(lambda: generate(request), request.identity.dtype)


def _bf16(loaded_model: LoadedModel, request: LipRequest) -> VariantCall:
    model = _copy(loaded_model).to(dtype=torch.bfloat16, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    bf16_request = request._replace(identity=request.identity.to(torch.bfloat16))
    return VariantCall(lambda: model.generate(bf16_request), torch.bfloat16)


def _cuda_graph(loaded_model: LoadedModel, request: LipRequest) -> VariantCall:
    if request.identity.device.type != "cuda":
        raise NotAttemptedError("there are no CUDA graphs on a CPU", remedy="Write device=cuda on a machine with a GPU")
    model = _copy(loaded_model)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # libraries make their workspaces before the capture, which may make none
        for _ in range(3):
            model.generate(request)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        clip = model.generate(request)

    def replay() -> LipClip:
        graph.replay()
        return clip

    return VariantCall(replay, request.identity.dtype)


def _uncached(loaded_model: LoadedModel, request: LipRequest) -> VariantCall:
    config: Any = getattr(loaded_model.model, "config", None)
    if not dataclasses.is_dataclass(config) or getattr(config, "cache", None) is not True:
        raise NotAttemptedError(
            f"{loaded_model.system.title} keeps nothing of earlier frames that could be left out",
            remedy="Name models that have the option cache",
        )
    model = _copy(loaded_model)
    model.config = dataclasses.replace(config, cache=False)  # pyright: ignore[reportArgumentType]
    return VariantCall(lambda: model.generate(request), request.identity.dtype)


def _copy(loaded_model: LoadedModel) -> Any:
    if not isinstance(loaded_model.model, nn.Module):
        raise NotAttemptedError(
            f"{loaded_model.system.title} is no torch module, so it can be run in one way only",
            remedy="Time it as eager",
        )
    return copy.deepcopy(loaded_model.model)


_WAYS: dict[str, Callable[[LoadedModel, LipRequest], VariantCall]] = {
    EAGER: _eager,
    "compile": _compiled,
    "bf16": _bf16,
    "cuda_graph": _cuda_graph,
    "uncached": _uncached,
}
