"""`lipbench show`: draw one utterance of a corpus."""

from __future__ import annotations

from lipbench import corpora
from lipbench.benchmarks.config.requests import Show
from lipbench.corpora.plot import draw
from lipbench.errors import UserError
from lipbench.files import write_atomic


def run(request: Show) -> None:
    """Draw it, and print where the picture lies."""
    corpus = corpora.create(request.corpus.name, **request.corpus.options)
    utterance = corpus.load(request.utterance or next(iter([*corpus.ids("test"), *corpus.ids("train")]), ""))
    try:
        write_atomic(request.out, draw(utterance))
    except OSError as error:
        raise UserError(
            f"{request.out} cannot be written: {error.strerror}", remedy="Give another place: out=PATH"
        ) from error
    print(f"{utterance.id}: {request.out}")
