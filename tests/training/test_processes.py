"""Runs in processes of their own: several that train together, and one that is killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from lipbench.records.run_folder import CHECKPOINT
from lipbench.training import checkpoint, fit
from lipbench.training.config import TrainingConfig

ROOT = Path(__file__).parents[2]
PROGRAM = """
import atexit, os, shutil, sys
import torch
from lipbench.benchmarks.cli.main import main
from lipbench.training.atomic import AtomicCheckpoints

# in one write: two processes end at the same time, and lines written in parts mix
atexit.register(lambda: os.write(2, f"in a group: {torch.distributed.is_initialized()}\\n".encode()))
write = AtomicCheckpoints.save_checkpoint

def keep(self, content, path, storage_options=None):
    write(self, content, path, storage_options)
    shutil.copy(path, f"{path}.at_{content['global_step']}")

AtomicCheckpoints.save_checkpoint = keep
sys.exit(main(sys.argv[1:]))
"""
SPOILED = """
import sys
from lipbench.benchmarks.cli.main import main
from lipbench.training.module import LipTraining

judge = LipTraining.judge

def spoiled(self, batch, attempt):
    parts = judge(self, batch, attempt)
    if self.global_rank == 1 and self.global_step == 1:
        weight, loss = parts["l1"]
        parts["l1"] = weight, loss + (loss * 0).sqrt()  # as large as before; its gradient is no number
    return parts

LipTraining.judge = spoiled
sys.exit(main(sys.argv[1:]))
"""
CORPUS = ["corpus.train=4", "corpus.test=2", "corpus.speakers=2", "corpus.seconds=[0.6,0.9]"]


def command(folder, config, *words, program=("-m", "lipbench")):
    recipe = [f"training.{name}={value}" for name, value in vars(config).items() if not isinstance(value, dict)]
    return [sys.executable, *program, "train", "preset=tiny", "device=cpu", "name=it", f"out={folder}",
            *CORPUS, *recipe, *words]  # fmt: skip


def environment():
    # as many threads as here: sums in another order would differ in the last digit
    return {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads()), "PYTHONPATH": str(ROOT)}


def here(folder, corpus, config, model="hh_t2l", **options):
    return fit.train(
        model, "tiny", options=options, corpus=corpus, config=config, folder=folder, progress=False, device="cpu"
    )


def test_a_run_killed_outright_goes_on_exactly_as_an_unbroken_one(tmp_path, corpus):
    config = TrainingConfig(
        steps=60, clips=2, frames_per_clip=2, checkpoint_steps=1, strip_checkpoints=0, weight_adversarial=5.0
    )
    target = tmp_path / "train" / "it" / CHECKPOINT
    process = subprocess.Popen(
        command(tmp_path, config), cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        limit = time.monotonic() + 600
        while not target.exists() and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.01)
    finally:
        process.kill()
        _, said = process.communicate()
    assert target.exists(), said.decode()
    done = checkpoint.load_checkpoint(target).steps
    assert 1 <= done < config.steps
    resumed = here(target.parent, corpus, config)
    whole = here(tmp_path / "whole", corpus, config)
    assert weights(resumed) == weights(whole)
    ours, theirs = last_row(target.parent, f"from_step_{done:06d}"), last_row(tmp_path / "whole", "from_step_000000")
    assert ours == theirs, "the same losses to the last digit"
    assert "loss/discriminator" in ours


def weights(path):
    return checkpoint.digest(torch.load(path, weights_only=True)["state_dict"])


def last_row(folder, version):
    rows = (folder / "csv" / version / "metrics.csv").read_text().splitlines()
    return dict(zip(rows[0].split(","), rows[-1].split(","), strict=True))


# of the three models the one with everything that could differ: batch norm over unequal numbers of frames, losses per
# frame over clips of unequal length, and a discriminator. Dropout would draw other numbers in each process.
SHARED = TrainingConfig(
    steps=3, clips=4, frames_per_clip=2, checkpoint_steps=2, strip_checkpoints=1, weight_adversarial=5.0
)


def alone(folder, corpus):
    return here(folder, corpus, SHARED, model="transformer_t2l", feedback_dropout=0.0)


def together(folder, program, config, *words):
    """Run a program in two processes to their ends: its exit code, and what both of them wrote."""
    file = folder / "program.py"  # each process runs it
    file.write_text(program)
    process = subprocess.Popen(
        command(folder, config, "devices=2", *words, program=[str(file)]), cwd=ROOT, env=environment(),
        start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        out, said = process.communicate(timeout=900)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the second process as well, if the first has left it
    return process.returncode, out, said


class Two(NamedTuple):
    """What two processes trained."""

    folder: Path
    out: str
    said: str


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    words = ["model=transformer_t2l", "options.feedback_dropout=0.0", "corpus.seed=0"]
    code, out, said = together(folder, PROGRAM, SHARED, *words)
    assert code == 0, said
    return Two(folder / "train" / "it", out, said)


def assert_nearly_the_same(path, other):
    """Compare all weights of two checkpoints, with a tenth of what one step may move any for a tolerance.

    Adam moves a weight by its rate whatever its gradient's size, so where roundings decide a sign, more may differ.
    """
    found, expected = (torch.load(one, weights_only=True)["state_dict"] for one in (path, other))
    assert set(found) == set(expected)
    for name, weight in expected.items():
        seen = "running" in name
        rate = SHARED.discriminator_learning_rate if name.startswith("adversary.") else SHARED.learning_rate
        rtol, atol = (1e-3, 1e-5) if seen else (0.0, rate / 10)
        assert torch.allclose(found[name], weight, rtol=rtol, atol=atol), name
    assert any("running" in name for name in expected)
    assert any(name.startswith("adversary.") for name in expected)


def assert_the_same_losses(ours, theirs):
    assert set(ours) == set(theirs)
    assert {"loss/stop", "loss/attention", "loss/discriminator"} < set(ours)
    for name, value in theirs.items():
        assert float(ours[name]) == pytest.approx(float(value), rel=1e-4), name


def test_two_processes_train_what_one_does(tmp_path, corpus, two):
    one = alone(tmp_path, corpus)
    assert_the_same_losses(last_row(two.folder, "from_step_000000"), last_row(tmp_path, "from_step_000000"))
    assert_nearly_the_same(two.folder / CHECKPOINT, one)
    assert checkpoint.load_checkpoint(two.folder / CHECKPOINT).steps == 3


def test_only_one_of_two_processes_reports_and_both_leave_their_group(two):
    assert two.out.count("checkpoint:") == 1
    assert two.said.count("in a group: False") == 2, "one that ends in a group may be aborted by its threads"


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
def test_what_two_processes_began_one_goes_on_with(tmp_path, corpus, two):
    shutil.copy(two.folder / "last.ckpt.at_2", tmp_path / CHECKPOINT)
    one = alone(tmp_path, corpus)
    assert checkpoint.load_checkpoint(one).steps == 3
    assert_the_same_losses(last_row(tmp_path, "from_step_000002"), last_row(two.folder, "from_step_000000"))
    assert_nearly_the_same(one, two.folder / CHECKPOINT)


def test_two_processes_stop_together_where_the_gradient_of_one_is_no_number(tmp_path):
    config = TrainingConfig(steps=2, clips=2, frames_per_clip=2, checkpoint_steps=1, strip_checkpoints=0)
    code, _, said = together(tmp_path, SPOILED, config, "model=hh_t2l")
    assert code == 2, said
    assert said.count("the gradient is not a number any more at step 1") == 2
    assert "Traceback" not in said
    assert checkpoint.load_checkpoint(tmp_path / "train" / "it" / CHECKPOINT).steps == 1
