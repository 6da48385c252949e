from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lipbench.benchmarks.gate.aa_run import AARun
from lipbench.benchmarks.gate.pairs import BlockPair, BlockRecords
from lipbench.benchmarks.gate.selftest import drawn_record
from lipbench.errors import UserError
from lipbench.records.files import save_record
from lipbench.records.record import Cell
from lipbench.records.system import Machine, Software

CELLS = [Cell(kind="latency", system="m", preset="tiny", frames=frames, device="cpu") for frames in (10, 20, 40)]
MACHINE = Machine(cpu="A", cores=2, memory_bytes=1, system="Linux", threads=1)
TIMING = {"least_rounds": 5, "most_rounds": 100}
SOFTWARE = Software(python="", packages={}, commit="c" * 40, dirty=False, source="s")


def taken(*, pairs: int = 10, seconds: float = 0.5, **changed) -> list[BlockPair]:
    generator = np.random.default_rng(0)
    facts = {"machine": MACHINE, "software": SOFTWARE, "request": {**TIMING, "seconds": seconds}} | changed
    cells = facts.pop("cells", CELLS)

    def block() -> BlockRecords:
        times = [(0.01 * np.exp(generator.normal(0, 0.1, 3))).tolist() for _ in cells]
        records = (drawn_record(cell, calls) for cell, calls in zip(cells, times, strict=True))
        return BlockRecords(tuple(record.model_copy(update=facts) for record in records))

    return [BlockPair(block(), block()) for _ in range(pairs)]


def as_run(folder: Path, pairs: list[BlockPair], head: list[BlockPair] | None = None) -> Path:
    """A gate's folder, with the heads of other pairs if they are given."""
    for place, (one, other) in enumerate(zip(pairs, head or pairs, strict=True)):
        for side, block in (("base", one.base), ("head", other.head)):
            for record in block.records:
                save_record(record, folder / "blocks" / f"1-{place:03d}-{side}")
    return folder


def test_an_aa_run_gives_every_place_what_chance_shows_there(tmp_path):
    places = {"m, 10 frames, cpu", "m, 20 frames, cpu", "m, 40 frames, cpu", "slope of m, cpu"}
    margins = AARun(as_run(tmp_path, taken()), CELLS, per_gate=10).margins(0)
    assert margins.keys() == places
    assert min(margins.values()) > 0.01


def test_two_revisions_or_a_changed_checkout_are_no_aa_run(tmp_path):
    other = taken(software=SOFTWARE.model_copy(update={"commit": "d" * 40}))
    with pytest.raises(UserError, match=r"compares two revisions \(c{12} and d{12}\)"):
        AARun(as_run(tmp_path / "two", taken(), other), CELLS, per_gate=10)
    edited = taken(software=SOFTWARE.model_copy(update={"source": "edited"}))
    with pytest.raises(UserError, match="compares two revisions"):
        AARun(as_run(tmp_path / "edited", taken(), edited), CELLS, per_gate=10)
    for dirty in (True, None):
        changed = taken(software=SOFTWARE.model_copy(update={"dirty": dirty}))
        with pytest.raises(UserError, match="is of a checkout with changes"):
            AARun(as_run(tmp_path / str(dirty), changed), CELLS, per_gate=10)


def test_fewer_pairs_than_are_gated_say_too_little(tmp_path):
    with pytest.raises(UserError, match="holds 9 pairs, fewer than the 10"):
        AARun(as_run(tmp_path, taken(pairs=9)), CELLS, per_gate=10)


def test_other_cells_are_refused_and_new_ones_are_not(tmp_path):
    small = [cell.model_copy(update={"preset": "small"}) for cell in CELLS]
    with pytest.raises(UserError, match="is of something else: it was measured with another config: preset=tiny where"):
        AARun(as_run(tmp_path, taken()), small, per_gate=10)
    new = Cell(kind="latency", system="new", frames=10, device="cpu")
    assert "new, 10 frames, cpu" not in AARun(as_run(tmp_path, taken()), [*CELLS, new], per_gate=10).margins(0)


def test_another_machine_or_other_timing_is_refused(tmp_path):
    chance = AARun(as_run(tmp_path, taken()), CELLS, per_gate=10)
    chance.check_measured(taken(seconds=0.50))
    chance.check_measured(
        [BlockPair(BlockRecords(()), BlockRecords(()))]
    )  # of which the manifest says that nothing is there
    threads = MACHINE.model_copy(update={"threads": 2})
    chance.check_machine(threads, fields=["cpu"])
    with pytest.raises(UserError, match="on another machine than this: threads 1 and 2"):
        chance.check_measured(taken(machine=threads))
    with pytest.raises(UserError, match=r"other options: seconds=0\.5 and 2\.0"):
        chance.check_measured(taken(seconds=2.0))
