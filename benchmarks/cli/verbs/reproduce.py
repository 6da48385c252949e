"""`lipbench reproduce`: train, score and time all rows of the paper's tables, and report; resumable at every point."""

from __future__ import annotations

from typing import cast

from omegaconf import OmegaConf
from pydantic import ValidationError

from lipbench import models
from lipbench.benchmarks.cells import environment
from lipbench.benchmarks.cli import launchers
from lipbench.benchmarks.cli.reproduction import Choices, Journal, Row, Step, plan, run_stages
from lipbench.benchmarks.config import requests
from lipbench.benchmarks.config.composition import CONF
from lipbench.benchmarks.config.requests import Reproduce
from lipbench.errors import UnknownNameError, UserError


def run(request: Reproduce) -> None:
    """Run the plan, or print it.

    Raises:
        UserError: a step failed; all others were run.
    """
    rows = _rows(request.rows)
    for row in rows.values():
        models.check(row.model, request.preset)
    launcher = launchers.find(request.launcher)
    steps = plan(rows, _choices(request))
    journal = Journal(request.out, environment.software().source)
    if request.dry_run:
        for step in steps:
            print(_line(step, journal))
        return
    lost = run_stages(steps, journal, launcher)
    print(f"report: {request.out / 'report'}")
    if lost:
        named = "; ".join(f"{key}: {reason}" for key, reason in lost.items())
        raise UserError(
            f"{len(lost)} of {len(steps)} steps were not done ({named})",
            remedy="Mend the cause named above; the same command then runs only what is missing",
        )


def _rows(names: list[str]) -> dict[str, Row]:
    known = {file.stem: file for file in sorted((CONF / "row").glob("*.yaml"))}
    rows: dict[str, Row] = {}
    for name in names:
        if name not in known:
            raise UnknownNameError("row", name, known)
        try:
            rows[name] = Row.model_validate(OmegaConf.to_container(OmegaConf.load(known[name])))
        except ValidationError as error:
            raise UserError(f"{known[name].name} is not a row: {error}", remedy="Give it model: and losses:") from error
    return rows


def _choices(request: Reproduce) -> Choices:
    # a step's command says what differs from the corpus' own file, as whoever types it would
    usual = cast("Reproduce", requests.request("reproduce", [f"corpus={request.corpus.name}"])).corpus.options
    options = [f"corpus.{key}={value}" for key, value in request.corpus.options.items() if value != usual.get(key)]
    return Choices(
        corpus=(f"corpus={request.corpus.name}", *options),
        root=request.root,
        preset=request.preset,
        recipe=request.recipe,
        steps=request.steps,
        frames=tuple(request.frames),
        protocol=request.protocol,
        limit=request.limit,
        out=request.out,
        device=request.device,
    )


def _line(step: Step, journal: Journal) -> str:
    done = journal.find(step)
    state = "to do" if done is None else f"done in {done.seconds:.0f} s"
    return f"{step.key:<28} {state:<16} {step.command}"
