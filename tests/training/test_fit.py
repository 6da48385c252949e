from __future__ import annotations

import logging
import signal
from dataclasses import replace

import pytest
import torch

from models.errors import UserError
from training import checkpoint, fit
from training.atomic import AtomicCheckpoints
from training.config import TrainingConfig

CONFIG = TrainingConfig(steps=4, clips=2, frames_per_clip=2, checkpoint_steps=2)


def train(folder, corpus, *, model="hh_t2l", preset="tiny", config=CONFIG, **options):
    return fit.train(
        model, preset, options=options, corpus=corpus, config=config, folder=folder, progress=False, device="cpu"
    )


class KilledError(Exception):
    pass


@pytest.mark.parametrize("model", ["hh_t2l", "dual_lip", "transformer_t2l"])
def test_a_run_that_was_killed_goes_on_exactly_as_an_unbroken_one(tmp_path, corpus, monkeypatch, model):
    whole = checkpoint.load(train(tmp_path / "whole", corpus, model=model))
    original = fit.LipTraining.training_step

    def dies(self, batch, batch_idx):
        if self.global_step == 3:
            raise KilledError
        return original(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(fit.LipTraining, "training_step", dies)
        with pytest.raises(KilledError):
            train(tmp_path / "broken", corpus, model=model)
    assert checkpoint.load(tmp_path / "broken" / "last.ckpt").steps == 2
    resumed = checkpoint.load(train(tmp_path / "broken", corpus, model=model))
    assert resumed.steps == whole.steps == 4
    assert resumed.digest == whole.digest


def test_a_finished_run_is_not_done_again(tmp_path, corpus, caplog):
    path = train(tmp_path, corpus)
    before = path.stat().st_mtime_ns
    with caplog.at_level(logging.INFO):
        assert train(tmp_path, corpus) == path
    assert path.stat().st_mtime_ns == before
    assert "has its 4 steps already" in caplog.text


def test_a_folder_of_another_run_is_refused_and_left_alone(tmp_path, corpus):
    path = train(tmp_path, corpus)
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"learning_rate was 0.001, asked 0.01"):
        train(tmp_path, corpus, config=replace(CONFIG, learning_rate=0.01))
    with pytest.raises(UserError, match="model: was hh_t2l, asked dual_lip"):
        train(tmp_path, corpus, model="dual_lip")
    assert path.read_bytes() == before


def test_training_lowers_the_loss(tmp_path, corpus):
    train(
        tmp_path, corpus, config=replace(CONFIG, steps=60, checkpoint_steps=5, schedule="constant", learning_rate=3e-3)
    )
    rows = (tmp_path / "csv" / "from_step_000000" / "metrics.csv").read_text().splitlines()
    column = rows[0].split(",").index("loss/total")
    totals = [float(row.split(",")[column]) for row in rows[1:]]
    assert totals[-1] < 0.8 * totals[0]


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_checkpoint(tmp_path, corpus, monkeypatch):
    original = fit.LipTraining.judge

    def broken(self, lesson, attempt):
        parts = original(self, lesson, attempt)
        return {**parts, "l1": (1.0, torch.tensor(float("nan")))} if self.global_step == 3 else parts

    monkeypatch.setattr(fit.LipTraining, "judge", broken)
    with pytest.raises(UserError, match=r"not a number any more at step 3.*l1 nan"):
        train(tmp_path, corpus)
    assert checkpoint.load(tmp_path / "last.ckpt").steps == 2


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"steps": 0}, "steps"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"schedule": "cosine"}, "cosine"),
        ({"weight_stop": -1.0}, "weight_stop"),
        ({"weight_l1": 0.0, "weight_ssim": 0.0}, "nothing else judges the picture"),
    ],
)
def test_recipes_are_checked(changes, says):
    with pytest.raises(ValueError, match=says):
        replace(CONFIG, **changes)


def test_a_model_that_cannot_learn_is_refused(tmp_path, corpus):
    file = tmp_path / "mine.py"
    file.write_text(
        "class Still:\n    def __init__(self, vocabulary_size): pass\n    def generate(self, request): ...\n"
    )
    with pytest.raises(UserError, match="cannot be trained"):
        train(tmp_path / "run", corpus, model=f"{file}:Still")


def test_an_interrupt_reaches_the_caller_and_keeps_the_last_checkpoint(tmp_path, corpus, monkeypatch):
    original = fit.LipTraining.training_step

    def interrupted(self, batch, batch_idx):
        if self.global_step == 3:
            signal.raise_signal(signal.SIGINT)
        return original(self, batch, batch_idx)

    monkeypatch.setattr(fit.LipTraining, "training_step", interrupted)
    # a job in the background of a shell is started with interrupts ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, corpus)
    finally:
        signal.signal(signal.SIGINT, before)
    assert checkpoint.load(tmp_path / "last.ckpt").steps in (2, 3)


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


def test_a_folder_that_cannot_be_made_is_named(tmp_path, corpus):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file/run cannot be made"):
        train(tmp_path / "file" / "run", corpus)
