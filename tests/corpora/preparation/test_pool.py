import gc
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lipbench.corpora.manifest import StoreError
from lipbench.corpora.preparation.pool import run_jobs

DEATH = "__import__('os')._exit(1)"


def test_jobs_in_this_process():
    assert dict(run_jobs(eval, ["1 + 1", "2 + 2"], workers=0, start=gc.collect)) == {"1 + 1": 2, "2 + 2": 4}


def test_jobs_over_two_processes():
    jobs = [f"{number} * {number}" for number in range(20)]
    results = dict(run_jobs(eval, jobs, workers=2, start=gc.collect))
    assert results == {f"{number} * {number}": number**2 for number in range(20)}


def test_a_job_that_kills_its_worker_costs_only_itself():
    jobs = ["1 + 1", DEATH, "3 + 3", "4 + 4"]
    results = dict(run_jobs(eval, jobs, workers=2, start=gc.collect))
    assert results == {"1 + 1": 2, DEATH: None, "3 + 3": 6, "4 + 4": 8}


def test_an_idle_worker_that_dies_costs_no_job():
    # in flight with the deadly one, so they are tried again alone
    slow = [f"(__import__('time').sleep(0.5), __import__('os').getpid(), {number})[1:]" for number in range(3)]
    given_up, seen = [], []
    for job, result in run_jobs(eval, [DEATH, *slow], workers=2, start=gc.collect):
        if result is None:
            given_up.append(job)
            continue
        process, number = result
        seen.append(number)
        if psutil.pid_exists(process):
            psutil.Process(process).kill()
            time.sleep(0.5)  # until its pool has seen it
    assert given_up == [DEATH]
    assert sorted(seen) == [0, 1, 2]


def test_what_the_user_can_mend_comes_back_from_a_worker():
    error = "__import__('lipbench.corpora.store').corpora.store.StoreError('it is full', remedy='Empty it')"
    job = f"(_ for _ in ()).throw({error})"
    with pytest.raises(StoreError) as caught:
        list(run_jobs(eval, [job], workers=1, start=gc.collect))
    assert (caught.value.problem, caught.value.remedy) == ("it is full", "Empty it")
    assert str(caught.value) == "it is full. Empty it."


PARENT = """
import gc, sys
from lipbench.corpora.preparation.pool import run_jobs
job = f"(open({sys.argv[1]!r} + '/' + str(__import__('os').getpid()), 'w').close(), __import__('time').sleep(60))"
for _ in run_jobs(eval, [job] * 2, workers=2, start=gc.collect):
    pass
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], cwd=root) as parent:
        until(lambda: len(list(tmp_path.iterdir())) == 2 or parent.poll() is not None)
        parent.kill()
    workers = [int(path.name) for path in tmp_path.iterdir()]
    assert len(workers) == 2
    try:
        until(lambda: not any(map(runs, workers)))
        assert not any(map(runs, workers))
    finally:
        for process in filter(runs, workers):
            psutil.Process(process).kill()


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)


def runs(process):
    # nobody may collect an orphan, so it may stay on as a zombie
    return psutil.pid_exists(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE


def test_what_a_job_raises_ends_the_run():
    with pytest.raises(ZeroDivisionError):
        list(run_jobs(eval, ["1 / 0"], workers=2, start=gc.collect))


def test_no_jobs_need_no_process():
    assert list(run_jobs(eval, [], workers=2, start=gc.collect)) == []
