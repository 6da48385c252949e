"""Match the records of base and head, and find expected cells that are missing or not comparable.

A benchmark that vanished is the commonest way for a gate to pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lipbench.benchmarks.gate.pairs import BlockPair, RecordPair
from lipbench.benchmarks.gate.verdict import Finding, Verdict, cell_label
from lipbench.records.latency import Latency
from lipbench.records.quality import Quality
from lipbench.records.record import Cell, Record
from lipbench.records.system import Machine

MACHINE = ("cpu", "cores", "system", "gpu", "gpu_driver", "threads")
"""What must be alike for times to be compared."""
IDENTITY = ("kind", "system", "role", "frames", "durations")
"""Fields that say which cell is meant, as opposed to how it was configured."""


@dataclass(frozen=True)
class MatchedCell:
    """A cell that both sides measured, alike in all but the code."""

    cell: Cell
    matched: tuple[RecordPair, ...]
    """Its records, pair by pair."""
    places: tuple[int, ...]
    """Which of all pairs these are, from 0; cells may have been measured in different ones."""


def match(expected: Sequence[Cell], pairs: Sequence[BlockPair]) -> tuple[list[MatchedCell], list[Finding]]:
    """Find the records of every expected cell.

    Args:
        expected: cells that the config asks for.
        pairs: what was measured.

    Returns:
        The cells that can be compared, and a finding for each other.
    """
    comparables: list[MatchedCell] = []
    findings: list[Finding] = []
    for cell in expected:
        record_pairs, reason = _match(cell, pairs)
        if reason is None:
            comparables.append(MatchedCell(cell, tuple(record_pairs.values()), tuple(record_pairs)))
        else:
            findings.append(_missing(cell, reason))
    return comparables, findings


def dropped_cells(expected: Sequence[Cell], pairs: Sequence[BlockPair]) -> list[Cell]:
    """Cells that base measured and head's config no longer asks for.

    Args:
        expected: cells that the config asks for, as head's code reads it.
        pairs: what was measured, on both sides at the same words.
    """
    base_cells = {record.cell.key: record.cell for pair in pairs for record in pair.base.records}
    return [cell for cell in base_cells.values() if cell not in expected]


def packages_note(cells: Sequence[MatchedCell]) -> str | None:
    """A note if base and head ran with different package versions, which may change times; else None."""
    for base, head in (pair for base_versions in cells for pair in base_versions.matched):
        base_versions, head_versions = (
            {"Python": record.software.python, **record.software.packages} for record in (base, head)
        )
        differing = [
            f"{name} {base_versions.get(name)} and {head_versions.get(name)}"
            for name in sorted(base_versions.keys() | head_versions.keys())
            if base_versions.get(name) != head_versions.get(name) and name != "lipbench"
        ]
        if differing:
            return f"the two sides ran with other packages, whose doing a change may be: {', '.join(differing)}"
    return None


def _missing(cell: Cell, reason: str) -> Finding:
    return Finding(
        check="manifest",
        place=f"{cell.kind} of {cell_label(cell)}",
        verdict=Verdict.NOT_MEASURED,
        reason=reason,
        cell=cell,
    )


def _match(cell: Cell, pairs: Sequence[BlockPair]) -> tuple[dict[int, RecordPair], str | None]:
    """The records of a cell by the place of their pair, or why they cannot be compared."""
    record_pairs: dict[int, RecordPair] = {}
    for place, pair in enumerate(pairs):
        base, head = pair.base.of(cell), pair.head.of(cell)
        if base is None and head is None:
            continue
        if base is None or head is None:
            side, block = ("base", pair.base) if base is None else ("head", pair.head)
            return {}, other_config(
                cell, side, block.records
            ) or f"pair {place + 1} has no record of it on the side of {side}"
        for side, record in (("base", base), ("head", head)):
            reason = _unusable(record)
            if reason is not None:
                return {}, f"{side}: {reason}"
        reason = _incomparable(base, head)
        if reason is not None:
            return {}, reason
        record_pairs[place] = (base, head)
    if record_pairs:
        return record_pairs, None
    for side in ("base", "head"):
        records = [record for pair in pairs for record in getattr(pair, side).records]
        reason = other_config(cell, side, records)
        if reason is not None:
            return {}, reason
    return {}, "neither side has a record of it"


def other_config(cell: Cell, side: str, records: Sequence[Record]) -> str | None:
    """A reason if the cell was recorded with another config; else None.

    Args:
        cell: the one that is looked for.
        side: whose records these are, for the reason.
        records: some, none of them of the cell itself.
    """
    for record in records:
        recorded_cell = record.cell
        if all(getattr(recorded_cell, field) == getattr(cell, field) for field in IDENTITY):
            differing = [
                f"{field}={getattr(recorded_cell, field)} where {getattr(cell, field)} is expected"
                for field in Cell.model_fields
                if getattr(recorded_cell, field) != getattr(cell, field)
            ]
            return f"{side} was measured with another config: {', '.join(differing)}"
    return None


def _unusable(record: Record) -> str | None:
    if record.failure is not None:
        return f"{record.failure.type}: {record.failure.message}"
    if isinstance(record.result, Quality) and not record.result.clips:
        return "no clip was scored"
    return None


def _incomparable(base: Record, head: Record) -> str | None:
    """Why two records of one cell may not be compared."""
    if isinstance(base.result, Latency) and isinstance(head.result, Latency):
        return _other_machine(base.machine, head.machine) or _other_work(base.result, head.result)
    if isinstance(base.result, Quality) and isinstance(head.result, Quality):
        return _other_protocol(base.result, head.result) or _other_training(base.result, head.result)
    return None


def machine_differences(machine: Machine, other_machine: Machine, fields: Sequence[str] = MACHINE) -> str:
    """The differences between two machines that times depend on; empty if there are none.

    Args:
        machine: a machine.
        other_machine: the other.
        fields: what is compared.
    """
    return ", ".join(
        f"{field} {getattr(machine, field)} and {getattr(other_machine, field)}"
        for field in fields
        if getattr(machine, field) != getattr(other_machine, field)
    )


def _other_machine(base: Machine, head: Machine) -> str | None:
    differing = machine_differences(base, head)
    return f"the two sides ran on unlike machines: {differing}" if differing else None


def _other_work(base: Latency, head: Latency) -> str | None:
    for field in ("device", "dtype", "batch", "frames", "tokens"):
        if getattr(base, field) != getattr(head, field):
            return f"the two sides timed different work: {field} {getattr(base, field)} and {getattr(head, field)}"
    return None


def _other_protocol(base: Quality, head: Quality) -> str | None:
    for noun, base_facts, head_facts in (
        ("protocol", base.protocol, head.protocol),
        ("corpus", base.corpus, head.corpus),
    ):
        if base_facts.fingerprint != head_facts.fingerprint:
            return (
                f"the {noun} is not the same on the two sides: {base_facts.name} {base_facts.fingerprint[:12]} and "
                f"{head_facts.name} {head_facts.fingerprint[:12]}"
            )
    return None


def _other_training(base: Quality, head: Quality) -> str | None:
    """A recipe that differs. An option that only one side knows is part of the change and no reason."""
    base_training, head_training = base.system.training, head.system.training
    if (base_training is None) != (head_training is None):
        return f"only {'head' if base_training is None else 'base'} was trained"
    if base_training is None or head_training is None:
        return None
    differing = [
        f"{name}={base_training.recipe[name]} and {head_training.recipe[name]}"
        for name in sorted(base_training.recipe.keys() & head_training.recipe.keys())
        if base_training.recipe[name] != head_training.recipe[name]
    ]
    if base_training.steps != head_training.steps:
        differing.append(f"{base_training.steps} and {head_training.steps} steps taken")
    return f"the two sides were trained by different recipes: {', '.join(differing)}" if differing else None
