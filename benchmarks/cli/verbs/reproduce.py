"""`lipbench reproduce`: train, score and time all rows of the paper's tables, and report; resumable at every point."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationError

from lipbench import models
from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import CorpusChoice, Device, Names, Request
from lipbench.errors import UnknownNameError, UserError

if TYPE_CHECKING:
    from lipbench.benchmarks.cli.reproduction import Journal, PaperRow, PlanOptions, PlanStep


class ReproduceRequest(Request):
    """`lipbench reproduce`."""

    corpus: CorpusChoice
    root: Path | None
    preset: str
    recipe: str
    steps: int | None = Field(default=None, ge=1)
    rows: Annotated[Names, Field(min_length=1)]
    frames: list[Annotated[int, Field(ge=1, le=10_000)]] = Field(min_length=1)
    protocol: str
    limit: int | None = Field(default=None, ge=1)
    dry_run: bool
    out: Path
    device: Device
    launcher: list[str] = Field(default_factory=list)
    """Hydra's own words, which choose a launcher and its options."""


def run(request: ReproduceRequest) -> None:
    """Run the plan, or print it.

    Raises:
        UserError: a step failed; all others were run.
    """
    from lipbench.benchmarks.cells import environment
    from lipbench.benchmarks.cli import launchers
    from lipbench.benchmarks.cli.reproduction import Journal, plan, run_stages

    rows = _rows(request.rows)
    for row in rows.values():
        models.check(row.model, request.preset)
    launcher = launchers.find_launcher(request.launcher)
    steps = plan(rows, _choices(request))
    journal = Journal(request.out, environment.software().source)
    if request.dry_run:
        for step in steps:
            print(_line(step, journal))
        return
    failures = run_stages(steps, journal, launcher)
    print(f"report: {request.out / 'report'}")
    if failures:
        failure_text = "; ".join(f"{key}: {reason}" for key, reason in failures.items())
        raise UserError(
            f"{len(failures)} of {len(steps)} steps were not done ({failure_text})",
            remedy="Mend the cause named above; the same command then runs only what is missing",
        )


def _rows(names: list[str]) -> dict[str, PaperRow]:
    from omegaconf import OmegaConf

    from lipbench.benchmarks.cli.reproduction import PaperRow
    from lipbench.benchmarks.config.composition import CONF

    row_files = {file.stem: file for file in sorted((CONF / "row").glob("*.yaml"))}
    rows: dict[str, PaperRow] = {}
    for name in names:
        if name not in row_files:
            raise UnknownNameError("row", name, row_files)
        try:
            rows[name] = PaperRow.model_validate(OmegaConf.to_container(OmegaConf.load(row_files[name])))
        except ValidationError as error:
            raise UserError(
                f"{row_files[name].name} is not a row: {error}", remedy="Give it model: and losses:"
            ) from error
    return rows


def _choices(request: ReproduceRequest) -> PlanOptions:
    from lipbench.benchmarks.cli.reproduction import PlanOptions
    from lipbench.benchmarks.config import composition

    # a step's command says what differs from the corpus' own file, as whoever types it would
    usual = composition.request("reproduce", ReproduceRequest, [f"corpus={request.corpus.name}"]).corpus.options
    options = [f"corpus.{key}={value}" for key, value in request.corpus.options.items() if value != usual.get(key)]
    return PlanOptions(
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


def _line(step: PlanStep, journal: Journal) -> str:
    entry = journal.find(step)
    state = "to do" if entry is None else f"done in {entry.seconds:.0f} s"
    return f"{step.key:<28} {state:<16} {step.command}"


VERB = Verb(
    summary="train, score and time every row of the paper's tables, and report; the same command again goes on",
    examples=(
        "lipbench reproduce --dry-run                      # the steps, and the command of each",
        "lipbench reproduce root=../shared/data/grid       # on GRID, small models: hours on a CPU",
        "lipbench reproduce corpus=synthetic rows=[hh_t2l,dual_lip] steps=500",
        "lipbench reproduce hydra/launcher=joblib hydra.launcher.n_jobs=2   # two rows side by side",
    ),
    place=120,
    request=ReproduceRequest,
    run=run,
    flags={"--dry-run": "dry_run"},
)
