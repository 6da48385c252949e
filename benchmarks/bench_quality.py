"""Quality of every model and control on the test clips; pytest-benchmark's time is that of scoring all of them once."""

from __future__ import annotations

import statistics

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from lipbench.benchmarks.cells.plan import QualityTask, quality_task_cell
from lipbench.benchmarks.cells.runner import run_cell
from lipbench.benchmarks.sweep import Sweep
from lipbench.records.quality import Quality


@pytest.mark.benchmark(group="quality", warmup=False)
def bench_quality(benchmark: BenchmarkFixture, sweep: Sweep, quality_task: QualityTask) -> None:
    """Score one system."""

    def measure() -> Quality:
        if quality_task.kind == "model":
            sweep.loaded_model(quality_task.system)  # training is no part of scoring
        return benchmark.pedantic(lambda: sweep.score(quality_task), rounds=1, iterations=1)

    record = run_cell(
        quality_task_cell(sweep.request, quality_task), sweep.request.out, measure, request=sweep.request_fields
    )
    benchmark.extra_info["status"] = record.status
    if isinstance(record.result, Quality):
        for facts in record.result.metrics:
            values = record.result.values(facts.name)
            benchmark.extra_info[facts.name] = statistics.fmean(values) if values else None
    if record.failure is not None:
        pytest.fail(f"{record.failure.type}: {record.failure.message}", pytrace=False)
