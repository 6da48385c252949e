"""From words on a command line to a typed request: Hydra composes `conf/`, pydantic checks the result.

A word that fits nothing is an error which names the nearest one that does.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from models.errors import UnknownNameError, UserError, nearest

CONF = Path(__file__).resolve().parents[1] / "conf"
OPEN = ("options", "quality_margins")
"""Groups that take names which no file lists: a model's own options, checked by the model; metrics' margins."""
PLAIN = (
    *("text", "identity", "root", "alignments", "out", "run", "runs", "checkpoint", "model", "utterance", "a", "b"),
    *("generated", "reference", "title", "name"),
    *("base", "head", "base_records", "head_records", "noise", "summary", "samples", "rates", "trends"),
    *("corpus.store", "features", "inception_weights", "json"),
)
"""Options whose value is taken as it is written: texts and paths."""


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
    blind: float = Field(gt=0.0)
    implausible: float = Field(gt=0.0, lt=1.0)
    noise: Path | None
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


class Report(_Checked):
    """`lipbench report`."""

    run: Path
    out: Path | None
    clips: int = Field(ge=0)
    summary: Path | None
    limit: Literal["step", "comment"] | Annotated[int, Field(ge=0)]


class Compare(_Checked):
    """`lipbench compare`."""

    a: Path
    b: Path
    out: Path | None


class Reproduce(_Checked):
    """`lipbench reproduce`."""

    corpus: CorpusChoice
    root: Path | None
    preset: str
    training: str
    steps: int | None = Field(default=None, ge=1)
    rows: Annotated[Names, Field(min_length=1)]
    frames: list[Annotated[int, Field(ge=1, le=10_000)]] = Field(min_length=1)
    protocol: str
    limit: int | None = Field(default=None, ge=1)
    dry_run: bool
    out: Path
    device: Literal["auto", "cpu", "cuda"]


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
    composed = _compose(verb, overrides)
    try:
        missing = sorted(OmegaConf.missing_keys(composed))
        values = OmegaConf.to_container(composed, resolve=True, throw_on_missing=False)
    except OmegaConfBaseException as error:
        raise _explain(verb, overrides, error) from error
    if missing:
        raise UserError(f"{verb} needs {', '.join(missing)}", remedy=f"Write {missing[0]}=… (lipbench {verb} --help)")
    try:
        return VERBS[verb].model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UserError(
            f"{place}={first['input']!r} is not valid: {first['msg'][0].lower()}{first['msg'][1:]}",
            remedy=f"See lipbench {verb} --help",
        ) from error


def explain(verb: str) -> list[str]:
    """A verb's options, as its file in `conf/` writes and explains them, each group's under the group's name."""
    text = (CONF / f"{verb}.yaml").read_text(encoding="utf-8")
    own = text.partition("  - _self_\n")[2] or text
    lines = [line for line in own.rstrip().splitlines() if not line.startswith("  - ")]
    chosen = re.findall(r"^  - (\w+): \w+$", text, flags=re.MULTILINE)
    composed: dict[str, Any] = OmegaConf.to_container(_compose(verb, []), resolve=False)  # pyright: ignore[reportAssignmentType]
    for group, choices in groups().items():
        if isinstance(composed.get(group), dict):
            lines += ["", f"{group}=NAME, one of {', '.join(choices)}; and within it"]
            notes = {k: v for folder in (group, *chosen) for k, v in _notes(CONF / folder).items()}
            lines += [f"  {group}.{name}: {_shown(v)}{notes.get(name, '')}" for name, v in composed[group].items()]
        elif group in chosen:
            # a group that sets options of another one
            lines += ["", f"{group}=NAME, one of {', '.join(choices)}"]
    return lines


def _shown(value: Any) -> str:
    return "null" if value is None else str(value)


def _notes(folder: Path) -> dict[str, str]:
    """The remark behind each option in a group's files."""
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*.yaml")):
        for line in file.read_text(encoding="utf-8").splitlines():
            match = re.match(r"(\w+):.*?( # .*)$", line)
            if match:
                found.setdefault(match[1], match[2])
    return found


def groups() -> dict[str, list[str]]:
    """Config groups and their choices, read from `conf/`."""
    return {
        folder.name: sorted(file.stem for file in folder.glob("*.yaml"))
        for folder in sorted(CONF.iterdir())
        if folder.is_dir()
    }


def _compose(verb: str, overrides: Sequence[str]) -> Any:
    if not CONF.is_dir():
        raise UserError(
            "lipbench's conf/ is not beside its code", remedy="Install a checkout as it is: pip install --editable ."
        )
    words = [_opened(word, verb) for word in overrides]
    logging.getLogger("hydra").setLevel(logging.ERROR)
    try:
        with initialize_config_dir(str(CONF), version_base=None, job_name=verb):
            return compose(verb, overrides=words)
    except (HydraException, OmegaConfBaseException) as error:
        raise _explain(verb, words, error) from error


def _opened(word: str, verb: str) -> str:
    """Check an override's form, and let open groups take new names."""
    if "=" not in word:
        raise UserError(
            f"'{word}' is not understood", remedy=f"Options are written name=value (lipbench {verb} --help)"
        )
    key, _, value = word.partition("=")
    if key in PLAIN and not (key != "text" and value in ("", "null")):
        # a value written in a shell has lost its quotes, which Hydra's grammar wants around all but plain words
        escaped = re.sub(r"(\\*)('|$)", lambda match: match[1] * 2 + match[2].replace("'", "\\'"), value)
        if key == "text":
            escaped = escaped.replace("${", "\\${")  # a text has no variables
        return f"{key}='{escaped}'"
    key = key.lstrip("+~")
    if key.split(".")[0] in OPEN and "." in key and not word.startswith(("+", "~")):
        return f"++{word}"
    return word


def _explain(verb: str, words: Sequence[str], error: Exception) -> UserError:
    """Find the word that Hydra stumbled over, and what was meant by it."""
    text = str(error)
    known_groups = groups()
    for word in words:
        key, _, value = word.lstrip("+~").partition("=")
        if key in known_groups and value not in known_groups[key]:
            return UnknownNameError(key, value, known_groups[key])
    known = _keys(OmegaConf.to_container(_compose(verb, []), resolve=False))
    for word in words:
        key = word.lstrip("+~").partition("=")[0]
        if key not in known and key not in known_groups and not re.match(r"options\.", key):
            meant = nearest(key, known)
            remedy = f"Did you mean '{meant}'? See lipbench {verb} --help" if meant else f"See lipbench {verb} --help"
            return UserError(f"{verb} has no option '{key}'", remedy=remedy)
    first = (text.splitlines() or [type(error).__name__])[0]
    return UserError(f"the options of {verb} are not understood: {first}", remedy=f"See lipbench {verb} --help")


def _keys(tree: Any, prefix: str = "") -> list[str]:
    found: list[str] = []
    for key, value in tree.items():
        name = f"{prefix}{key}"
        found.append(name)
        if isinstance(value, dict):
            found.extend(_keys(value, f"{name}."))
    return found
