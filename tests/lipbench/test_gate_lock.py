from __future__ import annotations

import subprocess

import pytest

from lipbench.errors import UserError
from lipbench.locks import hold_folder


def test_two_gates_do_not_work_in_one_folder_at_a_time(tmp_path):
    busy = tmp_path / "a" / "out"
    with hold_folder(busy), pytest.raises(UserError, match="another gate is at work"), hold_folder(busy):
        pass
    with hold_folder(tmp_path / "a" / "out"), hold_folder(tmp_path / "b"):
        pass


def test_a_block_that_outlives_its_gate_holds_the_folder(tmp_path):
    with hold_folder(tmp_path) as held:
        left = subprocess.Popen(["sleep", "60"], pass_fds=[held])
    try:
        with pytest.raises(UserError, match="that a killed one left behind"), hold_folder(tmp_path):
            pass
    finally:
        left.kill()
        left.wait()
    with hold_folder(tmp_path):
        pass


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"), hold_folder(tmp_path / "file" / "out"):
        pass
