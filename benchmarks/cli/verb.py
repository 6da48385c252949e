"""What a verb of the command line declares of itself: everything that `lipbench` knows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from lipbench.benchmarks.config.requests import Request

R = TypeVar("R", bound=Request)


@dataclass(frozen=True, kw_only=True)
class Verb(Generic[R]):
    """One verb.

    Its module is imported to show help, so it imports nothing heavy: `run` and `claims` import what they need.
    """

    summary: str
    """One line for `lipbench --help`."""
    examples: tuple[str, ...]
    place: int
    """Where it stands in the list of verbs, which has the order of their use."""
    request: type[R]
    """Its options; ``conf/VERB.yaml`` has their defaults."""
    run: Callable[[R], int | None]
    """Prints the result, and raises `UserError` for what the user can mend. What it returns is the exit code."""
    positional: tuple[str, ...] = ()
    """Options whose values may come first, without their names: ``lipbench report runs/bench``."""
    flags: Mapping[str, str] = field(default_factory=dict)
    """Words as other programs have them to the options that they make true: ``--dry-run`` to ``dry_run``."""
    gives_verdict: bool = False
    """Whether its exit code is its answer. A verdict that nobody could read is not good."""
    measures_time: bool = False
    """Whether its jobs must not share a machine."""
    claims: Callable[[R], list[Path]] | None = None
    """What a run writes and no other may write at the same time. A verb without claims cannot be swept."""
    check: Callable[[R], None] | None = None
    """Refuses, before a sweep starts, what a job would find out only when a cluster has a place for it."""
    apart: str = "out='runs/${preset}'"
    """How the jobs of a sweep can be given places of their own."""
