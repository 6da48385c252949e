"""`lipbench show`: draw one utterance of a corpus."""

from __future__ import annotations

from pathlib import Path

from lipbench import corpora
from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import CorpusChoice, Request, Text
from lipbench.errors import UserError
from lipbench.files import write_atomic


class ShowRequest(Request):
    """`lipbench show`."""

    corpus: CorpusChoice
    utterance: Text | None
    out: Path


def run(request: ShowRequest) -> None:
    """Draw it, and print where the picture lies."""
    from lipbench.corpora.plot import plot_utterance

    corpus = corpora.create(request.corpus.name, **request.corpus.options)
    utterance = corpus.load(request.utterance or next(iter([*corpus.ids("test"), *corpus.ids("train")]), ""))
    try:
        write_atomic(request.out, plot_utterance(utterance))
    except OSError as error:
        raise UserError(
            f"{request.out} cannot be written: {error.strerror}", remedy="Give another place: out=PATH"
        ) from error
    print(f"{utterance.id}: {request.out}")


VERB = Verb(
    summary="draw one utterance: frames with landmarks, tokens and lip opening over time",
    examples=(
        "lipbench show                                     # the synthetic corpus",
        "lipbench show corpus=grid utterance=s1/bbaf5a out=bbaf5a.png",
    ),
    place=30,
    request=ShowRequest,
    run=run,
)
