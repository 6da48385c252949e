"""Losses and gradients that are no numbers any more: where a run stops, and how one trains on."""

from __future__ import annotations

import re
from dataclasses import replace

import lightning
import pytest
import torch
from lightning.pytorch.plugins import MixedPrecision

from lipbench.benchmarks.cli.main import main
from lipbench.errors import UserError
from lipbench.training import checkpoint, fit, losses
from lipbench.training.config import TrainingConfig
from lipbench.training.module import LipTraining

CONFIG = TrainingConfig(steps=4, clips=2, frames_per_clip=2, checkpoint_steps=2, strip_checkpoints=0)


def train(folder, corpus, *, config=CONFIG):
    return fit.train(
        "hh_t2l", "tiny", options={}, corpus=corpus, config=config, folder=folder, progress=False, device="cpu"
    )


def without_a_gradient(loss):
    """The same loss, whose gradient is not a number: that of a root at nothing, times nothing."""
    return loss + (loss * 0).sqrt()


@pytest.mark.parametrize("spoiled", [lambda loss: loss * float("nan"), without_a_gradient], ids=["loss", "gradient"])
def test_a_discriminator_that_is_lost_stops_and_keeps_the_last_checkpoint(tmp_path, corpus, monkeypatch, spoiled):
    original = losses.discriminator_loss
    calls = []

    def broken(true, drawn):
        calls.append(1)
        return spoiled(original(true, drawn)) if len(calls) == 4 else original(true, drawn)

    monkeypatch.setattr(losses, "discriminator_loss", broken)
    with pytest.raises(UserError, match=r"discriminator's .* not a number any more at step 3\."):
        train(tmp_path, corpus, config=replace(CONFIG, weight_adversarial=5.0))
    assert checkpoint.load_checkpoint(tmp_path / "last.ckpt").steps == 2


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_checkpoint(tmp_path, corpus, monkeypatch):
    original = LipTraining.judge

    def broken(self, batch, attempt):
        parts = original(self, batch, attempt)
        return {**parts, "l1": (1.0, torch.tensor(float("nan")))} if self.global_step == 3 else parts

    monkeypatch.setattr(LipTraining, "judge", broken)
    with pytest.raises(UserError, match=r"not a number any more at step 3.*l1 nan"):
        train(tmp_path, corpus)
    assert checkpoint.load_checkpoint(tmp_path / "last.ckpt").steps == 2


def spoil_the_gradient(monkeypatch, step):
    """Give the loss of one step a gradient that is not a number."""
    original = LipTraining.judge

    def spoiled(self, batch, attempt):
        parts = original(self, batch, attempt)
        weight, loss = parts["l1"]
        return {**parts, "l1": (weight, without_a_gradient(loss))} if self.global_step == step else parts

    monkeypatch.setattr(LipTraining, "judge", spoiled)


def all_finite(path):
    content = torch.load(path, weights_only=True)
    return all(bool(torch.isfinite(weight).all()) for weight in content["state_dict"].values())


@pytest.mark.parametrize("changes", [{}, {"clip_norm": 0.0}, {"precision": "bf16-mixed"}], ids=str)
def test_a_gradient_that_is_no_number_stops_and_keeps_the_last_checkpoint(tmp_path, corpus, monkeypatch, changes):
    spoil_the_gradient(monkeypatch, 3)
    with pytest.raises(
        UserError, match=r"the gradient is not a number any more at step 3\. The last checkpoint is kept"
    ):
        train(tmp_path, corpus, config=replace(CONFIG, **changes))
    assert checkpoint.load_checkpoint(tmp_path / "last.ckpt").steps == 2
    assert all_finite(tmp_path / "last.ckpt")


@pytest.mark.parametrize("clip_norm", [5.0, 0.0])
def test_in_half_precision_the_scaler_leaves_such_a_step_out(tmp_path, corpus, monkeypatch, clip_norm):
    class OnACPU(lightning.Trainer):
        """Lightning itself would change a CPU's float16 to bfloat16, which has no scaler."""

        def __init__(self, *, precision, plugins, **others):
            assert precision == "16-mixed"
            super().__init__(plugins=[*plugins, MixedPrecision(precision, "cpu")], **others)

    monkeypatch.setattr(fit.lightning, "Trainer", OnACPU)
    monkeypatch.setattr(fit.Hardware, "check", lambda *_: None)
    spoil_the_gradient(monkeypatch, 2)
    path = train(tmp_path, corpus, config=replace(CONFIG, precision="16-mixed", clip_norm=clip_norm))
    scaler = torch.load(path, weights_only=True)["MixedPrecision"]
    assert scaler["_growth_tracker"] == 1, "of the steps after the one left out"
    assert checkpoint.load_checkpoint(path).steps == 4
    assert all_finite(path)


def test_who_follows_the_remedy_trains_on(tmp_path, corpus, monkeypatch, capsys):
    original = LipTraining.judge

    def too_fast(self, batch, attempt):
        parts = original(self, batch, attempt)
        lost = self.global_step == 3 and self.config.learning_rate > 5e-4
        return {**parts, "l1": (1.0, parts["l1"][1] * float("nan"))} if lost else parts

    monkeypatch.setattr(LipTraining, "judge", too_fast)
    recipe = [f"training.{name}={value}" for name, value in vars(CONFIG).items()]
    words = ["train", "preset=tiny", "device=cpu", f"out={tmp_path}", "corpus.train=4", "corpus.test=2",
             "corpus.speakers=2", "corpus.seconds=[0.6,0.9]", *recipe]  # fmt: skip
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    ((lower, other),) = re.findall(r"a lower (training\.\w+) and another (\w+)=NAME", said)
    before = (tmp_path / "train" / "hh_t2l-tiny" / "last.ckpt").read_bytes()
    assert main([*words, f"{lower}=0.0001"]) == 2, "a lower rate alone is another recipe, in the same folder"
    assert "comes from another run" in capsys.readouterr().err
    assert main([*words, f"{lower}=0.0001", f"{other}=slower"]) == 0
    assert checkpoint.load_checkpoint(tmp_path / "train" / "slower" / "last.ckpt").steps == 4
    assert (tmp_path / "train" / "hh_t2l-tiny" / "last.ckpt").read_bytes() == before
