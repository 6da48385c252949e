"""Processes of our own, watched from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import psutil
import pytest

from lipbench.processes import LostProcessError, initialise_worker, run_in_subprocess, usable_cores

ROOT = Path(__file__).parents[2]
PARENT = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from lipbench.processes import initialise_worker

with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=initialise_worker) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


def test_usable_cores_are_those_that_the_process_may_run_on():
    count = "from lipbench.processes import usable_cores; print(usable_cores())"
    pinned = f"import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); {count}"
    assert subprocess.check_output([sys.executable, "-c", pinned], cwd=ROOT) == b"1\n"
    assert 1 <= usable_cores() <= psutil.cpu_count()


def test_a_function_is_called_in_another_process():
    assert run_in_subprocess(os.getpid) != os.getpid()


def test_a_process_that_dies_is_an_error():
    with pytest.raises(LostProcessError, match="without an answer"):
        run_in_subprocess(os._exit, 1)


def test_a_worker_ends_with_a_parent_that_is_killed():
    with subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        assert worker.is_running()
        parent.kill()
    end = time.monotonic() + 20
    while lives(worker) and time.monotonic() < end:
        time.sleep(0.05)
    assert not lives(worker)


def lives(process):
    try:
        # nobody may collect an orphan, so it may stay on as a zombie
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_worker_leaves_an_interrupt_to_its_parent():
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=initialise_worker) as pool:
        os.kill(pool.submit(os.getpid).result(), signal.SIGINT)
        assert pool.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN
