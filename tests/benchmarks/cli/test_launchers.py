"""Each of Hydra's launchers with jobs that give back what they were told."""

from __future__ import annotations

import logging
import multiprocessing
import os
from functools import partial
from operator import attrgetter, methodcaller

import joblib
import pytest

from lipbench.benchmarks.cli.launchers import LOG, JobContext, find_launcher, start_command
from lipbench.errors import UserError

SIDE_BY_SIDE = (
    ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"],
    ["hydra/launcher=submitit_local", "hydra.launcher.timeout_min=10"],
)


@pytest.mark.parametrize("words", SIDE_BY_SIDE, ids=["joblib", "submitit"])
def test_jobs_side_by_side_each_have_a_log_of_their_own(words, tmp_path):
    jobs = {name: attrgetter("log") for name in ("first", "second", "3")}
    assert find_launcher(words).run(jobs, tmp_path, job_name="test") == {name: tmp_path / name / LOG for name in jobs}


def test_the_usual_launcher_runs_jobs_here_and_on_our_terminal(tmp_path):
    seen = []
    find_launcher([]).run(dict.fromkeys(("a", "b"), seen.append), tmp_path, job_name="test")
    assert seen == [JobContext(), JobContext()]


@pytest.mark.parametrize("words", [[], *SIDE_BY_SIDE], ids=["basic", "joblib", "submitit"])
def test_what_is_logged_afterwards_is_still_heard(words, tmp_path, caplog):
    find_launcher(words).run({"a": attrgetter("log")}, tmp_path, job_name="test")
    logging.getLogger("lipbench.benchmarks.cli.launchers").warning("after it")
    assert "after it" in caplog.messages


@pytest.mark.parametrize("words", SIDE_BY_SIDE, ids=["joblib", "submitit"])
def test_a_command_in_a_job_ends_with_its_own_code_and_prints_into_the_jobs_log(words, tmp_path):
    jobs = {"good": partial(start_command, ("list", "protocols")), "bad": partial(start_command, ("no_such_verb",))}
    assert find_launcher(words).run(jobs, tmp_path, job_name="test") == {"good": 0, "bad": 2}
    assert (tmp_path / "good" / LOG).read_text().count("lelechen63-2018") == 1, "once, not twice"
    assert "no_such_verb" in (tmp_path / "bad" / LOG).read_text()


def test_no_process_outlives_its_jobs(tmp_path):
    find_launcher(SIDE_BY_SIDE[0]).run({"a": attrgetter("log"), "b": attrgetter("log")}, tmp_path, job_name="test")
    assert not multiprocessing.active_children()


def test_jobs_side_by_side_share_the_cores(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    jobs = {name: partial(os.getenv, "OMP_NUM_THREADS") for name in ("a", "b")}
    threads = find_launcher(SIDE_BY_SIDE[0]).run(jobs, tmp_path, job_name="test")
    assert set(threads.values()) == {str(max(1, joblib.cpu_count() // 2))}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"], {"0", "1"}),
        (["hydra/launcher=joblib", "hydra.launcher.n_jobs=1"], {None}),
        ([], {None}),
    ],
)
def test_jobs_that_share_a_machine_get_one_of_its_devices_each(words, expected, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    jobs = {str(number): attrgetter("environment") for number in range(4)}
    given = find_launcher(words).run(jobs, tmp_path, job_name="test")
    assert {environment.get("CUDA_VISIBLE_DEVICES") for environment in given.values()} <= expected


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["hydra/launcher=jobilb"], "no launcher named 'jobilb'. Did you mean 'joblib'"),
        (["hydra/launcher=joblib", "hydra.launcher.cores=2"], "Hydra's options are not understood"),
    ],
)
def test_a_launcher_that_is_none_is_one_clear_error(words, says):
    with pytest.raises(UserError) as caught:
        find_launcher(words)
    assert says in str(caught.value)


def test_a_launcher_that_cannot_start_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # no cluster here
    with pytest.raises(UserError, match="the launcher submitit_slurm gave up"):
        find_launcher(["hydra/launcher=submitit_slurm"]).run({"a": attrgetter("log")}, tmp_path, job_name="test")


@pytest.mark.parametrize("words", [[], *SIDE_BY_SIDE], ids=["basic", "joblib", "submitit"])
def test_a_job_that_breaks_is_no_silence(words, tmp_path):
    with pytest.raises(UserError, match="gave up"):
        find_launcher(words).run({"a": methodcaller("no_such_method")}, tmp_path, job_name="test")


def test_which_launchers_put_several_jobs_on_one_machine():
    assert [find_launcher(words).shares for words in ([], *SIDE_BY_SIDE, ["hydra/launcher=submitit_slurm"])] == [
        False,
        True,
        True,
        False,
    ]
    assert not find_launcher(["hydra/launcher=joblib", "hydra.launcher.n_jobs=1"]).shares
