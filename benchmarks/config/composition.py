"""From the words of a command line to a typed request: Hydra composes `conf/`, pydantic checks the result.

A word that fits nothing is an error which names the nearest one that does.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Any, TypeVar

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, QuotedString
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, ValidationError

from lipbench.benchmarks.config.requests import verbatim
from lipbench.errors import UnknownNameError, UserError, nearest

R = TypeVar("R", bound=BaseModel)

CONF = Path(__file__).resolve().parents[2] / "conf"
OPEN_GROUPS = ("options", "quality_margins")
"""Groups that take names which no file lists: a model's own options, checked by the model; metrics' margins."""


def request(verb: str, model: type[R], overrides: Sequence[str]) -> R:
    """Compose and check what a verb was asked to do.

    Args:
        verb: its name, which is that of its file in `conf/`.
        model: its request.
        overrides: Hydra overrides, such as ``corpus=grid`` or ``training.steps=500``.

    Raises:
        UserError: a word is not understood, a value is of the wrong type, or something needed is missing.
    """
    words, hydras = split_words(overrides)
    composed = compose_tree(verb, words, verbatim(model))
    try:
        missing = sorted(OmegaConf.missing_keys(composed))
        values: Any = OmegaConf.to_container(composed, resolve=True, throw_on_missing=False)
    except OmegaConfBaseException as error:
        raise find_misread_word(verb, words, error) from error
    if missing:
        raise UserError(f"{verb} needs {', '.join(missing)}", remedy=f"Write {missing[0]}=… (lipbench {verb} --help)")
    if hydras:
        if "launcher" not in model.model_fields:
            raise UserError(f"{verb} has nothing to launch: {hydras[0]}", remedy="Write --multirun to sweep it")
        values["launcher"] = hydras
    try:
        return model.model_validate(values)
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
    own_text = text.partition("  - _self_\n")[2] or text
    lines = [line for line in own_text.rstrip().splitlines() if not line.startswith("  - ")]
    group_choices = re.findall(r"^  - (\w+): \w+$", text, flags=re.MULTILINE)
    config: dict[str, Any] = OmegaConf.to_container(compose_tree(verb, []), resolve=False)  # pyright: ignore[reportAssignmentType]
    for group, choices in config_groups().items():
        if isinstance(config.get(group), dict):
            lines += ["", f"{group}=NAME, one of {', '.join(choices)}; and within it"]
            notes = {k: v for folder in (group, *group_choices) for k, v in _notes(CONF / folder).items()}
            lines += [f"  {group}.{name}: {_format_value(v)}{notes.get(name, '')}" for name, v in config[group].items()]
        elif group in group_choices:
            # a group that sets options of another one
            lines += ["", f"{group}=NAME, one of {', '.join(choices)}"]
    return lines


def _format_value(value: Any) -> str:
    return "null" if value is None else str(value)


def _notes(folder: Path) -> dict[str, str]:
    """The remark behind each option in a group's files."""
    notes: dict[str, str] = {}
    for file in sorted(folder.glob("*.yaml")):
        for line in file.read_text(encoding="utf-8").splitlines():
            match = re.match(r"(\w+):.*?( # .*)$", line)
            if match:
                notes.setdefault(match[1], match[2])
    return notes


def config_groups() -> dict[str, list[str]]:
    """Config groups and their choices, read from `conf/`."""
    return {
        folder.name: sorted(file.stem for file in folder.glob("*.yaml"))
        for folder in sorted(CONF.iterdir())
        if folder.is_dir()
    }


def compose_tree(verb: str, overrides: Sequence[str], texts: Set[str] = frozenset()) -> Any:
    """Compose a verb's config file and its overrides with Hydra, without validation.

    Args:
        verb: its name.
        overrides: the words.
        texts: options whose value is taken as it is written.

    Raises:
        UserError: a word is not understood, or `conf/` is missing.
    """
    if not CONF.is_dir():
        raise UserError(
            "lipbench's conf/ is not beside its code", remedy="Install a checkout as it is: pip install --editable ."
        )
    words = [_hydra_word(word, verb, texts) for word in overrides]
    logging.getLogger("hydra").setLevel(logging.ERROR)
    try:
        with initialize_config_dir(str(CONF), version_base=None, job_name=verb):
            return compose(verb, overrides=words)
    except (HydraException, OmegaConfBaseException) as error:
        raise find_misread_word(verb, words, error) from error


def _hydra_word(word: str, verb: str, texts: Set[str]) -> str:
    """Check an override's form, and let open groups take new names."""
    if "=" not in word:
        raise UserError(
            f"'{word}' is not understood", remedy=f"Options are written name=value (lipbench {verb} --help)"
        )
    key, _, value = word.partition("=")
    if key in texts and not (key != "text" and value in ("", "null")):
        # a value written in a shell has lost its quotes, which Hydra's grammar wants around all but plain words
        quoted_value = quote_value(value)
        if key == "text":
            quoted_value = quoted_value.replace("${", "\\${")  # a text has no variables
        return f"{key}={quoted_value}"
    return _as_addition(word)


def _as_addition(word: str) -> str:
    """Let an open group take a new name."""
    key = word.partition("=")[0]
    return f"++{word}" if key.split(".")[0] in OPEN_GROUPS and "." in key else word


def quote_value(text: str) -> str:
    """Quote a text for Hydra's override grammar."""
    escaped = re.sub(r"(\\*)('|$)", lambda match: match[1] * 2 + match[2].replace("'", "\\'"), text)
    return f"'{escaped}'"


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """A command's own words, and those for Hydra itself, such as ``hydra/launcher=joblib``."""
    hydras = [word for word in words if re.match(r"[+~]*hydra[./]", word)]
    return [word for word in words if word not in hydras], hydras


def sweep_commands(verb: str, model: type[BaseModel], words: Sequence[str]) -> list[tuple[str, ...]]:
    """The commands that a sweep's words stand for: all combinations of their values, the last word's changing first.

    Args:
        verb: what is swept.
        model: its request.
        words: in Hydra's grammar: commas separate values, ``range(1,4)`` stands for three, quotes hold one together.

    Returns:
        Words of each command, as `request` takes them.

    Raises:
        UserError: a word is not understood.
    """
    try:
        with initialize_config_dir(str(CONF), version_base=None, job_name=verb):
            parser = OverridesParser.create(GlobalHydra.instance().config_loader())
            overrides = parser.parse_overrides([_as_addition(word) for word in words])
            choices = [
                _values(word, override, verbatim(model)) for word, override in zip(words, overrides, strict=True)
            ]
    except HydraException as error:
        raise UserError(
            f"the options of {verb} are not understood: {str(error).splitlines()[0]}",
            remedy="Separate values to sweep by commas, and write quotes around any other value that has one",
        ) from error
    return list(itertools.product(*choices))


def _values(word: str, override: Override, texts: Set[str]) -> list[str]:
    """A word for each of its values."""
    key = word.partition("=")[0]
    many = override.is_sweep_override()
    if key in texts:
        # quotes hold such a value together here and are no part of it
        return [f"{key}={_plain(value)}" for value in (override.sweep_iterator() if many else [override.value()])]
    return [f"{key}={value}" for value in override.sweep_string_iterator()] if many else [word]


def _plain(value: object) -> str:
    return "null" if value is None else value.text if isinstance(value, QuotedString) else str(value)


def find_misread_word(verb: str, words: Sequence[str], error: Exception) -> UserError:
    """Find the override that Hydra rejected and suggest the name that was probably meant."""
    text = str(error)
    known_groups = config_groups()
    for word in words:
        key, _, value = word.lstrip("+~").partition("=")
        if key in known_groups and value not in known_groups[key]:
            return UnknownNameError(key, value, known_groups[key])
    known_keys = _keys(OmegaConf.to_container(compose_tree(verb, []), resolve=False))
    for word in words:
        key = word.lstrip("+~").partition("=")[0]
        if key not in known_keys and key not in known_groups and not re.match(r"options\.", key):
            meant = nearest(key, known_keys)
            remedy = f"Did you mean '{meant}'? See lipbench {verb} --help" if meant else f"See lipbench {verb} --help"
            return UserError(f"{verb} has no option '{key}'", remedy=remedy)
    if text.startswith("Ambiguous value"):
        return UserError(
            text.splitlines()[0], remedy="Write --multirun for a job with each value, or brackets for a list: [a,b]"
        )
    first = (text.splitlines() or [type(error).__name__])[0]
    return UserError(f"the options of {verb} are not understood: {first}", remedy=f"See lipbench {verb} --help")


def _keys(tree: Any, prefix: str = "") -> list[str]:
    keys: list[str] = []
    for key, value in tree.items():
        name = f"{prefix}{key}"
        keys.append(name)
        if isinstance(value, dict):
            keys.extend(_keys(value, f"{name}."))
    return keys
