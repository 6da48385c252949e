"""Errors that the user can fix; each message ends with a remedy.

Every room raises `UserError` (or a subclass) for bad input; only the command line catches it and prints one line.
Anything else that escapes is a defect of lipbench and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class UserError(Exception):
    """Input that cannot work.

    Args:
        problem: what is wrong, in one sentence without a full stop.
        remedy: how to mend it, in one sentence without a full stop.
    """

    def __init__(self, problem: str, *, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}.")
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        # an exception is unpickled by calling its class with its message, which no constructor of this family takes;
        # without this, one raised in a worker process would break the whole pool
        return _revive, (type(self), self.args), self.__dict__.copy()


def _revive(kind: type[UserError], args: tuple[object, ...]) -> UserError:
    return kind.__new__(kind, *args)


class UnknownNameError(UserError):
    """A name that is in no table; the message offers the nearest one and lists all."""

    def __init__(self, kind: str, name: str, known_names: Iterable[str]) -> None:
        super().__init__(f"there is no {kind} named '{name}'", remedy=suggest(name, known_names))


def suggest(name: str, known_names: Iterable[str]) -> str:
    """Say which known name was probably meant, then all of them.

    Args:
        name: what was written.
        known_names: the names that exist.

    Returns:
        A sentence without a full stop, such as ``Did you mean 'grid'? Known: grid, synthetic``.
    """
    names = sorted(known_names)
    meant = nearest(name, names)
    listing = f"Known: {', '.join(names)}" if names else "None is registered"
    return f"Did you mean '{meant}'? {listing}" if meant else listing


def nearest(name: str, known_names: Iterable[str]) -> str | None:
    """The known name that was probably meant, or None if none is near."""
    near = difflib.get_close_matches(name, list(known_names), n=1, cutoff=0.5)
    return near[0] if near else None
