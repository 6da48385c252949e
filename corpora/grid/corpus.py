"""The prepared GRID corpus, read from its store."""

from __future__ import annotations

from pathlib import Path

from corpora.store import Placement, Store
from corpora.tokens import CHARACTERS
from corpora.utterance import Corpus, Split, Utterance
from models.errors import UserError


class GridCorpus:
    """GRID as `lipbench prepare corpus=grid` left it. Ids are talker and file code, such as "s1/bbaf2n".

    Args:
        store: the folder that preparation wrote.

    Raises:
        UserError: there is no such store, or its preparation has not finished.
    """

    def __init__(self, store: Path) -> None:
        self._store = Store(store, "grid")
        self._fingerprint = self._store.manifest.fingerprint

    @property
    def name(self) -> str:
        """Registry name."""
        return "grid"

    @property
    def fps(self) -> float:
        """Frames per second of every utterance."""
        return self._store.manifest.fps

    @property
    def fingerprint(self) -> str:
        """Hex digest of the preparation's options and of every clip's content and split."""
        return self._fingerprint

    @property
    def symbols(self) -> tuple[str, ...]:
        """Boundary and letters."""
        return CHARACTERS

    def ids(self, split: Split) -> list[str]:
        """Ids of a split, sorted."""
        return self._store.manifest.ids(split)

    def load(self, utterance_id: str) -> Utterance:
        """Read one utterance.

        Raises:
            UserError: there is none of this id, or its file cannot be read.
        """
        return self._store.utterance(utterance_id)

    def placement(self, utterance_id: str) -> Placement:
        """Read the first face frame of an utterance and where its crops came from.

        Raises:
            UserError: there is none of this id, or its file cannot be read.
        """
        return self._store.placement(utterance_id)


def open_grid(store: str | Path) -> Corpus:
    """Open the prepared corpus.

    Args:
        store: the folder that ``lipbench prepare corpus=grid root=FOLDER`` wrote.

    Raises:
        UserError: `store` is no path, there is no such store, or its preparation has not finished.
    """
    if not isinstance(store, (str, Path)):
        raise UserError(
            f"store={store} is no folder", remedy="Give the folder that preparation wrote, as in store=FOLDER"
        )
    return GridCorpus(Path(store))
