"""`lipbench controls`: score the controls, and check that the metrics rank them as they must."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import CorpusChoice, Names, Request
from lipbench.records.run_folder import CALIBRATION


class ControlsRequest(Request):
    """`lipbench controls`."""

    corpus: CorpusChoice
    split: Literal["train", "test"]
    protocol: str
    metrics: Names
    controls: Names
    height: int = Field(ge=16, le=80)
    inception_weights: Path | None
    features: Path | None
    workers: int | None = Field(default=None, ge=0)
    limit: int | None = Field(default=None, ge=1)
    out: Path


def run(request: ControlsRequest) -> None:
    """Score, print one line per control, then what the metrics make of them.

    A control that the run's folder has a record of is not scored again, if that would give the same numbers.

    Raises:
        UserError: a control could not be scored, or a metric ranks two of them the wrong way round.
    """
    from lipbench.benchmarks.cli.verbs.controls import work

    work.run(request)


def claims(request: ControlsRequest) -> list[Path]:
    """The records of a run's controls, and their calibration."""
    return [request.out / CALIBRATION]


VERB = Verb(
    summary=(
        "score what no model may beat or must not fall below, and check that every metric ranks them as it must; "
        "the same command again goes on after the controls that it has recorded"
    ),
    examples=(
        "lipbench controls                                 # on prepared GRID, all metrics",
        "lipbench controls corpus=synthetic metrics=[psnr,ssim] limit=20",
    ),
    place=70,
    request=ControlsRequest,
    run=run,
    claims=claims,
)
