"""Margins from an A/A run, and checks that it was made of the same cells on the same machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lipbench.benchmarks.gate.deciding import decide, manifest
from lipbench.benchmarks.gate.measuring import measure
from lipbench.benchmarks.gate.pairs import BlockPair
from lipbench.errors import UserError
from lipbench.records.record import Cell, Record
from lipbench.records.system import Machine

TIMING = ("seconds", "least_rounds", "most_rounds")
"""Options of the bench that say how often a cell is timed in a block, and so how far chance takes its median."""
AA_RUN_REMEDY = "Make an A/A run of what is gated: lipbench gate base=HEAD head=HEAD out=… with the same options"


class AARun:
    """An A/A run.

    Args:
        source: a gate's folder.
        cells: what is gated; those that are no latency are left out.
        per_gate: pairs that the gate measures in its first look.

    Raises:
        UserError: it cannot be read, is of two revisions or of one with changes, holds too few pairs, or has a cell
            of another config.
    """

    def __init__(self, source: Path, cells: Sequence[Cell], *, per_gate: int) -> None:
        self.source = source
        self.pairs = measure.first_look_pairs(source)
        self.cells = [cell for cell in cells if cell.kind == "latency"]
        self.per_gate = per_gate
        self._check_one_revision()
        self._check_config()

    def margins(self, seed: int) -> Mapping[str, float]:
        """Place of a check to the change that chance alone shows there."""
        return decide.noise_by_place(self.cells, self.pairs, per_gate=self.per_gate, seed=seed)

    def check_machine(self, current_machine: Machine, *, fields: Sequence[str] = manifest.MACHINE) -> None:
        """Compare the machine.

        Args:
            current_machine: the one that is measured on.
            fields: what must be alike.

        Raises:
            UserError: the A/A run is of another one.
        """
        differing = manifest.machine_differences(self._records[0].machine, current_machine, fields)
        if differing:
            raise self._refused(f"was measured on another machine than this: {differing}")

    def check_measured(self, pairs: Sequence[BlockPair]) -> None:
        """Compare with what was measured: the machine, and how often cells were timed.

        Raises:
            UserError: the A/A run differs in one of them.
        """
        first_latency_record = next((r for pair in pairs for r in pair.head.records if r.cell.kind == "latency"), None)
        if first_latency_record is None:
            return  # the manifest says so
        self.check_machine(first_latency_record.machine)
        earlier_timing, current_timing = (_timing(record) for record in (self._records[0], first_latency_record))
        differing = [
            f"{name}={earlier_timing[name]} and {current_timing[name]}"
            for name in TIMING
            if earlier_timing[name] != current_timing[name]
        ]
        if differing:
            raise self._refused(f"was measured with other options: {', '.join(differing)}")

    @property
    def _records(self) -> list[Record]:
        return [record for pair in self.pairs for block in (pair.base, pair.head) for record in block.records]

    def _check_one_revision(self) -> None:
        software = [record.software for record in self._records]
        commits = sorted({str(version.commit)[:12] for version in software})
        if len(commits) != 1 or len({version.source for version in software}) != 1:
            raise self._refused(f"compares two revisions ({' and '.join(commits)}), which is no A/A run")
        if any(version.dirty is not False for version in software):
            raise self._refused("is of a checkout with changes, or of none: base and head need not be the same")
        if len(self.pairs) < self.per_gate:
            raise self._refused(f"holds {len(self.pairs)} pairs, fewer than the {self.per_gate} that are gated")

    def _check_config(self) -> None:
        recorded_keys = {record.cell.key for record in self._records}
        for cell in self.cells:
            reason = None if cell.key in recorded_keys else manifest.other_config(cell, "it", self._records)
            if reason is not None:
                raise self._refused(f"is of something else: {reason}")

    def _refused(self, reason: str) -> UserError:
        return UserError(f"noise={self.source} {reason}", remedy=AA_RUN_REMEDY)


def _timing(record: Record) -> dict[str, object]:
    """The timing options of a record."""
    return {name: record.request.get(name) for name in TIMING}
