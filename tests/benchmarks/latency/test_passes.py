"""`lipbench bench` over several passes: what is kept, what is taken again, what fails."""

from __future__ import annotations

import pytest

from lipbench.benchmarks.cells.plan import cell_blocks
from lipbench.benchmarks.cli import verbs
from lipbench.benchmarks.cli.verbs.bench import work as bench
from lipbench.benchmarks.latency import OutputMismatchError
from lipbench.benchmarks.latency.passes import add_pass
from lipbench.benchmarks.sweep import Sweep
from lipbench.records.files import load_records
from lipbench.records.latency import Latency

QUICK = [
    "preset=tiny", "weights=random", "quality=false", "models=hh_t2l", "frames=[3]", "seconds=0.01", "least_rounds=2",
    "device=cpu",
]  # fmt: skip


def request(out, *words):
    return verbs.request("bench", [*QUICK, f"out={out}", *words])


def only(out):
    (record,) = load_records(out)
    assert isinstance(record.result, Latency)
    return record, record.result


def test_what_has_passes_of_its_own_is_measured_by_the_first_pass_alone(tmp_path):
    asked = request(tmp_path, "floors=true")
    sweep = Sweep(asked, progress=False)
    (timed,) = cell_blocks(asked)[0].cells
    floor = sweep.time(timed).floor
    assert floor is not None
    assert floor.arithmetic_s > 0
    assert floor.memory_s > 0
    assert sweep.time(timed, later=True).floor is None
    bench.run(request(tmp_path, "floors=true", "passes=2"))
    _, both = only(tmp_path)
    assert both.blocks == 2
    assert both.floor is not None, "the passes after it keep it"


def test_the_same_command_goes_on_and_takes_only_the_passes_that_are_missing(tmp_path):
    bench.run(request(tmp_path))
    _, first = only(tmp_path)
    bench.run(request(tmp_path))
    assert only(tmp_path)[1] == first
    bench.run(request(tmp_path, "passes=2"))
    record, both = only(tmp_path)
    assert both.blocks == 2
    assert both.samples[: len(first.samples)] == first.samples
    assert len(both.telemetry) == 2
    assert both.outputs[0] == both.outputs[-1]

    def fails():
        raise MemoryError("no room")

    kept = add_pass(record, fails)
    assert kept.samples == both.samples
    assert kept.lost == "pass 3 failed: MemoryError: no room"

    def void():
        raise OutputMismatchError("other frames")

    with pytest.raises(OutputMismatchError):
        add_pass(record, void)
    bench.run(request(tmp_path, "again=true"))
    assert only(tmp_path)[1].blocks == 1


def test_a_fresh_process_leaves_the_same_record_and_says_its_memory(tmp_path):
    bench.run(request(tmp_path, "isolate=true", "memory=true"))
    _, result = only(tmp_path)
    assert result.load_s is not None
    assert result.memory is not None
    assert result.memory.resident_bytes is None or result.memory.resident_bytes > 1 << 26
    assert result.memory.allocated_bytes is None


def test_every_pass_has_every_cell_in_an_order_of_its_own_that_the_seed_repeats(tmp_path):
    asked = request(tmp_path, "models=[hh_t2l,dual_lip]", "frames=[1,2,3,4,5,6]", "passes=3")
    made = cell_blocks(asked)
    assert made == cell_blocks(asked)
    assert len({tuple(block.cells) for block in made}) == 3
    assert all(len(set(block.cells)) == 12 for block in made)
    for block in cell_blocks(asked.model_copy(update={"isolate": True})):
        assert len({(cell.model, cell.variant) for cell in block.cells}) == 1
        assert len(block.cells) == 6
