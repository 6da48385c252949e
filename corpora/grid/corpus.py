"""The prepared GRID corpus, read from its store."""

from __future__ import annotations

from pathlib import Path

from lipbench.corpora.grid.vocabulary import WORDS
from lipbench.corpora.store import Store
from lipbench.corpora.stored import FilmedCorpus, store_folder
from lipbench.corpora.tokens import CHARACTERS, PHONES


def open_grid(store: str | Path) -> FilmedCorpus:
    """Open the prepared corpus. Ids are talker and file code, such as "s1/bbaf2n".

    Its tokens are what it was prepared with: characters, words or phones.

    Args:
        store: the folder that ``lipbench prepare corpus=grid root=FOLDER`` wrote.

    Raises:
        UserError: `store` is no path, there is no such store, or its preparation has not finished.
    """
    grid_store = Store(store_folder(store), "grid")
    symbols = {"words": WORDS, "phones": PHONES}.get(str(grid_store.manifest.options.get("tokens")), CHARACTERS)
    return FilmedCorpus(grid_store, symbols)
