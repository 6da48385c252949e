"""Presets: named configurations, with options on top that are checked by name and type."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_type_hints

from lipbench.errors import UnknownNameError, UserError

C = TypeVar("C")


def resolve(model: str, presets: Mapping[str, C], preset: str, options: Mapping[str, Any]) -> C:
    """Take a preset and change some of its fields.

    Args:
        model: the model's name, for messages.
        presets: preset name to a frozen dataclass.
        preset: the one to start from.
        options: field name to new value; lists become tuples, whole floats become integers where asked for.

    Raises:
        UnknownNameError: there is no such preset or field.
        UserError: a value has the wrong type, or the fields do not fit together.
    """
    if preset not in presets:
        raise UnknownNameError(f"preset of {model}", preset, presets)
    base = presets[preset]
    hints = get_type_hints(type(base))
    changes: dict[str, Any] = {}
    for option, value in options.items():
        if option not in hints:
            raise UnknownNameError(f"option of {model}", option, hints)
        changes[option] = _fit(model, option, value, hints[option])
    try:
        return dataclasses.replace(base, **changes)  # pyright: ignore[reportArgumentType]
    except ValueError as error:
        raise UserError(f"the options of {model} do not fit together: {error}", remedy="Change one of them") from error


def _fit(model: str, option: str, value: Any, hint: Any) -> Any:
    """Bring a value as written on a command line to the field's type."""
    if isinstance(value, list):
        value = tuple(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    choices = get_args(hint)
    if choices and all(isinstance(choice, str) for choice in choices):
        if value not in choices:
            raise UnknownNameError(f"{option} of {model}", str(value), [str(choice) for choice in choices])
        return value
    kind = hint if isinstance(hint, type) else tuple
    fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if not fits:
        raise UserError(
            f"option {option} of {model} is {value!r}, which is not {getattr(hint, '__name__', hint)}",
            remedy="Give a value of that type",
        )
    return value
