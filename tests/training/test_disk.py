"""Disks that are full, and folders that cannot be written."""

from __future__ import annotations

import errno
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tensorboard.compat.tensorflow_stub.io import gfile

from lipbench.errors import UserError
from lipbench.training import callbacks, checkpoint, fit
from lipbench.training.atomic import AtomicCheckpoints
from lipbench.training.config import TrainingConfig
from lipbench.training.module import LipTraining

CONFIG = TrainingConfig(steps=4, clips=2, frames_per_clip=2, checkpoint_steps=2, strip_checkpoints=0)


def train(folder, corpus, *, config=CONFIG):
    return fit.train(
        "hh_t2l", "tiny", options={}, corpus=corpus, config=config, folder=folder, progress=False, device="cpu"
    )


def test_a_checkpoint_that_cannot_be_written_leaves_the_older_one(tmp_path, corpus, monkeypatch):
    path = train(tmp_path, corpus)
    before = path.read_bytes()

    def full(*_args, **_kwargs):
        raise RuntimeError("[enforce fail at inline_container.cc] . file write failed")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(UserError, match="cannot be written"):
        AtomicCheckpoints().save_checkpoint({}, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir() if "tmp" in file.name] == []


def test_a_disk_that_fills_up_ends_a_run_that_goes_on_once_there_is_room(tmp_path, corpus, monkeypatch):
    whole = train(tmp_path / "whole", corpus)
    original = torch.save
    saved = []

    def fills_up(content, file):
        saved.append(1)
        if len(saved) == 2:
            file.write(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device")
        original(content, file)

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", fills_up)
        with pytest.raises(UserError, match=r"cannot be written.*No space left.*goes on from the last one"):
            train(tmp_path / "full", corpus)
    assert checkpoint.load_checkpoint(tmp_path / "full" / "last.ckpt").steps == 2
    assert [file.name for file in (tmp_path / "full").iterdir() if "tmp" in file.name] == []
    assert (
        checkpoint.load_checkpoint(train(tmp_path / "full", corpus)).digest == checkpoint.load_checkpoint(whole).digest
    )


def test_a_log_that_finds_no_room_is_one_clear_error(tmp_path, corpus, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(callbacks, "write_atomic", full)
    with pytest.raises(UserError, match=r"no room left in .*goes on from the last checkpoint"):
        train(tmp_path, corpus, config=replace(CONFIG, strip_checkpoints=1))


def test_a_folder_that_cannot_be_made_is_named(tmp_path, corpus):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file/run cannot be made"):
        train(tmp_path / "file" / "run", corpus)


def test_losses_that_find_no_room_are_one_clear_error(tmp_path, corpus):
    whole = train(tmp_path / "whole", corpus)
    log = tmp_path / "full" / "csv" / "from_step_000000" / "metrics.csv"
    log.parent.mkdir(parents=True)
    log.symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"no room left in .*goes on from the last checkpoint"):
        train(tmp_path / "full", corpus)
    assert checkpoint.load_checkpoint(tmp_path / "full" / "last.ckpt").steps >= 2
    log.unlink()
    assert (
        checkpoint.load_checkpoint(train(tmp_path / "full", corpus)).digest == checkpoint.load_checkpoint(whole).digest
    )


def test_a_thread_that_finds_no_room_for_tensorboard_is_the_same_one_error(tmp_path, corpus, monkeypatch):
    tracebacks = []
    monkeypatch.setattr(threading, "excepthook", tracebacks.append)
    original = gfile.LocalFileSystem.append
    written = []

    def fills_up(self, filename, contents, binary_mode=False):
        written.append(1)
        if len(written) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(self, filename, contents, binary_mode)

    monkeypatch.setattr(gfile.LocalFileSystem, "append", fills_up)
    with pytest.raises(UserError, match=r"no room left in .*goes on from the last checkpoint"):
        train(tmp_path, corpus)
    assert checkpoint.load_checkpoint(tmp_path / "last.ckpt").steps >= 2
    assert not tracebacks
    assert threading.excepthook == tracebacks.append, "other threads' errors are heard as before"


class KilledError(Exception):
    pass


@pytest.mark.parametrize("log", ["csv", "tensorboard"])
def test_a_log_that_cannot_be_written_is_named_and_the_last_checkpoint_kept(tmp_path, corpus, monkeypatch, log):
    monkeypatch.chdir(tmp_path)
    folder = Path("run")  # as most are given
    original = LipTraining.judge

    def dies(self, batch, attempt):
        if self.global_step == 3:
            raise KilledError
        return original(self, batch, attempt)

    with monkeypatch.context() as patch:
        patch.setattr(LipTraining, "judge", dies)
        with pytest.raises(KilledError):
            train(folder, corpus)
    before = (folder / "last.ckpt").read_bytes()
    in_its_place = folder / log / "from_step_000002"
    in_its_place.write_text("")
    with pytest.raises(
        UserError, match=rf"/{log}/from_step_000002 cannot be written: File exists. Mend that and train"
    ):
        train(folder, corpus)
    assert (folder / "last.ckpt").read_bytes() == before
    in_its_place.unlink()
    assert checkpoint.load_checkpoint(train(folder, corpus)).steps == 4


def test_a_file_of_the_corpus_that_cannot_be_read_is_not_the_logs_error(tmp_path, corpus, monkeypatch):
    def gone(*_args, **_kwargs):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "/elsewhere/clip.mp4")

    monkeypatch.setattr(LipTraining, "judge", gone)
    with pytest.raises(FileNotFoundError, match=r"clip\.mp4"):
        train(tmp_path, corpus)
