"""Typed requests: what a verb is asked to do, as pydantic checks it. A verb's own lies with the verb.

Here is what several verbs share, and the requests that the bench and the gate stand on. Importing it imports no Hydra.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _duration(value: Any) -> Any:
    # YAML reads a bare true as a truth value
    return "true" if value is True else value


def _durations(value: Any) -> Any:
    return [_duration(v) for v in (value if isinstance(value, list) else [value])]


VERBATIM = "verbatim"
"""Marks a text whose value is taken as it is written. That of a path always is."""
Text = Annotated[str, VERBATIM]
Names = Annotated[list[str], BeforeValidator(_as_list)]
TrainingName = Annotated[str, VERBATIM, Field(pattern=r"^\w[\w.+-]*$")] | None
"""A folder's name in out/train."""
Durations = Annotated[Literal["true", "predicted"], BeforeValidator(_duration)]
DurationsList = Annotated[list[Literal["true", "predicted"]], BeforeValidator(_durations)]
Device = Literal["auto", "cpu", "cuda"]
Limit = Literal["step", "comment"] | Annotated[int, Field(ge=0)]
"""Of a summary's size: a name, or a number of bytes."""


class Request(BaseModel):
    """What a verb is asked to do: its options and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CorpusChoice(BaseModel):
    """A corpus by name, with its own options beside it."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str

    @property
    def options(self) -> dict[str, Any]:
        """Everything but the name."""
        return dict(self.model_extra or {})


class BenchRequest(Request):
    """`lipbench bench`, and `pytest benchmarks/`."""

    models: Annotated[Names, Field(min_length=1)]
    preset: str
    options: dict[str, Any]
    corpus: CorpusChoice
    training: dict[str, Any]
    frames: list[Annotated[int, Field(ge=1, le=10_000)]] = Field(min_length=1)
    batch: int = Field(ge=1)
    seconds: float = Field(gt=0)
    least_rounds: int = Field(ge=1)
    most_rounds: int = Field(ge=1)
    variants: Annotated[Names, Field(min_length=1)]
    passes: int = Field(ge=1)
    isolate: bool
    order_seed: int
    weights: Literal["trained", "random"]
    natural: list[Literal["synchronised", "unsynchronised"]]
    memory: bool
    energy: bool
    floors: bool
    quality: bool
    again: bool
    durations: DurationsList
    protocol: str
    metrics: Names
    controls: Names
    limit: int | None = Field(default=None, ge=1)
    out: Path
    device: Device


class GateRequest(BenchRequest):
    """`lipbench gate`: a bench of two revisions."""

    base: Text | None
    head: Text | None
    base_records: Text | None
    head_records: Text | None
    pairs: int = Field(ge=5)
    looks: Literal[1, 2]
    margin: float = Field(ge=0.0)
    cpu_margin: float = Field(ge=0.0)
    blind: float = Field(gt=0.0)
    implausible: float = Field(gt=0.0, lt=1.0)
    noise: Path | None
    times: bool
    output_tolerance: float = Field(ge=0.0, le=1.0)
    quality_margin: float = Field(ge=0.0)
    quality_margins: dict[str, Annotated[float, Field(ge=0.0)]]
    strict: bool
    summary: Path | None
    selftest: bool
    trends: Text | None
    seed: int


def verbatim(request: type[BaseModel]) -> set[str]:
    """The options of a request whose value is taken as it is written: paths, and texts that are marked so."""
    own = {
        field.alias or name
        for name, field in request.model_fields.items()
        if any(part is Path or part == VERBATIM for part in (*field.metadata, *_parts(field.annotation)))
    }
    # a corpus checks its own options, and every prepared one has a store
    return own | {"corpus.store"} if "corpus" in request.model_fields else own


def _parts(annotation: Any) -> Iterator[Any]:
    """An annotation and whatever it is made of, down through unions and marks."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)
