from __future__ import annotations

import logging
import signal
from dataclasses import replace
from types import SimpleNamespace

import cv2
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lipbench.corpora.synthetic.corpus import SyntheticCorpus
from lipbench.errors import UserError
from lipbench.training import checkpoint, fit
from lipbench.training.config import TrainingConfig
from lipbench.training.frames import to_model_size
from lipbench.training.module import LipTraining

CONFIG = TrainingConfig(steps=4, clips=2, frames_per_clip=2, checkpoint_steps=2)


def train(folder, corpus, *, model="hh_t2l", preset="tiny", config=CONFIG, **options):
    return fit.train(
        model, preset, options=options, corpus=corpus, config=config, folder=folder, progress=False, device="cpu"
    )


class KilledError(Exception):
    pass


ADAMW = {"optimizer": "adamw", "schedule": "inverse_sqrt", "warmup": 2}
RECIPES = [
    ("hh_t2l", {}, {"weight_adversarial": 5.0}),
    ("hh_t2l", {}, {"weight_adversarial": 5.0, "precision": "bf16-mixed"}),
    ("dual_lip", {}, {"feedback_noise": 0.05}),
    ("dual_lip", {"durations": True}, {}),
    ("transformer_t2l", {}, {"scheduled_sampling": 1.0, **ADAMW}),
]


@pytest.mark.parametrize(("model", "options", "changes"), RECIPES)
def test_a_run_that_was_killed_goes_on_exactly_as_an_unbroken_one(
    tmp_path, corpus, monkeypatch, model, options, changes
):
    config = replace(CONFIG, **changes)
    whole = train(tmp_path / "whole", corpus, model=model, config=config, **options)
    original = LipTraining.training_step

    def dies(self, batch, batch_idx):
        if self.global_step == 3:
            raise KilledError
        return original(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(LipTraining, "training_step", dies)
        with pytest.raises(KilledError):
            train(tmp_path / "broken", corpus, model=model, config=config, **options)
    assert checkpoint.load_checkpoint(tmp_path / "broken" / "last.ckpt").steps == 2
    resumed = train(tmp_path / "broken", corpus, model=model, config=config, **options)
    assert checkpoint.load_checkpoint(resumed).steps == checkpoint.load_checkpoint(whole).steps == 4
    assert weights(resumed) == weights(whole), "the discriminator's as well"


def weights(path):
    return checkpoint.digest(torch.load(path, weights_only=True)["state_dict"])


def test_the_discriminator_is_in_the_checkpoint_and_not_in_the_model(tmp_path, corpus):
    path = train(tmp_path, corpus, config=replace(CONFIG, steps=1, weight_adversarial=5.0))
    names = set(torch.load(path, weights_only=True)["state_dict"])
    scored = {f"model.{name}" for name in checkpoint.load_checkpoint(path).model.state_dict()}
    assert scored < names
    assert {name.split(".")[0] for name in names - scored} == {"adversary"}


def test_the_discriminator_changes_what_is_learned(tmp_path, corpus):
    alone = train(tmp_path / "ssim", corpus, config=replace(CONFIG, steps=1))
    judged = train(tmp_path / "ssim_adv", corpus, config=replace(CONFIG, steps=1, weight_adversarial=5.0))
    assert checkpoint.load_checkpoint(alone).digest != checkpoint.load_checkpoint(judged).digest


def test_half_precision_learns_nearly_the_same_and_keeps_its_weights_whole(tmp_path, corpus):
    config = replace(CONFIG, weight_adversarial=5.0)
    exact = train(tmp_path / "32", corpus, config=config)
    half = train(tmp_path / "16", corpus, config=replace(config, precision="bf16-mixed"))
    assert all(w.dtype != torch.bfloat16 for w in torch.load(half, weights_only=True)["state_dict"].values())
    totals = [column(folder, "loss/total")[-1] for folder in (tmp_path / "32", tmp_path / "16")]
    assert totals[0] != totals[1]
    assert totals[0] == pytest.approx(totals[1], rel=0.02)
    assert checkpoint.load_checkpoint(exact).digest != checkpoint.load_checkpoint(half).digest


def column(folder, name):
    rows = (folder / "csv" / "from_step_000000" / "metrics.csv").read_text().splitlines()
    place = rows[0].split(",").index(name)
    return [float(row.split(",")[place]) for row in rows[1:]]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"devices": 0}, "at least 1"),
        ({"devices": 3}, "2 clips per step cannot be shared evenly by 3 processes"),
        ({"strategy": "fsdp"}, "no strategy named 'fsdp'"),
        ({"config": replace(CONFIG, precision="16-mixed")}, "bf16-mixed"),
    ],
)
def test_hardware_that_cannot_work_is_named(tmp_path, corpus, asked, says):
    config = asked.pop("config", CONFIG)
    with pytest.raises(UserError, match=says):
        fit.train(
            "hh_t2l", "tiny", options={}, corpus=corpus, config=config, folder=tmp_path, progress=False, device="cpu",
            **asked,
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_tensorboard_is_told_the_losses_that_the_csv_has(tmp_path, corpus):
    train(tmp_path, corpus, config=replace(CONFIG, strip_checkpoints=0))
    events = EventAccumulator(str(tmp_path / "tensorboard" / "from_step_000000"))
    events.Reload()
    for name in ("loss/total", "loss/l1", "loss/ssim", "loss/duration"):
        told = events.Scalars(name)
        assert [scalar.step for scalar in told] == [int(step) for step in column(tmp_path, "step")]
        assert [scalar.value for scalar in told] == pytest.approx(column(tmp_path, name), rel=1e-6)


def test_gradients_are_clipped_to_the_norm_of_the_recipe(tmp_path, corpus):
    # one_cycle moves the first beta as well
    config = replace(CONFIG, steps=1, strip_checkpoints=0, schedule="constant")

    def norm(clip):
        path = train(tmp_path / str(clip), corpus, config=replace(config, clip_norm=clip))
        (adam,) = torch.load(path, weights_only=True)["optimizer_states"]
        means = [state["exp_avg"].flatten() for state in adam["state"].values()]
        # Adam's steps hardly tell large gradients from small ones; its mean of the first one is a tenth of it
        return torch.cat(means).norm().item() / (1 - config.beta1)

    whole = norm(0.0)
    assert norm(whole / 3) == pytest.approx(whole / 3, rel=1e-3)
    assert norm(whole * 3) == pytest.approx(whole, rel=1e-3), "what is small enough is left alone"


def test_strips_show_the_truth_and_what_is_drawn_and_change_nothing(tmp_path, corpus):
    with_strips = replace(CONFIG, strip_checkpoints=1)
    path = train(tmp_path / "with", corpus, config=with_strips)
    bare = train(tmp_path / "without", corpus, config=replace(CONFIG, strip_checkpoints=0))
    assert checkpoint.load_checkpoint(path).digest == checkpoint.load_checkpoint(bare).digest
    files = sorted((tmp_path / "with" / "strips").iterdir())
    assert [file.name for file in files] == ["step_000002.png", "step_000004.png"]
    assert not (tmp_path / "without" / "strips").exists()
    early, late = (cv2.imread(str(file))[..., ::-1].astype(int) for file in files)
    assert early.shape == (2 * 3 * 20, 10 * 40, 3)
    first = to_model_size(corpus.load(corpus.ids("train")[0]).frames[:1], (20, 40))[0].permute(1, 2, 0).numpy()
    assert (early[:20, :40] == first).all(), "the truth is above"
    assert (early[:20] == late[:20]).all()
    assert (early[20:40] != late[20:40]).any(), "what is drawn is below, and changes"
    events = EventAccumulator(str(tmp_path / "with" / "tensorboard" / "from_step_000000"))
    events.Reload()
    assert [image.step for image in events.Images("strips")] == [2, 4]


def test_a_model_that_cannot_generate_loses_its_strips_and_not_its_training(tmp_path, corpus, caplog):
    broken = tmp_path / "broken.py"
    broken.write_text(
        "from lipbench.models.hh_t2l.model import HHT2L\n"
        "class Broken(HHT2L):\n"
        "    def generate(self, request):\n"
        "        raise MemoryError('no room')\n"
    )
    with caplog.at_level(logging.WARNING, logger="lipbench.training"):
        path = train(tmp_path / "run", corpus, model=f"{broken}:Broken", config=replace(CONFIG, strip_checkpoints=1))
    assert path.exists()
    assert "no strip at step 2: MemoryError: no room" in caplog.text
    assert not (tmp_path / "run" / "strips").exists()


def test_a_checkpoint_from_before_an_option_was_there_is_of_the_same_run(tmp_path, corpus, caplog):
    path = train(tmp_path, corpus)
    content = torch.load(path, weights_only=True)
    for name in ("weight_adversarial", "precision", "feedback_noise"):
        del content["lipbench"]["training"][name]
    torch.save(content, path)
    with caplog.at_level(logging.INFO):
        train(tmp_path, corpus)
    assert "has its 4 steps already" in caplog.text
    with pytest.raises(UserError, match=r"weight_adversarial was 0.0, asked 5.0"):
        train(tmp_path, corpus, config=replace(CONFIG, weight_adversarial=5.0))


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
    with pytest.raises(UserError, match="preset: was tiny, asked small"):
        train(tmp_path, corpus, preset="small")
    with pytest.raises(UserError, match="corpus_fingerprint: was"):
        train(tmp_path, SyntheticCorpus(train=5, test=2, speakers=2, seconds=(0.6, 0.9)))
    with pytest.raises(UserError, match="symbols: was"):
        train(tmp_path, Changed(corpus, symbols=(*corpus.symbols, "ß")))
    assert path.read_bytes() == before


class Changed:
    """A corpus with something about it changed."""

    def __init__(self, corpus, **changes):
        self._corpus = corpus
        self._changes = changes

    def __getattr__(self, name):
        return self._changes[name] if name in self._changes else getattr(self._corpus, name)


def without_durations(corpus):
    def load(name):
        whole = corpus.load(name)
        return SimpleNamespace(id=whole.id, tokens=whole.tokens, frames=whole.frames, durations=None)

    return Changed(corpus, load=load)


def test_a_corpus_without_durations_is_refused_where_they_are_learned(tmp_path, corpus):
    with pytest.raises(UserError, match=r"f00/\d+ of the corpus 'synthetic' has no durations.*dual_lip"):
        train(tmp_path, without_durations(corpus))


def test_a_model_that_needs_no_durations_learns_without_any(tmp_path, corpus):
    config = replace(CONFIG, steps=2)
    bare = train(tmp_path / "bare", without_durations(corpus), model="dual_lip", config=config)
    full = train(tmp_path / "full", corpus, model="dual_lip", config=config)
    assert checkpoint.load_checkpoint(bare).digest == checkpoint.load_checkpoint(full).digest


def test_training_lowers_the_loss(tmp_path, corpus):
    train(
        tmp_path, corpus, config=replace(CONFIG, steps=60, checkpoint_steps=5, schedule="constant", learning_rate=3e-3)
    )
    totals = column(tmp_path, "loss/total")
    assert totals[-1] < 0.8 * totals[0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"steps": 0}, "steps"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"schedule": "cosine"}, "cosine"),
        ({"schedule": "one_cycle", "warmup": 5}, "takes no warmup"),
        ({"schedule": "inverse_sqrt"}, "needs warmup"),
        ({"optimizer": "sgd"}, "sgd"),
        ({"precision": "8"}, "precision is one of"),
        ({"duration_loss": "huber"}, "huber"),
        ({"beta2": 1.0}, "beta2"),
        ({"weight_adversarial": -5.0}, "weight_adversarial"),
        ({"discriminator_learning_rate": 0.0}, "discriminator_learning_rate"),
        ({"scheduled_sampling": 1.5}, "scheduled_sampling"),
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
    original = LipTraining.training_step

    def interrupted(self, batch, batch_idx):
        if self.global_step == 3:
            signal.raise_signal(signal.SIGINT)
        return original(self, batch, batch_idx)

    monkeypatch.setattr(LipTraining, "training_step", interrupted)
    # a job in the background of a shell is started with interrupts ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, corpus)
    finally:
        signal.signal(signal.SIGINT, before)
    assert checkpoint.load_checkpoint(tmp_path / "last.ckpt").steps in (2, 3)
