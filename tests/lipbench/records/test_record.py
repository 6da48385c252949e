from __future__ import annotations

import json
import math
import os

import pytest
from pydantic import ValidationError

from lipbench.errors import UserError
from lipbench.records import files
from lipbench.records.latency import Latency, LatencySample
from lipbench.records.record import Cell, Failure, Record
from lipbench.records.system import Machine, Software, System

CELL = Cell(kind="latency", system="hh_t2l", frames=75, device="cpu", preset="tiny")


def a_record(cell: Cell = CELL, **changes) -> Record:
    result = Latency(
        system=System(name="hh_t2l", title="HH-T2L", kind="model", config={"hidden": 32}),
        device="cpu", dtype="float32", batch=1, frames=75, tokens=30, fps=25.0, first_call_s=0.1,
        warmup=[LatencySample(wall_s=0.02)], samples=[LatencySample(wall_s=0.01), LatencySample(wall_s=math.pi / 1000)],
        settled=True,
    )  # fmt: skip
    fields = {
        "created": "2026-01-01T00:00:00+00:00",
        "command": "lipbench bench",
        "cell": cell,
        "status": "measured",
        "machine": Machine(cpu=None, cores=2, memory_bytes=1, system="Linux", threads=2),
        "software": Software(python="3.11", packages={"torch": "2"}, commit=None, dirty=None),
        "result": result,
        "seconds": 1.0,
    }
    return Record(**{**fields, **changes})


def test_a_record_comes_back_as_it_was_written(tmp_path):
    failed = a_record(
        Cell(kind="quality", system="x", corpus="grid", durations="true"),
        status="failed", result=None, failure=Failure(type="OutOfMemoryError", message="no memory"),
    )  # fmt: skip
    written = [a_record(), failed]
    for one in written:
        files.save_record(one, tmp_path)
    assert sorted(files.load_records(tmp_path), key=lambda r: r.cell.key) == sorted(written, key=lambda r: r.cell.key)


def test_raw_samples_keep_every_digit(tmp_path):
    path = files.save_record(a_record(), tmp_path)
    loaded = files.load_record(path).result
    assert isinstance(loaded, Latency)
    assert loaded.samples[1].wall_s == math.pi / 1000


def test_the_same_cell_is_replaced_and_nothing_else_is_left_behind(tmp_path):
    files.save_record(a_record(), tmp_path)
    files.save_record(a_record(seconds=2.0), tmp_path)
    assert [file.suffix for file in (tmp_path / "records").iterdir()] == [".json"]
    assert files.load_records(tmp_path)[0].seconds == 2.0


def test_a_write_that_fails_keeps_the_record_that_was_there(tmp_path, monkeypatch):
    path = files.save_record(a_record(), tmp_path)

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"cannot be written: No space left.*make room"):
        files.save_record(a_record(seconds=2.0), tmp_path)
    monkeypatch.undo()
    assert files.load_record(path).seconds == 1.0
    assert len(list((tmp_path / "records").iterdir())) == 1


def test_cells_that_differ_have_keys_that_differ():
    changes = [
        {}, {"frames": 137}, {"device": "cuda"}, {"preset": "paper"}, {"system": "dual_lip"}, {"batch": 4},
        {"options": {"hidden": 64}}, {"options": {"hidden": 32}}, {"checkpoint": "a.ckpt"}, {"limit": 3},
        {"corpus": "grid"}, {"corpus": "grid", "corpus_options": {"store": "x"}}, {"corpus": "grid", "split": "train"},
        {"protocol": "strict"}, {"durations": "true"}, {"kind": "quality"}, {"system": "my-net"}, {"system": "my_net"},
        {"system": "x" * 200}, {"system": "x" * 201},
    ]  # fmt: skip
    cells = [CELL.model_copy(update=change) for change in changes]
    keys = [cell.key for cell in cells]
    assert len(set(keys)) == len(keys)
    assert all(len(key) <= 120 and "/" not in key for key in keys)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "cannot be read as a record"),
        ("[]", "version None"),
        ('{"version": 99}', "version 99"),
        ('{"version": 1}', "not a valid record"),
    ],
)
def test_a_file_that_is_no_record_is_named(tmp_path, content, says):
    file = tmp_path / "x.json"
    file.write_text(content)
    with pytest.raises(UserError, match=says) as caught:
        files.load_record(file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"result": None},
        {"status": "failed"},
        {"failure": Failure(type="X", message="y")},
        {"cell": CELL.model_copy(update={"kind": "quality"})},
    ],
)
def test_a_record_cannot_contradict_itself(changes):
    with pytest.raises(ValidationError):
        a_record(**changes)


def test_a_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(UserError, match="run/records"):
        files.save_record(a_record(), tmp_path / "run")


def test_an_unknown_field_is_refused(tmp_path):
    path = files.save_record(a_record(), tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "extra": 1}))
    with pytest.raises(UserError, match="extra"):
        files.load_record(path)


def test_a_missing_or_empty_run_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match="there is no run"):
        files.load_records(tmp_path / "none")
    (tmp_path / "records").mkdir()
    with pytest.raises(UserError, match=r"holds no records.*lipbench evaluate"):
        files.load_records(tmp_path)
