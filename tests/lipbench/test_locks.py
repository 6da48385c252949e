import subprocess
import sys

import pytest

from lipbench.errors import UserError
from lipbench.locks import first_free, hold

HOLDER = """
import sys, time
from pathlib import Path
from lipbench.locks import hold
with hold([Path(sys.argv[1])]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds a claim until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_claim_waits_until_the_process_that_holds_it_has_ended(tmp_path, holder, caplog):
    ended = tmp_path / "ended"
    watcher = f"import os, time; time.sleep(1); open({str(ended)!r}, 'w').close(); os.kill({holder.pid}, 9)"
    killer = subprocess.Popen([sys.executable, "-c", watcher])
    with hold([tmp_path / "run"]):
        assert ended.exists()
    assert killer.wait() == 0
    assert f"{tmp_path / 'run'} is being written by another command" in caplog.text


def test_other_claims_do_not_wait(tmp_path, holder):
    with hold([tmp_path / "other", tmp_path / "third"]):
        assert holder.poll() is None


def test_a_claim_is_free_again_afterwards_and_leaves_what_it_is_for_alone(tmp_path, caplog):
    for _ in range(2):
        with hold([tmp_path / "run"]):
            pass
    assert not caplog.text
    assert [path.name for path in tmp_path.iterdir()] == [".run.lock"]


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be made"), hold([tmp_path / "file" / "run"]):
        pass


def test_of_several_locks_each_asker_gets_one_until_none_is_left(tmp_path):
    locks = [tmp_path / "first", tmp_path / "second"]
    with first_free(locks) as mine, first_free(locks) as yours, first_free(locks) as theirs:
        assert (mine, yours, theirs) == (*locks, None)
    with first_free(locks) as again:
        assert again == locks[0]
