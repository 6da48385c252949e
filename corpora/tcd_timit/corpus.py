"""The prepared TCD-TIMIT corpus, read from its store."""

from __future__ import annotations

from pathlib import Path

from lipbench.corpora.store import Store
from lipbench.corpora.stored import FilmedCorpus, store_folder
from lipbench.corpora.tcd_timit.labels import PHONES


def open_tcd_timit(store: str | Path) -> FilmedCorpus:
    """Open the prepared corpus. Ids are speaker and sentence, such as "01M/sa1"; an utterance's text is its phones.

    Args:
        store: the folder that ``lipbench prepare corpus=tcd_timit root=FOLDER`` wrote.

    Raises:
        UserError: `store` is no path, there is no such store, or its preparation has not finished.
    """
    return FilmedCorpus(Store(store_folder(store), "tcd_timit"), PHONES)
