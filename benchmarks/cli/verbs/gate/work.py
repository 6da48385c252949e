"""`lipbench gate`: measure two revisions in turn, or read what was measured, and decide."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from lipbench.benchmarks.cells.environment import machine
from lipbench.benchmarks.cells.plan import latency_cell, latency_cells, quality_cells, quality_task_cell
from lipbench.benchmarks.config.requests import GateRequest
from lipbench.benchmarks.gate import text, trends
from lipbench.benchmarks.gate.aa_run import AARun
from lipbench.benchmarks.gate.deciding import decide, interleaved, manifest
from lipbench.benchmarks.gate.deciding.manifest import MACHINE
from lipbench.benchmarks.gate.measuring import measure, revisions
from lipbench.benchmarks.gate.pairs import BlockPair, load_pairs
from lipbench.benchmarks.gate.verdict import Decision, Margins
from lipbench.errors import UserError
from lipbench.files import save_text
from lipbench.locks import hold_folder
from lipbench.records.files import load_records
from lipbench.records.record import Cell


def run(request: GateRequest) -> int:
    """Print the decision.

    Returns:
        The exit code: 0 pass, 1 fail, 2 not measured, 3 ambiguous.

    Raises:
        UserError: nothing could be measured, for a reason that the user can mend.
    """
    if request.selftest:
        return _self_test(request)
    if request.trends is not None:
        return _trends(request, request.trends)
    try:
        decision = _decision(request)
    except (Exception, KeyboardInterrupt) as error:
        if request.summary is not None:
            _append(request.summary, f"### gate: NOT MEASURED\n\n{_failure_text(error, request)}\n")
        raise
    # the file first: it is written even if the output cannot be printed
    if request.summary is not None:
        _append(request.summary, text.markdown(decision, strict=request.strict))
    print("\n".join(text.lines(decision, strict=request.strict)))
    return decision.exit_code(strict=request.strict)


def _failure_text(error: BaseException, request: GateRequest) -> str:
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return f"interrupted; the blocks in {request.out} are kept, and the same command goes on behind the last one"
    return f"an error of lipbench itself: {type(error).__name__}: {error}"


def _decision(request: GateRequest) -> Decision:
    if (request.base is None) == (request.base_records is None) or (request.base_records is None) != (
        request.head_records is None
    ):
        raise UserError(
            "the gate needs something to compare with, and one thing only",
            remedy="Write base=REVISION, or base_records=PATTERN and head_records=PATTERN",
        )
    if request.base_records is not None and request.head_records is not None:
        return _decide_stored(request, _folders(request.base_records), _folders(request.head_records))
    return _measure_and_decide(request)


def _decide_stored(request: GateRequest, base: Sequence[Path], head: Sequence[Path]) -> Decision:
    pairs = load_pairs(base, head)
    device = _device_of(pairs) if request.device == "auto" else request.device
    cells = expected_cells(request, device)
    chance = _chance(request, cells)
    if chance is not None:
        chance.check_measured(pairs)
    untimed = interleaved.interleaving_problem(pairs)
    if untimed is not None:
        untimed += ": such times are for trends (trends=…); times=false gates costs and quality alone"
    return decide.decide(cells, pairs, _rules(request, device, chance), times_problem=untimed)


def _measure_and_decide(request: GateRequest) -> Decision:
    from lipbench.benchmarks.cells.environment import pick_device
    from lipbench.benchmarks.sweep import Sweep

    # a wrong word is found before revisions are made ready
    Sweep(request, progress=False).check()
    if request.natural:
        raise UserError("the gate compares times at fixed lengths only", remedy="Leave natural=… out")
    device = pick_device(request.device).type
    cells = expected_cells(request, device)
    chance = _chance(request, cells)
    if chance is not None:
        # threads are those of the blocks' processes, which are known when one has ended
        chance.check_machine(machine(), fields=[field for field in MACHINE if field != "threads"])
    rules = _rules(request, device, chance)
    out = request.out.resolve()
    with hold_folder(out) as lock:
        base = revisions.prepare_revision("base", request.base, out / "revisions")
        head = revisions.prepare_revision("head", request.head, out / "revisions")
        measuring = measure.GateMeasurement(request, base, head, device=device, descriptors=[lock])
        scored, first = measuring.quality, measuring.pairs(1)
        if chance is not None:
            chance.check_measured(first)
        pairs = [scored, *first]
        cells += manifest.dropped_cells(cells, pairs)
        if request.looks == 1:
            decision = decide.decide(cells, pairs, rules)
        else:
            decision = decide.decide_in_two_looks(cells, pairs, lambda flagged: measuring.pairs(2, flagged), rules)
        revisions.remove_checkouts((base, head))
    return decision


def expected_cells(request: GateRequest, device: str) -> list[Cell]:
    """The manifest: every cell that the config asks for.

    Args:
        request: the gate.
        device: "cpu" or "cuda", where the cells were or will be measured; it need not be here.
    """
    timed = [latency_cell(request, cell, device) for cell in latency_cells(request)]
    scored = quality_cells(request) if request.quality else []
    return [*timed, *(quality_task_cell(request, cell) for cell in scored)]


def _rules(request: GateRequest, device: str, chance: AARun | None) -> Margins:
    return Margins(
        margin=request.margin if device == "cuda" else max(request.margin, request.cpu_margin),
        times=request.times,
        blind=request.blind,
        implausible=request.implausible,
        output_tolerance=request.output_tolerance,
        quality_margin=request.quality_margin,
        quality_margins=request.quality_margins,
        noise=None if chance is None else chance.margins(request.seed),
        seed=request.seed,
    )


def _chance(request: GateRequest, cells: Sequence[Cell]) -> AARun | None:
    return None if request.noise is None else AARun(request.noise, cells, per_gate=request.pairs)


def _self_test(request: GateRequest) -> int:
    from lipbench.benchmarks.gate import selftest

    # times are put in and must be seen, whether or not this gate asks for them
    outcomes = selftest.run(_rules(request.model_copy(update={"times": True}), "cpu", None))
    for outcome in outcomes:
        state = "ok" if outcome.passed else "BROKEN"
        print(f"{state:<7} {outcome.title}: {outcome.decision.verdict.value}, must be {outcome.due.value}")
    broken = sum(not outcome.passed for outcome in outcomes)
    print(f"self-test: {len(outcomes) - broken} of {len(outcomes)} as they must be")
    return 1 if broken else 0


def _trends(request: GateRequest, pattern: str) -> int:
    found = trends.series(record for folder in _folders(pattern) for record in load_records(folder))
    if not found:
        raise UserError(f"the runs at {pattern} hold no times", remedy="Give folders that lipbench bench wrote (out=…)")
    lines = "\n".join(trends.lines(found, margin=request.margin))
    print(lines)
    if request.summary is not None:
        _append(request.summary, f"{lines}\n")
    return 0


def _device_of(pairs: Sequence[BlockPair]) -> str:
    devices = {record.cell.device for pair in pairs for record in pair.head.records if record.cell.device}
    if len(devices) > 1:
        raise UserError("the runs were measured on several devices", remedy="Write device=cuda or device=cpu")
    return devices.pop() if devices else "cpu"


def _folders(pattern: str) -> list[Path]:
    found = sorted(Path(name) for name in glob.glob(pattern))
    if not found:
        raise UserError(f"there is nothing at {pattern}", remedy="Give the folders that bench wrote (out=…)")
    return found


def _append(file: Path, markdown: str) -> None:
    """Add to a summary that other steps of a job may have begun."""
    before = file.read_text(encoding="utf-8") if file.is_file() else ""
    save_text(before + markdown, file, "the summary")
