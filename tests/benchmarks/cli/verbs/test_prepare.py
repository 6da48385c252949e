"""`lipbench prepare`, from the command line to the store."""

import pytest

from lipbench import corpora
from lipbench.benchmarks.cli.main import main
from lipbench.errors import UserError


def test_what_is_written_wins_over_the_corpus_file(tmp_path):
    words = ("corpus.train=1", "corpus.test=1", "corpus.speakers=1", "corpus.seconds=[0.3,0.3]")
    store = f"corpus.store={tmp_path / 'store'}"
    assert main(["prepare", "corpus=synthetic", *words, store, "tokens=phones", "seed=3", "workers=0"]) == 0
    options = {"train": 1, "test": 1, "speakers": 1, "seconds": [0.3, 0.3], "store": tmp_path / "store"}
    made = corpora.create("synthetic", **options, tokens="phones", seed=3)
    assert made.load(made.ids("train")[0]).tokens[0] == "sil"
    with pytest.raises(UserError, match="tokens=phones"):
        corpora.create("synthetic", **options)
