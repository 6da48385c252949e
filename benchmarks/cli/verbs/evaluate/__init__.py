"""`lipbench evaluate`: score a trained model and the controls on a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from lipbench import models
from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import CorpusChoice, Device, DurationsList, Names, Request, Text, TrainingName


class EvaluateRequest(Request):
    """`lipbench evaluate`."""

    model: Text
    preset: str
    options: dict[str, Any]
    name: TrainingName
    checkpoint: Path | None
    corpus: CorpusChoice
    split: Literal["train", "test"]
    durations: DurationsList
    protocol: str
    metrics: Names
    controls: Names
    inception_weights: Path | None
    features: Path | None
    workers: int | None = Field(default=None, ge=0)
    keep_clips: bool
    batch: int = Field(ge=1)
    limit: int | None = Field(default=None, ge=1)
    out: Path
    device: Device


def run(request: EvaluateRequest) -> None:
    """Score, and print one line per cell."""
    from lipbench.benchmarks.cli.verbs.evaluate import work

    check(request)
    work.run(request)


def claims(request: EvaluateRequest) -> list[Path]:
    """The model's records. A control's scores do not depend on the run, so its records are shared."""
    from lipbench.benchmarks.cli.verbs.evaluate import work

    return work.claims(request)


def check(request: EvaluateRequest) -> None:
    """Refuse a model, preset or options that do not exist."""
    models.check(request.model, request.preset, **request.options)


VERB = Verb(
    summary="score a trained model, and the controls beside it, clip by clip",
    examples=(
        "lipbench evaluate corpus=grid                     # HH-T2L, with predicted and with true durations",
        "lipbench evaluate corpus=grid model=dual_lip durations=predicted limit=20",
        "lipbench evaluate corpus=grid checkpoint=runs/longer/train/hh_t2l-small/last.ckpt",
    ),
    place=50,
    request=EvaluateRequest,
    run=run,
    claims=claims,
    check=check,
)
