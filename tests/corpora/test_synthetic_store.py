"""The synthetic corpus, stored: equal to what is drawn."""

import numpy as np
import pytest

from lipbench import corpora
from lipbench.corpora.manifest import StoreError
from lipbench.corpora.preparation.run import prepare
from lipbench.corpora.store import Store
from lipbench.corpora.synthetic.corpus import SyntheticCorpus
from lipbench.corpora.synthetic.preparation import find_synthetic
from lipbench.errors import UserError

OPTIONS = {
    "seed": 5,
    "train": 3,
    "test": 2,
    "speakers": 2,
    "seconds": [0.3, 0.6],
    "fps": 30000 / 1001,
    "noise": 0.01,
    "tokens": "phones",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    summary = prepare(find_synthetic(**OPTIONS), folder, workers=0)
    assert (summary.done, summary.skipped, summary.train, summary.test, summary.seen) == (5, {}, 3, 2, 0)
    return folder


def test_what_is_stored_loads_equal_to_what_is_drawn(store):
    drawn = SyntheticCorpus(**OPTIONS)
    stored = corpora.create("synthetic", store=store, **OPTIONS)
    assert (stored.name, stored.fps, stored.symbols) == (drawn.name, drawn.fps, drawn.symbols)
    for split in ("train", "test"):
        assert stored.ids(split) == drawn.ids(split)
        for name in drawn.ids(split):
            one, other = stored.load(name), drawn.load(name)
            for part, value in vars(other).items():
                np.testing.assert_array_equal(getattr(one, part), value, err_msg=part)


def test_without_a_store_it_is_drawn():
    assert isinstance(corpora.create("synthetic", **OPTIONS), SyntheticCorpus)
    assert corpora.create("synthetic").fingerprint == SyntheticCorpus().fingerprint


def test_other_options_are_another_store(store):
    with pytest.raises(StoreError, match=r"noise=0\.01.*; now .*noise=0\.0"):
        prepare(find_synthetic(**{**OPTIONS, "noise": 0.0}), store, workers=0)
    with pytest.raises(UserError, match=r"seed=5 \(asked for: 6\)"):
        corpora.create("synthetic", store=store, **{**OPTIONS, "seed": 6})


def test_a_drawn_mouth_was_never_part_of_a_face(store):
    stored = corpora.create("synthetic", store=store, **OPTIONS)
    assert not hasattr(stored, "placement"), "whoever needs faces asks for this first"
    with pytest.raises(StoreError, match="never part of a face"):
        Store(store, "synthetic").placement(stored.ids("train")[0])
