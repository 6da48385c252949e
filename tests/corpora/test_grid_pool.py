import gc

import pytest

from corpora.grid.pool import run_jobs

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


def test_what_a_job_raises_ends_the_run():
    with pytest.raises(ZeroDivisionError):
        list(run_jobs(eval, ["1 / 0"], workers=2, start=gc.collect))


def test_no_jobs_need_no_process():
    assert list(run_jobs(eval, [], workers=2, start=gc.collect)) == []
