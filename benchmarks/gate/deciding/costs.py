"""Costs that are counted and not timed: parameters, operations, launches, bytes. They are compared exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lipbench.benchmarks.gate.deciding.manifest import MatchedCell
from lipbench.benchmarks.gate.pairs import RecordPair
from lipbench.benchmarks.gate.verdict import Finding, Margins, Verdict, cell_label
from lipbench.records.latency import Latency
from lipbench.records.record import Record


def costs(record: Record) -> dict[str, int]:
    """Cost to its count, of a latency record; empty for any other."""
    if not isinstance(record.result, Latency):
        return {}
    # records of revisions that did not count have the number of parameters alone
    counts: dict[str, int | None] = {} if record.result.costs is None else record.result.costs.model_dump()
    counts.setdefault("parameters", record.result.system.parameters)
    return {name: count for name, count in counts.items() if count is not None}


def judge_costs(cells: Sequence[MatchedCell], margins: Margins) -> tuple[list[Finding], list[str]]:
    """Compare the costs of every latency cell.

    Returns:
        One finding per cell and cost that both sides counted; and notes on those that only head counts.
    """
    findings: list[Finding] = []
    new: set[str] = set()
    for comparable in cells:
        base, head = _sides(comparable.matched)
        new |= head.keys() - base.keys()
        findings += list(_cell_findings(comparable, base, head, margins))
    return findings, [f"{name}: only head counts it, so it is not gated yet" for name in sorted(new)]


Counts = dict[str, set[int]]


def _sides(pairs: Sequence[RecordPair]) -> tuple[Counts, Counts]:
    """Cost to all its counts over the pairs, of base and of head."""
    sides: tuple[Counts, Counts] = {}, {}
    for pair in pairs:
        for side, record in zip(sides, pair, strict=True):
            for name, count in costs(record).items():
                side.setdefault(name, set()).add(count)
    return sides


def _cell_findings(comparable: MatchedCell, base: Counts, head: Counts, margins: Margins) -> Iterator[Finding]:
    for name in base:
        before, after = sorted(base[name]), sorted(head.get(name, ()))
        verdict, reason = _weigh_costs(before, after, margins)
        yield Finding(
            check="costs",
            place=f"{name} of {cell_label(comparable.cell)}",
            verdict=verdict,
            reason=reason,
            change=f"{before[-1]:,} to {after[-1]:,}" if after else "",
            allowed="no more",
            cell=comparable.cell,
        )


def _weigh_costs(before: Sequence[int], after: Sequence[int], margins: Margins) -> tuple[Verdict, str]:
    if not after:
        return Verdict.NOT_MEASURED, "base counts it, head does not"
    if len(before) > 1 or len(after) > 1:
        return Verdict.AMBIGUOUS, "it should be the same in every process, and is not"
    if after[0] > before[0]:
        return Verdict.FAIL, "costs more than base"
    if after[0] < before[0] * (1 - margins.implausible):
        return Verdict.AMBIGUOUS, f"cheaper by more than {margins.implausible:.0%}: is all of the work still done?"
    return Verdict.PASS, "costs no more than base"
