"""The paper's tables and figures as a list of commands, run one after another and remembered.

Every step is a `lipbench` command in a process of its own: whoever wants one row alone can type it, a crash costs one
step, and memory is given back. What a step does is its verb's business; which steps are done is kept here.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmarks.record_files import save_whole
from models.errors import UserError

JOURNAL = "reproduction.json"
"""File in the run's folder that says which steps are done."""
INTERRUPTED = 130


class Row(BaseModel):
    """One training of the paper: a file in `conf/row`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    model: str
    losses: str


class Done(BaseModel):
    """A finished step."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    words: list[str]
    seconds: float
    finished: str
    """UTC, ISO 8601."""
    source: str | None
    """Digest of the code that ran it, as records have it."""


@dataclass(frozen=True)
class Step:
    """One command."""

    key: str
    """Unique in a plan, such as ``train hh_t2l``."""
    words: tuple[str, ...]
    """Verb and options."""
    after: tuple[str, ...] = ()
    """Keys of steps without which this one makes no sense."""

    @property
    def command(self) -> str:
        """What to type for this step alone."""
        return shlex.join(("lipbench", *self.words))


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the steps of a plan share."""

    corpus: tuple[str, ...]
    """Words that choose the corpus: ``corpus=grid`` and its options."""
    root: Path | None
    preset: str
    training: str
    steps: int | None
    frames: tuple[int, ...]
    protocol: str
    limit: int | None
    out: Path
    device: str


def plan(rows: dict[str, Row], choices: Choices) -> list[Step]:
    """All steps, in the order in which they run.

    Args:
        rows: name to row; the controls are scored beside the first.
        choices: what they share.
    """
    out, device = f"out={choices.out}", f"device={choices.device}"
    steps: list[Step] = []
    if choices.root is not None:
        steps.append(Step("prepare", ("prepare", *choices.corpus, f"root={choices.root}")))
    ready = tuple(step.key for step in steps)
    recipe = [f"training={choices.training}"]
    recipe += [] if choices.steps is None else [f"training.steps={choices.steps}"]
    scored = [f"protocol={choices.protocol}"] + ([] if choices.limit is None else [f"limit={choices.limit}"])
    for number, (name, row) in enumerate(rows.items()):
        who = (f"model={row.model}", f"preset={choices.preset}", f"name={name}-{choices.preset}")
        trained = f"train {name}"
        words = ("train", *choices.corpus, *who, f"losses={row.losses}", *recipe, out, device)
        steps.append(Step(trained, words, ready))
        beside = () if number == 0 else ("controls=[]",)
        words = ("evaluate", *choices.corpus, *who, *scored, *beside, out, device)
        steps.append(Step(f"evaluate {name}", words, (trained,)))
    timed = list(dict.fromkeys(row.model for row in rows.values()))
    # latency does not depend on weights
    lengths = ",".join(map(str, choices.frames))
    words = ("bench", f"models=[{','.join(timed)}]", f"preset={choices.preset}", f"frames=[{lengths}]")
    steps.append(Step("bench", (*words, "passes=3", "weights=random", "quality=false", "memory=true", out, device)))
    # last, and after whatever was measured: a report of what there is beats none
    steps.append(Step("report", ("report", f"run={choices.out}")))
    return steps


class Journal:
    """Which steps are done, in a file that is written anew after each.

    Args:
        folder: of the run.
        source: digest of the code that runs; what other code has done is done again.

    Raises:
        UserError: the file is not one of ours.
    """

    def __init__(self, folder: Path, source: str | None) -> None:
        self.path = folder / JOURNAL
        self._source = source
        self._done: dict[str, Done] = {}
        if self.path.exists():
            try:
                found = json.loads(self.path.read_text(encoding="utf-8"))
                self._done = {key: Done.model_validate(entry) for key, entry in found.items()}
            except (ValueError, AttributeError, ValidationError) as error:
                raise UserError(
                    f"{self.path} does not say which steps are done", remedy="Delete it: finished trainings are kept"
                ) from error

    def find(self, step: Step) -> Done | None:
        """The entry of a step, if it was done with the same words by the same code."""
        done = self._done.get(step.key)
        holds = done is not None and tuple(done.words) == step.words and done.source == self._source
        return done if holds else None

    def add(self, step: Step, seconds: float) -> None:
        """Remember a step."""
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        self._done[step.key] = Done(words=list(step.words), seconds=seconds, finished=finished, source=self._source)
        entries = {key: done.model_dump() for key, done in self._done.items()}
        save_whole(json.dumps(entries, indent=1) + "\n", self.path, "the list of finished steps")


def run_all(
    steps: Sequence[Step],
    journal: Journal,
    *,
    start: Callable[[Sequence[str]], int],
    say: Callable[[str], None],
) -> dict[str, str]:
    """Run what is not done yet. The last step, the report, always runs: it is cheap, and its input may have changed.

    Args:
        steps: the plan.
        journal: what is done.
        start: runs a command's words and returns its exit code.
        say: takes a line for the user.

    Returns:
        Key to reason for each step that failed, or was left out because of one that did.

    Raises:
        KeyboardInterrupt: a step was interrupted.
    """
    lost: dict[str, str] = {}
    for number, step in enumerate(steps, start=1):
        head = f"[{number}/{len(steps)}] {step.key}"
        done = journal.find(step)
        if done is not None and step is not steps[-1]:
            say(f"{head}: done {done.finished} in {done.seconds:.0f} s")
            continue
        missing = [key for key in step.after if key in lost]
        if missing:
            lost[step.key] = f"left out: '{missing[0]}' failed"
            say(f"{head}: {lost[step.key]}")
            continue
        say(f"{head}: {step.command}")
        began = time.perf_counter()
        code = start(step.words)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if code:
            lost[step.key] = f"exit code {code}"
            say(f"{head}: failed with exit code {code}")
        else:
            journal.add(step, time.perf_counter() - began)
    return lost


def start(words: Sequence[str]) -> int:
    """Run one command in a process of its own, which shares our terminal.

    Returns:
        Its exit code; a process that a signal ended has the negative of the signal's number.
    """
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.cli", *words])
    try:
        return process.wait()
    except KeyboardInterrupt:
        # a terminal sends the interrupt to both; let the step write down what it has
        process.wait()
        raise
