"""`lipbench bench`: the latency sweep and the quality of every model, without pytest."""

from __future__ import annotations

import logging

from lipbench.benchmarks.cells.plan import (
    CellBlock,
    LatencyTask,
    cell_blocks,
    latency_cell,
    latency_cells,
    model_names,
    natural_cell,
    quality_cells,
    quality_task_cell,
)
from lipbench.benchmarks.cells.runner import run_cell
from lipbench.benchmarks.cli.console import fit_table, latency_line, quality_line, raise_on_failures, utterance_line
from lipbench.benchmarks.cli.progress import on_terminal, show_progress
from lipbench.benchmarks.cli.verbs.bench import claims
from lipbench.benchmarks.config.requests import BenchRequest
from lipbench.benchmarks.latency.passes import add_pass, has_samples, is_pass_done
from lipbench.benchmarks.sweep import Sweep
from lipbench.errors import UserError
from lipbench.locks import hold
from lipbench.processes import LostProcessError, run_in_subprocess
from lipbench.records.files import load_record, record_path
from lipbench.records.record import Record

log = logging.getLogger(__name__)


def run(request: BenchRequest) -> None:
    """Measure all cells, and print one line for each; the same command again goes on where it stopped."""
    sweep = Sweep(request, progress=on_terminal())
    sweep.check()
    try:
        with hold(claims(request)):
            records = _measure_all(sweep, request)
    finally:
        sweep.close()
    for line in fit_table(records):
        print(line)
    print(f"records: {request.out / 'records'}   (lipbench report {request.out})")
    raise_on_failures(records)


def _measure_all(sweep: Sweep, request: BenchRequest) -> list[Record]:
    begun: set[LatencyTask] = set()
    timed: dict[LatencyTask, Record] = {}
    for block in cell_blocks(request):
        fresh = {cell for cell in block.cells if request.again and cell not in begun}
        begun |= fresh
        timed |= _block(sweep, request, block, fresh)
    records = [timed[cell] for cell in latency_cells(request)]
    for scored in quality_cells(request) if request.quality else []:
        with show_progress(scored.system, len(sweep.ids)) as shown:
            cell = quality_task_cell(request, scored)
            records.append(
                run_cell(
                    cell,
                    request.out,
                    lambda s=scored, a=shown.on_progress: sweep.score(s, a),
                    request=sweep.request_fields,
                )
            )
        print(quality_line(records[-1]), flush=True)
    for model in model_names(request):
        for timer in request.natural:
            cell = natural_cell(request, model, timer, sweep.device.type)
            records.append(
                run_cell(
                    cell,
                    request.out,
                    lambda m=model, t=timer: sweep.time_utterances(m, t),
                    request=sweep.request_fields,
                )
            )
            print(utterance_line(records[-1]), flush=True)
    return records


def _block(sweep: Sweep, request: BenchRequest, block: CellBlock, anew: set[LatencyTask]) -> dict[LatencyTask, Record]:
    """Measure one block, here or in a process of its own, and print its cells."""
    found: dict[LatencyTask, Record] = {}
    missing: list[LatencyTask] = []
    for cell in block.cells:
        old = None if cell in anew else current_record(sweep, cell)
        if old is not None and is_pass_done(old, block.number):
            found[cell] = old
        else:
            missing.append(cell)
    for cell in found:
        log.info("%s: pass %d is there already", cell, block.number + 1)
    if not request.isolate:
        for cell in missing:
            found[cell] = _measure(sweep, cell, block.number)
            print(latency_line(found[cell]), flush=True)
        return found
    if missing:
        sweep.train([cell.model for cell in missing])
        lost: LostProcessError | None = None
        try:
            run_in_subprocess(measure_cells, request, missing, block.number)
        except LostProcessError as error:
            lost = error
        for cell in missing:
            found[cell] = _record_after_process(sweep, cell, block.number, lost)
            print(latency_line(found[cell]), flush=True)
    return found


def measure_cells(request: BenchRequest, cells: list[LatencyTask], number: int) -> None:
    """Measure some cells in this process and write their records."""
    sweep = Sweep(request, progress=False)
    for cell in cells:
        _measure(sweep, cell, number)


def _measure(sweep: Sweep, timed: LatencyTask, number: int) -> Record:
    old = current_record(sweep, timed) if number else None
    cell, out = latency_cell(sweep.request, timed, sweep.device.type), sweep.request.out
    return run_cell(
        cell,
        out,
        lambda: add_pass(old, lambda: sweep.time(timed, later=has_samples(old))),
        request=sweep.request_fields,
    )


def _record_after_process(sweep: Sweep, timed: LatencyTask, number: int, lost: LostProcessError | None) -> Record:
    """The record that a process left, or that of its loss."""
    old = current_record(sweep, timed)
    if old is not None and is_pass_done(old, number):
        return old

    def gone() -> None:
        raise lost or LostProcessError("the process that measured left no record of this cell")

    return run_cell(
        latency_cell(sweep.request, timed, sweep.device.type),
        sweep.request.out,
        lambda: add_pass(old, gone),
        request=sweep.request_fields,
    )


def current_record(sweep: Sweep, timed: LatencyTask) -> Record | None:
    """A cell's record, if it was made by the same code on the same machine for the same request."""
    path = record_path(latency_cell(sweep.request, timed, sweep.device.type), sweep.request.out)
    if not path.is_file():
        return None
    try:
        record = load_record(path)
    except UserError as error:
        log.warning("measured again: %s", error)
        return None
    return record if sweep.is_current(record) else None
