"""What does not depend on the machine's mood: parameters, operations, launches, bytes. Gated exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lipbench.benchmarks.gate.deciding.manifest import Comparable
from lipbench.benchmarks.gate.pairs import Matched
from lipbench.benchmarks.gate.verdict import Finding, Rules, Verdict, place_of
from lipbench.records.latency import Latency
from lipbench.records.record import Record


def costs(record: Record) -> dict[str, int]:
    """Cost to its count, of a latency record; empty for any other."""
    if not isinstance(record.result, Latency):
        return {}
    # records of revisions that did not count have the number of parameters alone
    counted: dict[str, int | None] = {} if record.result.costs is None else record.result.costs.model_dump()
    counted.setdefault("parameters", record.result.system.parameters)
    return {name: count for name, count in counted.items() if count is not None}


def judge(cells: Sequence[Comparable], rules: Rules) -> tuple[list[Finding], list[str]]:
    """Compare the costs of every latency cell.

    Returns:
        One finding per cell and cost that both sides counted; and notes on those that only head counts.
    """
    findings: list[Finding] = []
    new: set[str] = set()
    for one in cells:
        base, head = _sides(one.matched)
        new |= head.keys() - base.keys()
        findings += list(_of_cell(one, base, head, rules))
    return findings, [f"{name}: only head counts it, so it is not gated yet" for name in sorted(new)]


Counts = dict[str, set[int]]


def _sides(matched: Sequence[Matched]) -> tuple[Counts, Counts]:
    """Cost to all its counts over the pairs, of base and of head."""
    sides: tuple[Counts, Counts] = {}, {}
    for pair in matched:
        for side, record in zip(sides, pair, strict=True):
            for name, count in costs(record).items():
                side.setdefault(name, set()).add(count)
    return sides


def _of_cell(one: Comparable, base: Counts, head: Counts, rules: Rules) -> Iterator[Finding]:
    for name in base:
        before, after = sorted(base[name]), sorted(head.get(name, ()))
        verdict, reason = _weigh(before, after, rules)
        yield Finding(
            check="costs",
            place=f"{name} of {place_of(one.cell)}",
            verdict=verdict,
            reason=reason,
            change=f"{before[-1]:,} to {after[-1]:,}" if after else "",
            allowed="no more",
            cell=one.cell,
        )


def _weigh(before: Sequence[int], after: Sequence[int], rules: Rules) -> tuple[Verdict, str]:
    if not after:
        return Verdict.NOT_MEASURED, "base counts it, head does not"
    if len(before) > 1 or len(after) > 1:
        return Verdict.AMBIGUOUS, "it should be the same in every process, and is not"
    if after[0] > before[0]:
        return Verdict.FAIL, "costs more than base"
    if after[0] < before[0] * (1 - rules.implausible):
        return Verdict.AMBIGUOUS, f"cheaper by more than {rules.implausible:.0%}: is all of the work still done?"
    return Verdict.PASS, "costs no more than base"
