"""Corpora of talking mouths: what exists by name, and how to open one.

Example:
    >>> from lipbench import corpora
    >>> corpora.names()
    ['grid', 'synthetic', 'tcd_timit']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lipbench.errors import UnknownNameError, UserError
from lipbench.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from lipbench.corpora.preparation.run import SourceCorpus
    from lipbench.corpora.utterance import Corpus


CORPORA: Registry[Callable[..., Corpus]] = Registry(
    "corpus",
    {
        "grid": "lipbench.corpora.grid.corpus:open_grid",
        "synthetic": "lipbench.corpora.synthetic.preparation:open_synthetic",
        "tcd_timit": "lipbench.corpora.tcd_timit.corpus:open_tcd_timit",
    },
    group="lipbench.corpora",
)

PREPARATIONS: Registry[Callable[..., SourceCorpus]] = Registry(
    "corpus to prepare",
    {
        "grid": "lipbench.corpora.grid.preparation:find_grid",
        "synthetic": "lipbench.corpora.synthetic.preparation:find_synthetic",
        "tcd_timit": "lipbench.corpora.tcd_timit.preparation:find_tcd_timit",
    },
    group="lipbench.preparations",
)
"""Functions that find a corpus as downloaded, for `lipbench.corpora.preparation.run.prepare`."""


def names() -> list[str]:
    """Names of all corpora, sorted."""
    return CORPORA.names()


def create(name: str, **options: Any) -> Corpus:
    """Open a corpus.

    Args:
        name: a name from `names`, or ``path/to/file.py:factory``.
        options: what that corpus takes (`store` for a prepared one, `seed` and sizes for the synthetic one).

    Raises:
        UnknownNameError: there is no such corpus, or it has no such option.
        UserError: the corpus is not there or not readable, or an option is missing or of the wrong kind.
    """
    import inspect

    factory = CORPORA.get(name)
    parameters = inspect.signature(factory).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        for option in options:
            if option not in parameters:
                raise UnknownNameError(f"option of the corpus {name}", option, parameters)
    for option, parameter in parameters.items():
        optional = parameter.default is not parameter.empty
        if (
            not optional
            and option not in options
            and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        ):
            raise UserError(f"the corpus {name} needs the option {option}", remedy=f"Give {option}=…")
    return factory(**options)
