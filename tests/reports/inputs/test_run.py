"""Reading a run: what can be read is, what cannot is named."""

import pytest

from lipbench.errors import UserError
from lipbench.records.files import save_record
from lipbench.reports.inputs.run import read_run


def test_records_are_read_and_other_files_named(make, tmp_path):
    path = save_record(make.latency("hh_t2l", 75), tmp_path)
    path.with_name("broken.json").write_text("{")
    found = read_run(tmp_path)
    assert [record.cell.system for record in found.records] == ["hh_t2l"]
    assert [unread.name for unread in found.unread] == ["broken.json"]


def test_a_run_that_is_not_there_is_one_error(tmp_path):
    with pytest.raises(UserError, match="no run"):
        read_run(tmp_path / "nowhere")
