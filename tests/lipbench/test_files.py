"""Files that are whole or not there, whatever writes them and however that ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lipbench.errors import UserError
from lipbench.files import is_leftover, remove_leftovers, save_text, write_atomic

ROOT = Path(__file__).parents[2]
CONTENTS = {"bytes": b"new", "callback": lambda path: path.write_bytes(b"new")}


def full(*_args):
    raise OSError(28, "No space left on device")


@pytest.fixture(params=CONTENTS)
def content(request):
    return CONTENTS[request.param]


def test_a_file_is_written_in_a_folder_that_is_made_and_then_replaced(tmp_path, content):
    path = tmp_path / "deep" / "er" / "it.json"
    write_atomic(path, b"old")
    write_atomic(path, content)
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_keeps_what_was_there(tmp_path, content, monkeypatch, step):
    path = tmp_path / "it"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(path, content)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_callback_raises_comes_through_and_its_half_is_removed(tmp_path):
    def breaks_off(path):
        path.write_bytes(b"half")
        raise RuntimeError("file write failed")

    path = tmp_path / "it"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="file write failed"):
        write_atomic(path, breaks_off)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("durable", "expected"), [(True, ["fsync", "replace"]), (False, ["replace"])])
def test_durable_content_is_on_the_disk_before_it_takes_its_name(tmp_path, content, monkeypatch, durable, expected):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, name=name, real=real: (calls.append(name), real(*args))[1])
    write_atomic(tmp_path / "it", content, durable=durable)
    assert calls == expected


def test_a_folder_that_cannot_be_made_is_an_error_of_the_system_or_of_the_user(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        write_atomic(tmp_path / "file" / "it", b"")
    with pytest.raises(UserError, match=r"the record .*file/it cannot be written: .*out="):
        save_text("", tmp_path / "file" / "it", "the record")


def test_what_a_killed_process_left_is_known_and_removed_and_what_a_living_one_writes_is_not(tmp_path):
    killed = """
import os, sys
from pathlib import Path
from lipbench.files import write_atomic
write_atomic(Path(sys.argv[1]), lambda path: (path.write_bytes(b"half"), os.kill(os.getpid(), 9)))
"""
    subprocess.run([sys.executable, "-c", killed, str(tmp_path / "deep" / "it")], cwd=ROOT, check=False)
    (left,) = (tmp_path / "deep").iterdir()
    assert is_leftover(left)

    def look(path):
        assert is_leftover(path)
        remove_leftovers(tmp_path)
        path.write_bytes(b"whole")

    write_atomic(tmp_path / "other", look)
    assert not left.exists()
    assert (tmp_path / "other").read_bytes() == b"whole"
    assert not is_leftover(tmp_path / "other")
