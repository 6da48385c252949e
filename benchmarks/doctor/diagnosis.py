"""What the doctor found, as data. None stands for what the machine cannot say; 0 is always a reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from lipbench.records.frozen import FrozenModel
from lipbench.records.system import Machine, Software

State = Literal["ok", "warning", "problem"]
Fact = str | bool | int | float | list[str] | None


class Check(FrozenModel):
    """One thing that was looked at."""

    name: str
    state: State | None
    """warning: numbers may be worse, or fewer, than they could be; problem: nothing can be measured; None: the machine
    does not say."""
    finding: str
    """What was found, for a reader."""
    remedy: str | None = None
    """The way out, where there is something to mend."""
    facts: dict[str, Fact] = Field(default_factory=dict)
    """The same for a program."""


class Resolution(FrozenModel):
    """The smallest slowdown that a paired run tells from chance."""

    rounds: int
    share: float
    """Of the time of a call: 0.02 is 2 %."""
    low: float
    """Of its 95 % interval over the rounds."""
    high: float


class RoundsNeeded(FrozenModel):
    """Rounds needed to resolve a slowdown of a given size."""

    share: float
    rounds: int
    low: int
    """By the lower end of the resolution's interval."""
    high: int


class Noise(FrozenModel):
    """An A/A run: one piece of work against itself, by turns."""

    work: str
    device: str
    isolated: bool
    """Whether each block had a process of its own."""
    seconds: float
    """That the rounds took."""
    changes: list[float] = Field(min_length=1)
    """Of each round, the second side's time over the first's, less 1."""
    difference: float
    """Their median: what chance made of no change at all."""
    difference_low: float
    difference_high: float
    resolution: Resolution
    needed: list[RoundsNeeded]


class Diagnosis(FrozenModel):
    """All checks and the noise floor."""

    created: str
    command: str
    machine: Machine
    software: Software
    checks: list[Check]
    noise: Noise | None
    """None if no A/A run was asked for, or it could not be made; a check then says why."""


def is_able(checks: Sequence[Check]) -> bool:
    """Whether no check found a problem."""
    return all(check.state != "problem" for check in checks)
