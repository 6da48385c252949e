"""A prepared corpus, read from its store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lipbench.corpora.placement import Placement
from lipbench.corpora.store import Store
from lipbench.corpora.utterance import Split, Utterance
from lipbench.errors import UserError


class StoredCorpus:
    """A corpus as `lipbench prepare` left it. Follows `lipbench.corpora.utterance.Corpus`.

    Args:
        store: the open store.
        symbols: every token symbol that an utterance of it may hold, in a stable order.
    """

    def __init__(self, store: Store, symbols: tuple[str, ...]) -> None:
        self._store = store
        self._symbols = symbols
        self._fingerprint = store.manifest.fingerprint

    @property
    def name(self) -> str:
        """Registry name."""
        return self._store.manifest.corpus

    @property
    def folder(self) -> Path:
        """Where the store is."""
        return self._store.folder

    @property
    def fps(self) -> float:
        """Frames per second of every utterance."""
        return self._store.manifest.fps

    @property
    def fingerprint(self) -> str:
        """Hex digest of the preparation's options and of every clip's content and split."""
        return self._fingerprint

    @property
    def options(self) -> dict[str, Any]:
        """How it was prepared: everything that changes its content."""
        return dict(self._store.manifest.options)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every token symbol that an utterance may hold, in a stable order."""
        return self._symbols

    def ids(self, split: Split) -> list[str]:
        """Ids of a split, sorted."""
        return self._store.manifest.ids(split)

    def load(self, utterance_id: str) -> Utterance:
        """Read one utterance.

        Raises:
            UserError: there is none of this id, or its file cannot be read.
        """
        return self._store.utterance(utterance_id)


class FilmedCorpus(StoredCorpus):
    """A stored corpus whose crops were cut out of faces; see `StoredCorpus` for its arguments."""

    def placement(self, utterance_id: str) -> Placement:
        """Read the first face frame of an utterance and where its crops came from.

        Raises:
            UserError: there is none of this id, or its file cannot be read.
        """
        return self._store.placement(utterance_id)


def store_folder(store: object) -> Path:
    """The `store` option as a path.

    Raises:
        UserError: it is none.
    """
    if not isinstance(store, (str, Path)):
        raise UserError(
            f"store={store} is no folder", remedy="Give the folder that preparation wrote, as in store=FOLDER"
        )
    return Path(store)
