"""What scoring a corpus' test clips costs, in time and in memory: every metric but those of Inception, faces included.

They need a prepared GRID: ``pytest benchmarks/internals/bench_scoring.py --lipbench-store=prepared/grid``. What is
scored is a control at the paper's 160 x 80, so that no model's own time is in it: a blurred clip, no picture of which
is one of the real clip, as with a model. Real and generated side are both looked at; of a second system only the
generated one would be. Targets stand beside the figures in `extra_info` and are not asserted: a time says as much about
the machine's other work.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from lipbench.benchmarks.latency.resources import peak_resident
from lipbench.processes import run_in_subprocess

CONTROL = "blur"
INCEPTION = ("fid", "kid")
CLIPS = (25, 50, None)
"""None: all of them."""
TARGETS = {"seconds": 180.0, "added_mib": 1024.0}
MIB = 2.0**20


class ScoringCost(NamedTuple):
    """What scoring some clips cost."""

    clips: int
    metrics: int
    seconds: float
    """Wall time from the opened corpus to the record, start of the worker processes included."""
    cpu_seconds: float
    """Of this process and its workers."""
    imported: int | None
    """Largest resident bytes before the first clip."""
    peak: int | None
    """Largest resident bytes of the process that scores."""
    worker_peak: int | None
    """The same of its largest worker; None where the system does not say."""


def _score(store: Path, limit: int | None) -> ScoringCost:
    """Score one control; in a process of its own, as its peak of memory is read."""
    from lipbench import corpora, metrics
    from lipbench.benchmarks.scoring import scorer
    from lipbench.benchmarks.scoring.clips import choose_utterances
    from lipbench.corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH

    corpus = corpora.create("grid", store=store)
    scoring = scorer.Scoring(
        corpus=corpus,
        corpus_options={"store": str(store)},
        ids=choose_utterances(corpus, "test", limit),
        split="test",
        protocol="paper",
        metrics=tuple(name for name in metrics.METRICS.names() if name not in INCEPTION),
    )
    import_peak = peak_resident()
    began, cpu = time.perf_counter(), _cpu_seconds()
    with scorer.Scorer(scoring) as control_scorer:
        quality = control_scorer.control(CONTROL, frame_size=(FRAME_HEIGHT, FRAME_WIDTH), durations="predicted")
        seconds = time.perf_counter() - began
        workers = multiprocessing.active_children()
        peaks = [peak_resident(Path(f"/proc/{worker.pid}/status")) for worker in workers]
    # what a worker took is known when it has been waited for
    for worker in workers:
        worker.join()
    return ScoringCost(
        clips=len(quality.clips),
        metrics=len(quality.metrics),
        seconds=seconds,
        cpu_seconds=_cpu_seconds() - cpu,
        imported=import_peak,
        peak=peak_resident(),
        worker_peak=max((peak for peak in peaks if peak is not None), default=None),
    )


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Path:
    """A prepared GRID."""
    folder = request.config.getoption("--lipbench-store")
    if not folder:
        pytest.skip("needs a prepared GRID: give --lipbench-store=STORE")
    return Path(folder)


@pytest.mark.parametrize("limit", CLIPS, ids=["25", "50", "all"])
def bench_scoring(benchmark: BenchmarkFixture, store: Path, limit: int | None) -> None:
    """More and more clips: memory must not grow with their number."""
    cost: ScoringCost = benchmark.pedantic(run_in_subprocess, args=(_score, store, limit), rounds=1)
    assert cost.clips > 0
    assert cost.imported is not None
    assert cost.peak is not None
    benchmark.extra_info.update(
        clips=cost.clips,
        metrics=cost.metrics,
        seconds=cost.seconds,
        cpu_seconds_per_clip=cost.cpu_seconds / cost.clips,
        imported_mib=cost.imported / MIB,
        added_mib=(cost.peak - cost.imported) / MIB,
        worker_mib=None if cost.worker_peak is None else cost.worker_peak / MIB,
        targets=TARGETS,
        load=os.getloadavg(),
    )
