"""A request as the words of a command line, for a process of another revision."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from lipbench.benchmarks.config.composition import request as compose
from lipbench.benchmarks.config.requests import BenchRequest, GateRequest, verbatim


def bench_arguments(request: GateRequest, **changed_options: object) -> list[str]:
    """The words behind `lipbench bench` that ask for the same as a gate.

    Only what differs from the bench's own defaults is said, so that an option which the other revision does not know
    matters only where it is used.

    Args:
        request: the gate.
        changed_options: options of the bench that have other values.
    """
    corpus = f"corpus={request.corpus.name}"
    bench_values = {name: getattr(request, name) for name in BenchRequest.model_fields} | changed_options
    leaves = _leaves(BenchRequest.model_validate(_plain(bench_values)).model_dump(mode="json"))
    default = _default(corpus)
    differing = {key: value for key, value in leaves.items() if key not in default or default[key] != value}
    return [corpus, *(f"{key}={_literal(key, value)}" for key, value in sorted(differing.items()))]


@cache
def _default(corpus: str) -> dict[str, Any]:
    return _leaves(compose("bench", BenchRequest, [corpus]).model_dump(mode="json"))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.model_dump() if hasattr(value, "model_dump") else value for name, value in values.items()}


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted name to value."""
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            leaves |= _leaves(value, f"{prefix}{key}.")
        elif not isinstance(value, Mapping):
            leaves[f"{prefix}{key}"] = value
    return leaves


def _literal(key: str, value: Any) -> str:
    """A value in Hydra's grammar; options that take their value as written get it so."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{','.join(_literal('', item) for item in value)}]"
    if isinstance(value, str) and key not in verbatim(BenchRequest):
        escaped = value.replace("\\'", "\\\\'").replace("'", "\\'")
        return f"'{escaped}'"
    return str(value)
