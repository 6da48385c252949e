"""`lipbench doctor`: look at the machine, measure its noise floor, and say what difference it can resolve."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import Device, Request


class DoctorRequest(Request):
    """`lipbench doctor`."""

    device: Device
    seconds: float = Field(ge=0)
    rounds: int = Field(ge=5, le=10_000)
    isolate: bool
    inception_weights: Path | None
    runs: Path
    # pydantic's models have a method json
    json_file: Path | None = Field(alias="json")


def run(request: DoctorRequest) -> int:
    """Print the findings.

    Returns:
        The exit code: 0 where the machine can measure, warnings or not; 1 where something makes that impossible.

    Raises:
        UserError: the JSON file cannot be written.
    """
    from lipbench.benchmarks.cli.verbs.doctor import work

    return work.run(request)


VERB = Verb(
    summary="check the machine, and measure how small a difference it can tell from chance: "
    "0 fine, 1 it cannot measure",
    examples=(
        "lipbench doctor                                   # half a minute, most of it the A/A run",
        "lipbench doctor seconds=0                         # only the checks",
        "lipbench doctor device=cuda rounds=100 seconds=60 json=doctor.json",
        "lipbench doctor isolate=true rounds=10            # noise between processes, which the gate meets",
    ),
    place=140,
    request=DoctorRequest,
    run=run,
    gives_verdict=True,
)
