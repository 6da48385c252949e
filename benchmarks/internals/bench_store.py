"""How long it takes to load one utterance from a prepared store, chosen at random, from a warm disk.

They need a GRID download: ``pytest benchmarks/internals/bench_store.py --lipbench-grid=ROOT``. The target stands beside
the figures in `extra_info`; nothing timed is asserted.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from lipbench.corpora.grid.corpus import open_grid
from lipbench.corpora.preparation.run import SourceCorpus, prepare
from lipbench.corpora.stored import StoredCorpus

CLIPS = 16
"""Clips in the store: 50 MB."""


@pytest.fixture(scope="module")
def corpus(grid: SourceCorpus, tmp_path_factory: pytest.TempPathFactory) -> StoredCorpus:
    """A store of a few clips, just written, so the disk is warm."""
    usable = tuple(clip for clip in grid.clips if clip.split and clip.labelled)[:CLIPS]
    store = tmp_path_factory.mktemp("store")
    prepare(replace(grid, clips=usable), store)
    return open_grid(store)


def bench_random_access(benchmark: BenchmarkFixture, corpus: StoredCorpus) -> None:
    """Load one utterance: open its file, read it, check it."""
    names = [*corpus.ids("train"), *corpus.ids("test")]
    rng = random.Random(0)
    utterance = benchmark.pedantic(corpus.load, setup=lambda: ((rng.choice(names),), {}), rounds=200, warmup_rounds=20)
    benchmark.extra_info.update(clips=len(names), target_ms=5.0, frames=len(utterance.frames), load=os.getloadavg())


def bench_opening(benchmark: BenchmarkFixture, corpus: StoredCorpus) -> None:
    """Open the store: read its manifest."""
    folder = corpus.folder
    grid_corpus = benchmark.pedantic(open_grid, args=(folder,), rounds=20, warmup_rounds=2)
    benchmark.extra_info.update(
        clips=len(grid_corpus.ids("train")) + len(grid_corpus.ids("test")), load=os.getloadavg()
    )
