"""`lipbench bench`: the latency sweep and the quality of every model, without pytest."""

from __future__ import annotations

from pathlib import Path

from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import BenchRequest
from lipbench.records.run_folder import records_folder


def run(request: BenchRequest) -> None:
    """Measure all cells, and print one line for each; the same command again goes on where it stopped."""
    from lipbench.benchmarks.cli.verbs.bench import work

    work.run(request)


def claims(request: BenchRequest) -> list[Path]:
    """All records of the run."""
    return [records_folder(request.out)]


VERB = Verb(
    summary="time every model at every length and score it (what pytest benchmarks/ does, without pytest)",
    examples=(
        "lipbench bench                                    # all models, small, synthetic corpus",
        "lipbench bench models=hh_t2l frames=[25,75,137,300] seconds=5",
        "lipbench bench corpus=grid training=small out=runs/grid",
    ),
    place=80,
    request=BenchRequest,
    run=run,
    measures_time=True,
    claims=claims,
)
