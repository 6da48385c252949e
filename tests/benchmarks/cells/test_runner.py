from __future__ import annotations

import pytest

from lipbench.benchmarks.cells.runner import run_cell
from lipbench.records.files import load_records
from lipbench.records.record import Cell

CELL = Cell(kind="latency", system="hh_t2l", frames=75)


def test_a_failure_is_a_value(tmp_path):
    def out_of_memory():
        raise MemoryError("75 frames do not fit")

    returned = run_cell(CELL, tmp_path, out_of_memory)
    (kept,) = load_records(tmp_path)
    assert kept == returned
    assert kept.status == "failed"
    assert kept.result is None
    assert kept.failure is not None
    assert (kept.failure.type, kept.failure.message) == ("MemoryError", "75 frames do not fit")


def test_a_failure_without_words_still_says_something(tmp_path):
    def fails():
        raise AssertionError

    failure = run_cell(CELL, tmp_path, fails).failure
    assert failure is not None
    assert failure.message == "AssertionError()"


def test_an_interrupt_is_not_a_value(tmp_path):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_cell(CELL, tmp_path, interrupted)
    assert not (tmp_path / "records").exists()
