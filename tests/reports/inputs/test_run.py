"""Records of a run, held as long as a report needs them."""

import gc

import pytest

from lipbench.errors import UserError
from lipbench.records.files import save_record
from lipbench.reports.inputs.run import held_run


def test_the_collector_leaves_records_alone_while_they_are_held_and_not_longer(make, tmp_path):
    save_record(make.latency("hh_t2l", 75), tmp_path)
    with held_run(tmp_path) as intake:
        assert len(intake.records) == 1
        assert gc.get_freeze_count() > 0
        assert gc.isenabled(), "what is made meanwhile is collected"
    assert gc.get_freeze_count() == 0


def test_a_run_that_cannot_be_read_leaves_the_collector_as_it_was(tmp_path):
    with pytest.raises(UserError), held_run(tmp_path / "nowhere"):
        pass
    assert (gc.isenabled(), gc.get_freeze_count()) == (True, 0)
