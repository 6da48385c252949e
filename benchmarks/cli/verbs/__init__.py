"""What `lipbench` can do: each module here is a verb and declares one ``VERB``; a package where `run` needs more room.

A new verb is a module and its options' defaults in ``conf/VERB.yaml``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from typing import Any

from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import Request
from lipbench.errors import UnknownNameError


@cache
def verbs() -> dict[str, Verb[Any]]:
    """All verbs by name, in the order of their use."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    found = {name: importlib.import_module(f"{__name__}.{name}").VERB for name in names}
    return dict(sorted(found.items(), key=lambda item: item[1].place))


def get(name: str) -> Verb[Any]:
    """The verb of that name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in verbs():
        raise UnknownNameError("verb", name, verbs())
    return verbs()[name]


def request(name: str, words: Sequence[str]) -> Request:
    """What the words after a verb ask it to do.

    Raises:
        UserError: there is no such verb, or its words are not understood.
    """
    # Hydra is imported when there is something to compose
    from lipbench.benchmarks.config import composition

    return composition.request(name, get(name).request, words)
