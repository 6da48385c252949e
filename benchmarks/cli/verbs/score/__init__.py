"""`lipbench score`: score clips that are there already, without a model: a run's own, or another system's videos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import Device, Durations, Names, Request, Text


class ScoreRequest(Request):
    """`lipbench score`: of a run, or of two folders of videos."""

    run: Path | None
    generated: Path | None
    reference: Path | None
    title: Annotated[Text, Field(min_length=1)] | None
    durations: Durations
    resize: bool
    ignore_rates: bool
    protocol: str
    metrics: Names
    controls: Names | None
    inception_weights: Path | None
    features: Path | None
    workers: int | None = Field(default=None, ge=0)
    out: Path | None
    device: Device


def run(request: ScoreRequest) -> None:
    """Score, and print one line per cell and what was left out."""
    from lipbench.benchmarks.cli.verbs.score import work

    work.run(request)


VERB = Verb(
    summary="score again the clips that evaluate kept, or another system's video files; needs no model",
    examples=(
        "lipbench score run=runs/grid protocol=strict",
        "lipbench score run=runs/grid metrics=[lmd,aperture_correlation] out=runs/grid-lmd",
        "lipbench score generated=their/videos reference=data/videos title='Their model'",
        "lipbench score generated=their/videos reference=data/videos resize=true controls=[first_frame]",
    ),
    place=60,
    request=ScoreRequest,
    run=run,
)
