"""The synthetic corpus into a store, and out of one: what is stored loads equal to what is drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lipbench.corpora.preparation.clip import Candidate, PreparedClip
from lipbench.corpora.preparation.run import SourceCorpus
from lipbench.corpora.store import Store
from lipbench.corpora.stored import StoredCorpus, store_folder
from lipbench.corpora.synthetic.corpus import SyntheticCorpus, Tokens
from lipbench.corpora.utterance import Corpus, Split
from lipbench.errors import UserError


def find_synthetic(
    *,
    seed: int | None = None,
    train: int | None = None,
    test: int | None = None,
    speakers: int | None = None,
    seconds: Sequence[float] | None = None,
    fps: float | None = None,
    noise: float | None = None,
    tokens: Tokens | None = None,
) -> SourceCorpus:
    """Say what a synthetic corpus holds, for `lipbench.corpora.preparation.run.prepare`.

    Args:
        seed: these are the options of `SyntheticCorpus`; None takes its own default.
        train: likewise.
        test: likewise.
        speakers: likewise.
        seconds: likewise.
        fps: likewise.
        noise: likewise.
        tokens: likewise.

    Raises:
        UserError: an option is out of range or of the wrong kind.
    """
    corpus = _make_corpus(
        seed=seed, train=train, test=test, speakers=speakers, seconds=seconds, fps=fps, noise=noise, tokens=tokens
    )
    splits: tuple[Split, ...] = ("train", "test")
    clips = [_candidate(corpus, name, split) for split in splits for name in corpus.ids(split)]
    return SourceCorpus(
        corpus=corpus.name,
        fps=corpus.fps,
        options=corpus.options,
        layout="drawn by seed, nothing to download",
        clips=tuple(clips),
    )


def open_synthetic(
    *,
    store: str | Path | None = None,
    seed: int | None = None,
    train: int | None = None,
    test: int | None = None,
    speakers: int | None = None,
    seconds: Sequence[float] | None = None,
    fps: float | None = None,
    noise: float | None = None,
    tokens: Tokens | None = None,
) -> Corpus:
    """Open the synthetic corpus, drawn on the fly or from a store.

    Args:
        store: the folder that ``lipbench prepare corpus=synthetic`` wrote; None draws each utterance when it is loaded.
        seed: these are the options of `SyntheticCorpus`; None takes its own default.
        train: likewise.
        test: likewise.
        speakers: likewise.
        seconds: likewise.
        fps: likewise.
        noise: likewise.
        tokens: likewise.

    Raises:
        UserError: an option is out of range or of the wrong kind, there is no such store, or it holds a synthetic
            corpus of other options.
    """
    corpus = _make_corpus(
        seed=seed, train=train, test=test, speakers=speakers, seconds=seconds, fps=fps, noise=noise, tokens=tokens
    )
    if store is None:
        return corpus
    synthetic_store = Store(store_folder(store), corpus.name)
    stored_options = synthetic_store.manifest.options
    different = [name for name, value in corpus.options.items() if stored_options.get(name) != value]
    if different:
        facts = ", ".join(
            f"{name}={stored_options.get(name)} (asked for: {corpus.options[name]})" for name in different
        )
        raise UserError(
            f"{synthetic_store.folder} holds a synthetic corpus with {facts}",
            remedy="Ask for what it holds, or prepare another store",
        )
    return StoredCorpus(synthetic_store, corpus.symbols)


def _make_corpus(**options: Any) -> SyntheticCorpus:
    return SyntheticCorpus(**{name: value for name, value in options.items() if value is not None})


def _candidate(corpus: SyntheticCorpus, name: str, split: Split) -> Candidate:
    digest = hashlib.sha256(f"{corpus.fingerprint} {name}".encode()).hexdigest()
    return Candidate(
        id=name,
        speaker=name.partition("/")[0],
        split=split,
        make=partial(_make, corpus, name),
        digest=lambda: digest,
    )


def _make(corpus: SyntheticCorpus, name: str) -> PreparedClip:
    return PreparedClip(utterance=corpus.load(name), placement=None)
