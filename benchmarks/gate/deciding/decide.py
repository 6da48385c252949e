"""The decision: pairs of records in, verdict out. Pure: the same records give the same decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from lipbench.benchmarks.gate.deciding import costs, frames, latency, manifest, quality
from lipbench.benchmarks.gate.deciding.drift import find_drifts, load_note, unwatched_note
from lipbench.benchmarks.gate.deciding.interleaved import turns_note
from lipbench.benchmarks.gate.pairs import BlockPair
from lipbench.benchmarks.gate.verdict import Decision, Finding, Margins, Verdict
from lipbench.records.record import Cell


def decide(
    expected: Sequence[Cell], pairs: Sequence[BlockPair], margins: Margins, *, times_problem: str | None = None
) -> Decision:
    """Compare head with base.

    Args:
        expected: the cells that the config asks for; one that is not there, on either side, blocks.
        pairs: what was measured.
        margins: what is let pass.
        times_problem: why the times may not be compared, whatever they are; None: they may.
    """
    cells, findings = manifest.match(expected, pairs)
    time_findings, time_notes = _judge_times(expected, cells, pairs, margins, times_problem)
    cost_findings, cost_notes = costs.judge_costs(cells, margins)
    frame_findings, frame_notes = frames.judge_frames(cells, margins)
    quality_findings, quality_notes = quality.judge(cells, margins)
    notes = [*time_notes, *cost_notes, *frame_notes, *quality_notes]
    notes += [note for note in (manifest.packages_note(cells), load_note(pairs)) if note is not None]
    return Decision(
        findings=(*findings, *time_findings, *cost_findings, *frame_findings, *quality_findings),
        notes=tuple(notes),
    )


def _judge_times(
    expected: Sequence[Cell],
    cells: Sequence[manifest.MatchedCell],
    pairs: Sequence[BlockPair],
    margins: Margins,
    times_problem: str | None,
) -> tuple[list[Finding], list[str]]:
    """Findings on latency and scaling, and notes on them."""
    changes = latency.latency_changes(cells)
    findings = latency.judge(changes, margins, find_drifts(pairs, seed=margins.seed), times_problem=times_problem)
    if not margins.times:
        changes_text = [
            f"{finding.place} {finding.change}"
            for finding in findings
            if finding.verdict is not Verdict.PASS and finding.change
        ]
        return [], [
            f"times are not gated (times=false){': ' if changes_text else ''}{'; '.join(changes_text)}"
        ] if changes else []
    unknown, notes = latency.missing_slopes(expected, changes)
    if times_problem is None and changes:
        notes += [
            note
            for note in (_margin_notes(changes, margins), unwatched_note(pairs), turns_note(pairs))
            if note is not None
        ]
    return [*findings, *unknown], notes


def _margin_notes(changes: Sequence[latency.Change], margins: Margins) -> str | None:
    if margins.noise is None:
        return f"no A/A run was given (noise=…): every margin of latency is {margins.margin:.1%}"
    if unknown := [change.place for change in changes if change.place not in margins.noise]:
        return f"the A/A run does not know {', '.join(unknown)}: their margin is {margins.margin:.1%}"
    return None


def cells_to_measure_again(decision: Decision, expected: Sequence[Cell]) -> list[Cell]:
    """Cells whose latency is worth measuring once more: those that look slower, or too noisy to tell.

    Args:
        decision: about the first pairs.
        expected: all cells. For a slope, every length of its system is needed.
    """
    flagged_cells: list[Cell] = []
    for finding in decision.findings:
        if finding.cell is None or finding.verdict not in (Verdict.FAIL, Verdict.AMBIGUOUS):
            continue
        if finding.check == "latency":
            flagged_cells.append(finding.cell)
        elif finding.check == "scaling":
            flagged_cells += [cell for cell in expected if _without_length(cell) == _without_length(finding.cell)]
    return [cell for cell in expected if cell in flagged_cells]


def decide_in_two_looks(
    expected: Sequence[Cell],
    pairs: Sequence[BlockPair],
    measure_again: Callable[[list[Cell]], Sequence[BlockPair]],
    margins: Margins,
) -> Decision:
    """Decide, and where a latency did not pass, measure it once more and decide from both looks together.

    Args:
        expected: the cells that the config asks for.
        pairs: the first look.
        measure_again: measures flagged cells once more.
        margins: what is let pass.
    """
    first = decide(expected, pairs, margins)
    cells = cells_to_measure_again(first, expected)
    if not cells:
        return first
    second_look_pairs = [keep_cells(pair, cells) for pair in measure_again(cells)]
    return decide(expected, [*pairs, *second_look_pairs], margins)


def keep_cells(pair: BlockPair, cells: Sequence[Cell]) -> BlockPair:
    """A pair without the records of other cells."""
    base, head = (
        replace(block, records=tuple(record for record in block.records if record.cell in cells))
        for block in (pair.base, pair.head)
    )
    return BlockPair(base, head)


def _without_length(cell: Cell) -> Cell:
    return cell.model_copy(update={"frames": None})


def noise_by_place(
    expected: Sequence[Cell], pairs: Sequence[BlockPair], *, per_gate: int, seed: int = 0
) -> Mapping[str, float]:
    """What chance alone shows at each place, from pairs of one and the same revision.

    Args:
        expected: the cells.
        pairs: an A/A run.
        per_gate: pairs that the gate will measure.
        seed: of the resampling.
    """
    cells, _ = manifest.match(expected, pairs)
    return {change.place: change.by_chance(per_gate, seed) for change in latency.latency_changes(cells)}
