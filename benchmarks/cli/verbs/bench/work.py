"""`lipbench bench`: the latency sweep and the quality of every model, without pytest."""

from __future__ import annotations

import logging
from pathlib import Path

from lipbench.benchmarks.cells.plan import (
    Block,
    Timed,
    bench_quality_cell,
    blocks,
    latency_cell,
    latency_cells,
    model_names,
    natural_cell,
    quality_cells,
)
from lipbench.benchmarks.cells.runner import run_cell
from lipbench.benchmarks.cli.console import describe, figures, natural_line, refuse_failures, table
from lipbench.benchmarks.cli.progress import bar, on_terminal
from lipbench.benchmarks.config.requests import Bench
from lipbench.benchmarks.latency.passes import fits, has_samples, measured_again
from lipbench.benchmarks.sweep import Sweep
from lipbench.errors import UserError
from lipbench.locks import held
from lipbench.processes import LostProcessError, in_fresh_process
from lipbench.records.files import load_record, record_path
from lipbench.records.record import Record
from lipbench.records.run_folder import records_folder

log = logging.getLogger(__name__)


def run(request: Bench) -> None:
    """Measure all cells, and print one line for each; the same command again goes on where it stopped."""
    sweep = Sweep(request, progress=on_terminal())
    sweep.check()
    try:
        with held(claims(request)):
            records = _measured(sweep, request)
    finally:
        sweep.close()
    for line in table(records):
        print(line)
    print(f"records: {request.out / 'records'}   (lipbench report {request.out})")
    refuse_failures(records)


def claims(request: Bench) -> list[Path]:
    """All records of the run."""
    return [records_folder(request.out)]


def _measured(sweep: Sweep, request: Bench) -> list[Record]:
    begun: set[Timed] = set()
    timed: dict[Timed, Record] = {}
    for block in blocks(request):
        fresh = {cell for cell in block.cells if request.again and cell not in begun}
        begun |= fresh
        timed |= _block(sweep, request, block, fresh)
    records = [timed[cell] for cell in latency_cells(request)]
    for scored in quality_cells(request) if request.quality else []:
        with bar(scored.system, len(sweep.ids)) as shown:
            cell = bench_quality_cell(request, scored)
            records.append(
                run_cell(cell, request.out, lambda s=scored, a=shown.advance: sweep.score(s, a), request=sweep.asked)
            )
        print(describe(records[-1]), flush=True)
    for model in model_names(request):
        for timer in request.natural:
            cell = natural_cell(request, model, timer, sweep.device.type)
            records.append(
                run_cell(cell, request.out, lambda m=model, t=timer: sweep.natural(m, t), request=sweep.asked)
            )
            print(natural_line(records[-1]), flush=True)
    return records


def _block(sweep: Sweep, request: Bench, block: Block, anew: set[Timed]) -> dict[Timed, Record]:
    """Measure one block, here or in a process of its own, and print its cells."""
    found: dict[Timed, Record] = {}
    missing: list[Timed] = []
    for cell in block.cells:
        old = None if cell in anew else standing(sweep, cell)
        if old is not None and fits(old, block.number):
            found[cell] = old
        else:
            missing.append(cell)
    for cell in found:
        log.info("%s: pass %d is there already", cell, block.number + 1)
    if not request.isolate:
        for cell in missing:
            found[cell] = _measure(sweep, cell, block.number)
            print(figures(found[cell]), flush=True)
        return found
    if missing:
        sweep.train([cell.model for cell in missing])
        lost: LostProcessError | None = None
        try:
            in_fresh_process(measure_cells, request, missing, block.number)
        except LostProcessError as error:
            lost = error
        for cell in missing:
            found[cell] = _after(sweep, cell, block.number, lost)
            print(figures(found[cell]), flush=True)
    return found


def measure_cells(request: Bench, cells: list[Timed], number: int) -> None:
    """Measure some cells in this process and write their records."""
    sweep = Sweep(request, progress=False)
    for cell in cells:
        _measure(sweep, cell, number)


def _measure(sweep: Sweep, timed: Timed, number: int) -> Record:
    old = standing(sweep, timed) if number else None
    cell, out = latency_cell(sweep.request, timed, sweep.device.type), sweep.request.out
    return run_cell(
        cell, out, lambda: measured_again(old, lambda: sweep.time(timed, later=has_samples(old))), request=sweep.asked
    )


def _after(sweep: Sweep, timed: Timed, number: int, lost: LostProcessError | None) -> Record:
    """The record that a process left, or that of its loss."""
    old = standing(sweep, timed)
    if old is not None and fits(old, number):
        return old

    def gone() -> None:
        raise lost or LostProcessError("the process that measured left no record of this cell")

    return run_cell(
        latency_cell(sweep.request, timed, sweep.device.type),
        sweep.request.out,
        lambda: measured_again(old, gone),
        request=sweep.asked,
    )


def standing(sweep: Sweep, timed: Timed) -> Record | None:
    """A cell's record, if it was made by the same code on the same machine for the same request."""
    path = record_path(latency_cell(sweep.request, timed, sweep.device.type), sweep.request.out)
    if not path.is_file():
        return None
    try:
        record = load_record(path)
    except UserError as error:
        log.warning("measured again: %s", error)
        return None
    return record if sweep.holds(record) else None
