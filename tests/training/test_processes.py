"""Runs in processes of their own: several that train together, and one that is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from training import checkpoint, fit
from training.config import TrainingConfig

ROOT = Path(__file__).parents[2]
PROGRAM = """
import atexit, os, sys
import torch
from benchmarks.cli import main

# in one write: two processes end at the same time, and lines written in parts mix
atexit.register(lambda: os.write(2, f"in a group: {torch.distributed.is_initialized()}\\n".encode()))
sys.exit(main(sys.argv[1:]))
"""
CORPUS = ["corpus.train=4", "corpus.test=2", "corpus.speakers=2", "corpus.seconds=[0.6,0.9]"]


def command(folder, config, *words, program=("-m", "benchmarks.cli")):
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
    target = tmp_path / "train" / "it" / fit.LAST
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
    done = checkpoint.load(target).steps
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


def test_two_processes_train_what_one_does(tmp_path, corpus):
    # of the three models the one with everything that could differ: batch norm over unequal numbers of frames, losses
    # per frame over clips of unequal length, and a discriminator. Dropout would draw other numbers in each process.
    config = TrainingConfig(
        steps=3, clips=4, frames_per_clip=2, checkpoint_steps=2, strip_checkpoints=1, weight_adversarial=5.0
    )
    words = ["model=transformer_t2l", "options.feedback_dropout=0.0", "devices=2", "corpus.seed=0"]
    program = tmp_path / "program.py"  # each process runs it
    program.write_text(PROGRAM)
    process = subprocess.Popen(
        command(tmp_path, config, *words, program=[str(program)]), cwd=ROOT, env=environment(),
        start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        out, said = process.communicate(timeout=900)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the second process as well, if the first has left it
    assert process.returncode == 0, said
    assert out.count("checkpoint:") == 1, "only one process reports"
    assert said.count("in a group: False") == 2, "one that ends in a group may be aborted by its threads"
    one = here(tmp_path / "one", corpus, config, model="transformer_t2l", feedback_dropout=0.0)
    ours, theirs = (
        last_row(tmp_path / "train" / "it", "from_step_000000"),
        last_row(tmp_path / "one", "from_step_000000"),
    )
    assert set(ours) == set(theirs)
    assert {"loss/stop", "loss/attention", "loss/discriminator"} < set(ours)
    for name, value in theirs.items():
        assert float(ours[name]) == pytest.approx(float(value), rel=1e-4), name
    state, expected = (
        torch.load(path, weights_only=True)["state_dict"] for path in (tmp_path / "train" / "it" / fit.LAST, one)
    )
    seen = [name for name in expected if "running" in name]
    assert seen
    for name in seen:
        assert torch.allclose(state[name], expected[name], rtol=1e-3, atol=1e-5), name
    assert checkpoint.load(tmp_path / "train" / "it" / fit.LAST).steps == 3
