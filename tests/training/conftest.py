"""A corpus small enough to train on in a test."""

from __future__ import annotations

import pytest

from lipbench.corpora.synthetic.corpus import SyntheticCorpus


@pytest.fixture(scope="session")
def corpus() -> SyntheticCorpus:
    return SyntheticCorpus(train=4, test=2, speakers=2, seconds=(0.6, 0.9))
