"""From words on a command line to a typed request: Hydra composes `conf/`, pydantic checks the result.

A word that fits nothing is an error which names the nearest one that does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lipbench.benchmarks.config.composition import composed_of, misunderstood, split
from lipbench.errors import UserError


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(_listed)]
TrainingName = Annotated[str, Field(pattern=r"^\w[\w.+-]*$")] | None
"""A folder's name in out/train."""
Durations = Literal["true", "predicted"]


def _duration(value: Any) -> Any:
    # YAML reads a bare true as a truth value
    return "true" if value is True else value


def _durations(value: Any) -> Any:
    return [_duration(v) for v in (value if isinstance(value, list) else [value])]


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CorpusChoice(BaseModel):
    """A corpus by name, with its own options beside it."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str

    @property
    def options(self) -> dict[str, Any]:
        """Everything but the name."""
        return dict(self.model_extra or {})


class Prepare(_Checked):
    """`lipbench prepare`."""

    corpus: CorpusChoice
    root: Path | None
    dry_run: bool
    workers: int | None = Field(default=None, ge=0)
    limit: int | None = Field(default=None, ge=1)
    # the corpus checks what it can be asked for
    split: str | None
    seed: int | None
    stabilise: str | None
    interpolation: str | None
    tokens: str | None
    durations: str | None
    alignments: Path | None


class Show(_Checked):
    """`lipbench show`."""

    corpus: CorpusChoice
    utterance: str | None
    out: Path


class Train(_Checked):
    """`lipbench train`."""

    model: str
    preset: str
    options: dict[str, Any]
    corpus: CorpusChoice
    training: dict[str, Any]
    out: Path
    name: TrainingName
    device: Literal["auto", "cpu", "cuda"]
    # training checks these
    devices: int
    num_nodes: int
    strategy: str


class Evaluate(_Checked):
    """`lipbench evaluate`."""

    model: str
    preset: str
    options: dict[str, Any]
    name: TrainingName
    checkpoint: Path | None
    corpus: CorpusChoice
    split: Literal["train", "test"]
    durations: Annotated[list[Durations], BeforeValidator(_durations)]
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
    device: Literal["auto", "cpu", "cuda"]


class Score(_Checked):
    """`lipbench score`: of a run, or of two folders of videos."""

    run: Path | None
    generated: Path | None
    reference: Path | None
    title: Annotated[str, Field(min_length=1)] | None
    durations: Annotated[Durations, BeforeValidator(_duration)]
    resize: bool
    ignore_rates: bool
    protocol: str
    metrics: Names
    controls: Names | None
    inception_weights: Path | None
    features: Path | None
    workers: int | None = Field(default=None, ge=0)
    out: Path | None
    device: Literal["auto", "cpu", "cuda"]


class Bench(_Checked):
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
    durations: Annotated[list[Durations], BeforeValidator(_durations)]
    protocol: str
    metrics: Names
    controls: Names
    limit: int | None = Field(default=None, ge=1)
    out: Path
    device: Literal["auto", "cpu", "cuda"]


class Gate(Bench):
    """`lipbench gate`: a bench of two revisions."""

    base: str | None
    head: str | None
    base_records: str | None
    head_records: str | None
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
    samples: Path | None
    rates: Path | None
    trends: str | None
    trials: int = Field(ge=1)
    seed: int


class Controls(_Checked):
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


Limit = Literal["step", "comment"] | Annotated[int, Field(ge=0)]
"""Of a summary's size: a name, or a number of bytes."""


class Report(_Checked):
    """`lipbench report`."""

    run: Path
    out: Path | None
    clips: int = Field(ge=0)
    summary: Path | None
    limit: Limit


class Compare(_Checked):
    """`lipbench compare`."""

    a: Path
    b: Path
    out: Path | None
    summary: Path | None
    limit: Limit


class Reproduce(_Checked):
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
    device: Literal["auto", "cpu", "cuda"]
    launcher: list[str] = []
    """Hydra's own words, which choose a launcher and its options."""


class Generate(_Checked):
    """`lipbench generate`."""

    text: str
    identity: Path
    model: str
    preset: str
    name: TrainingName
    checkpoint: Path | None
    corpus: CorpusChoice
    frames: int | None = Field(default=None, ge=1)
    fps: float = Field(gt=0)
    out: Path
    runs: Path
    device: Literal["auto", "cpu", "cuda"]


class Doctor(_Checked):
    """`lipbench doctor`."""

    device: Literal["auto", "cpu", "cuda"]
    seconds: float = Field(ge=0)
    rounds: int = Field(ge=5, le=10_000)
    isolate: bool
    inception_weights: Path | None
    runs: Path
    # pydantic's models have a method json
    json_file: Path | None = Field(alias="json")


class Listing(_Checked):
    """`lipbench list`."""

    what: str
    model: str | None
    preset: str
    options: dict[str, Any]


VERBS: dict[str, type[BaseModel]] = {
    "list": Listing,
    "prepare": Prepare,
    "show": Show,
    "train": Train,
    "evaluate": Evaluate,
    "score": Score,
    "bench": Bench,
    "gate": Gate,
    "controls": Controls,
    "report": Report,
    "compare": Compare,
    "reproduce": Reproduce,
    "generate": Generate,
    "doctor": Doctor,
}

V = TypeVar("V", bound=BaseModel)


def request(verb: str, overrides: Sequence[str]) -> BaseModel:
    """Compose and check what a verb was asked to do.

    Args:
        verb: a name in `VERBS`.
        overrides: Hydra overrides, such as ``corpus=grid`` or ``training.steps=500``.

    Raises:
        UserError: a word is not understood, a value is of the wrong type, or something needed is missing.
    """
    words, hydras = split(overrides)
    composed = composed_of(verb, words)
    try:
        missing = sorted(OmegaConf.missing_keys(composed))
        values: Any = OmegaConf.to_container(composed, resolve=True, throw_on_missing=False)
    except OmegaConfBaseException as error:
        raise misunderstood(verb, words, error) from error
    if missing:
        raise UserError(f"{verb} needs {', '.join(missing)}", remedy=f"Write {missing[0]}=… (lipbench {verb} --help)")
    if hydras:
        if "launcher" not in VERBS[verb].model_fields:
            raise UserError(f"{verb} has nothing to launch: {hydras[0]}", remedy="Write --multirun to sweep it")
        values["launcher"] = hydras
    try:
        return VERBS[verb].model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UserError(
            f"{place}={first['input']!r} is not valid: {first['msg'][0].lower()}{first['msg'][1:]}",
            remedy=f"See lipbench {verb} --help",
        ) from error
