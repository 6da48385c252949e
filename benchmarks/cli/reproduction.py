"""The paper's tables and figures as a list of commands, run one after another or side by side, and remembered.

Every step is a `lipbench` command in a process of its own: a single row can be run by hand, a crash costs one
step, and memory is given back. What a step does is its verb's business; which steps are done is kept here, a file for
each, so that jobs on several nodes can write it.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lipbench.benchmarks.cli.launchers import INTERRUPTED, JobContext, Launcher, start_command
from lipbench.errors import UserError
from lipbench.files import save_text

JOURNAL = "reproduction"
"""Folder in the run's with a file for each step that is done."""
JOBS = "jobs"
"""Folder in the run's with the logs of jobs that do not share our terminal."""


class PaperRow(BaseModel):
    """One training of the paper: a file in `conf/row`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    model: str
    losses: str


class CompletedStep(BaseModel):
    """A finished step."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    words: list[str]
    seconds: float
    finished: str
    """UTC, ISO 8601."""
    source: str | None
    """Digest of the code that ran it, as records have it."""


@dataclass(frozen=True)
class PlanStep:
    """One command."""

    key: str
    """Unique in a plan, such as ``train hh_t2l``."""
    words: tuple[str, ...]
    """Verb and options."""
    after: tuple[str, ...] = ()
    """Keys of steps without which this one makes no sense."""
    row: str | None = None
    """The row that it belongs to, whose steps need no other row's; None: it runs alone."""
    always: bool = False
    """Whether it runs also if it is done: it is cheap, and its input may have changed."""
    place: str = ""
    """Its number in the plan."""

    @property
    def head(self) -> str:
        """What its lines begin with."""
        return f"[{self.place}] {self.key}"

    @property
    def command(self) -> str:
        """What to type for this step alone."""
        return shlex.join(("lipbench", *self.words))


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """What the steps of a plan share."""

    corpus: tuple[str, ...]
    """Words that choose the corpus: ``corpus=grid`` and its options."""
    root: Path | None
    preset: str
    recipe: str
    steps: int | None
    frames: tuple[int, ...]
    protocol: str
    limit: int | None
    out: Path
    device: str


def plan(rows: dict[str, PaperRow], choices: PlanOptions) -> list[PlanStep]:
    """All steps, in the order in which they run one after another.

    Args:
        rows: name to row; the controls are scored beside the first.
        choices: what they share.
    """
    out, device = f"out={choices.out}", f"device={choices.device}"
    steps: list[PlanStep] = []
    if choices.root is not None:
        steps.append(PlanStep("prepare", ("prepare", *choices.corpus, f"root={choices.root}")))
    ready = tuple(step.key for step in steps)
    recipe = [f"training={choices.recipe}"]
    recipe += [] if choices.steps is None else [f"training.steps={choices.steps}"]
    scoring_options = [f"protocol={choices.protocol}"] + ([] if choices.limit is None else [f"limit={choices.limit}"])
    for number, (name, row) in enumerate(rows.items()):
        model_options = (f"model={row.model}", f"preset={choices.preset}", f"name={name}-{choices.preset}")
        training_key = f"train {name}"
        words = ("train", *choices.corpus, *model_options, f"losses={row.losses}", *recipe, out, device)
        steps.append(PlanStep(training_key, words, ready, row=name))
        control_options = () if number == 0 else ("controls=[]",)
        words = ("evaluate", *choices.corpus, *model_options, *scoring_options, *control_options, out, device)
        steps.append(PlanStep(f"evaluate {name}", words, (training_key,), row=name))
    model_names = list(dict.fromkeys(row.model for row in rows.values()))
    # latency does not depend on weights
    lengths = ",".join(map(str, choices.frames))
    words = ("bench", f"models=[{','.join(model_names)}]", f"preset={choices.preset}", f"frames=[{lengths}]")
    steps.append(PlanStep("bench", (*words, "passes=3", "weights=random", "quality=false", "memory=true", out, device)))
    # last, and after whatever was measured: a report of what there is beats none
    steps.append(PlanStep("report", ("report", f"run={choices.out}"), always=True))
    return [replace(step, place=f"{number}/{len(steps)}") for number, step in enumerate(steps, start=1)]


def stages(steps: Sequence[PlanStep]) -> list[dict[str, list[PlanStep]]]:
    """A plan as stages, one after another, each of jobs that may run side by side.

    A row's steps are one job. What belongs to no row is alone in its stage: nothing may run beside what is timed.
    """
    stage_list: list[dict[str, list[PlanStep]]] = []
    for is_shared, together in groupby(steps, key=lambda step: step.row is None):
        if is_shared:
            stage_list += [{step.key: [step]} for step in together]
        else:
            stage_list.append({str(row): list(job) for row, job in groupby(together, key=lambda step: step.row)})
    return stage_list


@dataclass(frozen=True)
class Journal:
    """Journal of completed steps: one file per step, written atomically."""

    run: Path
    """The run's folder."""
    source: str | None
    """Digest of the code that runs; what other code has done is done again."""

    def find(self, step: PlanStep) -> CompletedStep | None:
        """The entry of a step, if it was done with the same words by the same code.

        Raises:
            UserError: its file is not one of ours.
        """
        path = self.path(step)
        try:
            entry = CompletedStep.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise UserError(
                f"{path} does not say how a step was done", remedy="Delete it: finished trainings are kept"
            ) from error
        return entry if tuple(entry.words) == step.words and entry.source == self.source else None

    def add(self, step: PlanStep, seconds: float) -> None:
        """Remember a step.

        Raises:
            UserError: its file cannot be written.
        """
        finish_time = datetime.now(UTC).isoformat(timespec="seconds")
        entry = CompletedStep(words=list(step.words), seconds=seconds, finished=finish_time, source=self.source)
        save_text(entry.model_dump_json(indent=1) + "\n", self.path(step), "the note on a finished step")

    def path(self, step: PlanStep) -> Path:
        """The file of a step."""
        return self.run / JOURNAL / f"{step.key.replace(' ', '-')}.json"


@dataclass(frozen=True)
class _PlanJob:
    """Steps that run one after another, in whatever process a launcher gives them."""

    steps: Sequence[PlanStep]
    journal: Journal
    lost: Mapping[str, str]

    @property
    def starts(self) -> bool:
        """Whether any step is still to be run."""
        first = next((step for step in self.steps if not step.always and self.journal.find(step) is None), None)
        return first is not None and not any(key in self.lost for key in first.after)

    def __call__(self, place: JobContext) -> dict[str, str]:
        return run_all(
            self.steps, self.journal, start=partial(start_command, place=place), say=say, earlier_failures=self.lost
        )


def run_stages(plan: Sequence[PlanStep], journal: Journal, launcher: Launcher) -> dict[str, str]:
    """Run what is not done yet, the rows' jobs side by side if the launcher does so.

    Args:
        plan: its steps.
        journal: what is done.
        launcher: runs the jobs. Where there is nothing to start but a report, that is done here.

    Returns:
        Key to reason for each step that failed, or was left out because of one that did.

    Raises:
        KeyboardInterrupt: a step was interrupted.
        UserError: the launcher gave up.
    """
    failures: dict[str, str] = {}
    for stage in stages(plan):
        jobs = {name: _PlanJob(steps, journal, dict(failures)) for name, steps in stage.items()}
        launcher_jobs = {name: job for name, job in jobs.items() if job.starts}
        job_failures = [job(JobContext()) for name, job in jobs.items() if name not in launcher_jobs]
        if launcher_jobs:
            say(f"{', '.join(launcher_jobs)}: by the launcher {launcher.description(journal.run / JOBS)}")
            job_failures += launcher.run(launcher_jobs, journal.run / JOBS, job_name="lipbench").values()
        for reasons in job_failures:
            failures |= reasons
    return failures


def run_all(
    steps: Sequence[PlanStep],
    journal: Journal,
    *,
    start: Callable[[Sequence[str]], int],
    say: Callable[[str], None],
    earlier_failures: Mapping[str, str] = {},
) -> dict[str, str]:
    """Run one after another what is not done yet.

    Args:
        steps: in their order.
        journal: what is done.
        start: runs a command's words and returns its exit code.
        say: takes a line for the user.
        earlier_failures: steps that failed before, as this returns them.

    Returns:
        Key to reason for each step that failed, or was left out because of one that did.

    Raises:
        KeyboardInterrupt: a step was interrupted.
    """
    failures: dict[str, str] = {}
    for step in steps:
        entry = journal.find(step)
        if entry is not None and not step.always:
            say(f"{step.head}: done {entry.finished} in {entry.seconds:.0f} s")
            continue
        missing = [key for key in step.after if key in failures or key in earlier_failures]
        if missing:
            failures[step.key] = f"left out: '{missing[0]}' failed"
            say(f"{step.head}: {failures[step.key]}")
            continue
        say(f"{step.head}: {step.command}")
        began = time.perf_counter()
        code = start(step.words)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if code:
            failures[step.key] = f"exit code {code}"
            say(f"{step.head}: failed with exit code {code}")
        else:
            journal.add(step, time.perf_counter() - began)
    return failures


def say(line: str) -> None:
    """Tell the user."""
    print(line, flush=True, file=sys.stderr)
