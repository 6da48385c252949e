"""`--multirun` as a person meets it, with real processes."""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lipbench.benchmarks.cli import multirun, verbs
from lipbench.benchmarks.cli.launchers import find_launcher
from lipbench.benchmarks.cli.main import main
from lipbench.benchmarks.cli.multirun import check_separate_outputs
from lipbench.benchmarks.config.composition import split_words, sweep_commands
from lipbench.errors import UserError
from lipbench.training import checkpoint

DOCS = Path(__file__).parents[3] / "docs"
CORPUS = ["corpus.train=4", "corpus.test=2", "corpus.speakers=2", "corpus.seconds=[0.6,0.9]"]
RECIPE = ["training.steps=2", "training.clips=2", "training.frames_per_clip=1", "training.checkpoint_steps=1"]
TRAIN = ["train", "--multirun", "preset=tiny", "device=cpu", *CORPUS, *RECIPE]
JOBLIB = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


def sweep(tmp_path, *words) -> int:
    return main([*words, f"out={tmp_path / 'run'}", f"hydra.sweep.dir={tmp_path / 'jobs'}"])


def break_training(tmp_path, name) -> Path:
    """Put something else where a training keeps its checkpoint."""
    path = tmp_path / "run" / "train" / name / "last.ckpt"
    path.parent.mkdir(parents=True)
    path.write_text("no checkpoint")
    return path


def test_two_processes_train_two_models_and_a_job_that_fails_costs_no_other(tmp_path, capfd):
    broken = break_training(tmp_path, "dual_lip-tiny")
    assert sweep(tmp_path, *TRAIN, "model=dual_lip,hh_t2l", *JOBLIB) == 2
    shown = capfd.readouterr()
    assert (tmp_path / "run" / "train" / "hh_t2l-tiny" / "last.ckpt").exists()
    assert "1 of 2 jobs failed (job 0: exit code 2)" in shown.err
    assert [line.rpartition(": ")[2] == "done" for line in shown.out.splitlines()[1:]] == [False, True]
    assert f"failed with exit code 2 (lipbench: {broken}" in shown.out
    log = (tmp_path / "jobs" / "0" / "log.txt").read_text()
    assert log.startswith("lipbench train ")
    assert f"lipbench: {broken}" in log


@pytest.fixture
def left_behind(tmp_path):
    """Processes of a sweep that was killed outright while both of its trainings ran."""
    words = [*TRAIN, "training.steps=30", "model=hh_t2l,dual_lip", *JOBLIB]
    places = [f"out={tmp_path / 'run'}", f"hydra.sweep.dir={tmp_path / 'jobs'}"]
    command = [sys.executable, "-m", "lipbench", *words, *places]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=DOCS.parent, **quiet)
    limit = time.monotonic() + 600
    while len(checkpoints(tmp_path)) < 2 and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.05)
    left = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    yield words
    for child in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def checkpoints(tmp_path) -> list[Path]:
    return sorted((tmp_path / "run" / "train").glob("*/last.ckpt"))


def test_after_a_kill_the_same_command_finishes_what_was_begun(left_behind, tmp_path, capfd):
    assert sweep(tmp_path, *left_behind) == 0
    assert [line.rpartition(": ")[2] for line in capfd.readouterr().out.splitlines()[1:]] == ["done", "done"]
    assert [checkpoint.load_checkpoint(path).steps for path in checkpoints(tmp_path)] == [30, 30]
    for log in (tmp_path / "jobs").glob("*/log.txt"):
        assert log.read_text().count("lipbench train ") == 2


def test_the_usual_launcher_goes_on_after_a_failure_too(tmp_path, capfd):
    break_training(tmp_path, "dual_lip-tiny")
    assert sweep(tmp_path, *TRAIN, "model=dual_lip,hh_t2l") == 2
    assert "job 0: exit code 2" in capfd.readouterr().err
    assert (tmp_path / "run" / "train" / "hh_t2l-tiny" / "last.ckpt").exists()


def test_every_verb_that_can_be_swept_says_so_in_its_help(capsys):
    for name, verb in verbs.verbs().items():
        assert main([name, "--help"]) == 0
        assert ("--multirun, a job for each" in capsys.readouterr().out) == (verb.claims is not None)


def check_sweep(name: str, words: list[str]) -> None:
    verb = verbs.get(name)
    check_separate_outputs(verb, [verbs.request(name, job) for job in sweep_commands(name, verb.request, words)])


@pytest.mark.parametrize(
    ("verb", "words", "claim"),
    [
        ("train", ["training.seed=1,2"], "train/hh_t2l-small"),
        ("train", ["name=a,b,a"], "train/a"),
        ("evaluate", ["batch=1,8"], "records/"),
        ("prepare", ["seed=1,2", "root=x", "corpus=grid"], "prepared/grid"),
        ("bench", ["batch=1,8"], "records"),
        ("controls", ["height=20,40"], "runs/"),
    ],
)
def test_jobs_that_would_write_to_one_place_are_named_before_anything_starts(verb, words, claim):
    with pytest.raises(UserError, match="would both write") as caught:
        check_sweep(verb, words)
    assert claim in str(caught.value)


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("train", ["name=${model}-${training.seed}", "training.seed=1,2", "model=hh_t2l,dual_lip"]),
        ("train", ["losses=base,ssim,adv"]),
        ("evaluate", ["protocol=paper,strict", "model=hh_t2l,dual_lip"]),
        ("evaluate", ["name=one,other"]),
        ("prepare", ["split=public,unseen", "root=x", "corpus=grid", "corpus.store=prepared/${split}"]),
        ("bench", ["preset=tiny,small", "out=runs/${preset}"]),
        ("controls", ["protocol=paper,strict", "out=runs/${protocol}"]),
    ],
)
def test_jobs_with_places_of_their_own_may_run(verb, words):
    check_sweep(verb, words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["report", "run=a,b", "--multirun"], "report cannot be swept"),
        (["bench", "preset=tiny,small", "-m", *JOBLIB], "disturb each other's timing"),
        (["train", "-m", "preset=tiny,smal", *RECIPE], "Did you mean 'small'"),
        (["train", "-m", "losses=ssim,ssm", *RECIPE], "Did you mean 'ssim'"),
        (["train", "-m", "training.seed=1,2", *RECIPE], "name='${model}-${training.seed}'"),
        (["train", "-m", "hydra/launcher=jobilb"], "Did you mean 'joblib'"),
        (["train", "training.seed=1,2"], "Write --multirun"),
        (["train", "hydra/launcher=joblib"], "train has nothing to launch"),
    ],
)
def test_a_sweep_that_cannot_be_is_one_line_that_names_the_way_out(words, says, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(multirun, "FOLDER", tmp_path)
    assert main(words) == 2
    assert says in capsys.readouterr().err.splitlines()[-1]
    assert not list(Path(tmp_path).iterdir())


def commands_in(page: str) -> list[list[str]]:
    """The words of each `lipbench` command in the code of a page of docs/."""
    text = (DOCS / page).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)).replace("\\\n", " ")
    lines = [line.partition("lipbench ")[2] for line in code.splitlines() if "lipbench " in line]
    return [shlex.split(line, comments=True) for line in lines]


@pytest.mark.parametrize("words", commands_in("cluster.md"), ids=" ".join)
def test_every_command_of_the_manual_is_one_that_the_command_line_takes(words):
    verb, *words = words
    if "--multirun" not in words:
        verbs.request(verb, words)
        own, hydras = split_words(words)
    else:
        own, hydras = split_words([word for word in words if word != "--multirun"])
        check_sweep(verb, own)
    assert find_launcher(hydras).name in ("basic", "joblib", "submitit_slurm")
