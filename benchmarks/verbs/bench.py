"""`lipbench bench`: the latency sweep and the quality of every model, without pytest."""

from __future__ import annotations

import statistics

from benchmarks.cells import latency_cells, quality_cells
from benchmarks.config import Bench
from benchmarks.progress import bar, on_terminal
from benchmarks.record import Latency, Record
from benchmarks.runner import run_cell
from benchmarks.summary import describe, refuse_failures
from benchmarks.sweep import Sweep


def run(request: Bench) -> None:
    """Measure all cells, and print one line for each."""
    sweep = Sweep(request, progress=on_terminal())
    sweep.check()
    try:
        records = _measured(sweep, request)
    finally:
        sweep.close()
    print(f"records: {request.out / 'records'}   (lipbench report {request.out})")
    refuse_failures(records)


def _measured(sweep: Sweep, request: Bench) -> list[Record]:
    records: list[Record] = []
    for model, frames in latency_cells(request):
        cell = sweep.latency_cell(model, frames)
        records.append(run_cell(cell, request.out, lambda m=model, f=frames: sweep.time(m, f), request=sweep.asked))
        print(_line(records[-1]), flush=True)
    for scored in quality_cells(request):
        with bar(scored.system, len(sweep.ids)) as shown:
            cell = sweep.quality_cell(scored)
            records.append(
                run_cell(cell, request.out, lambda s=scored, a=shown.advance: sweep.score(s, a), request=sweep.asked)
            )
        print(describe(records[-1]), flush=True)
    return records


def _line(record: Record) -> str:
    head = f"{record.cell.system:<16} {record.cell.frames:>4} frames"
    if record.failure is not None:
        return f"{head}   failed: {record.failure.type}: {record.failure.message}"
    assert isinstance(record.result, Latency)
    median = statistics.median(sample.wall_s for sample in record.result.samples)
    return f"{head}   median {median * 1000:.1f} ms over {len(record.result.samples)} rounds on {record.result.device}"
