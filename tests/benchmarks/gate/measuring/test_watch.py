from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from lipbench.benchmarks.gate.measuring import watch
from lipbench.benchmarks.gate.measuring.turn_server import TurnServer
from lipbench.benchmarks.gate.pairs import Conditions


def started(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def watched(code: str) -> tuple[str, Conditions]:
    with TurnServer("head") as referee:
        outputs, conditions = watch.wait_and_watch({"head": started(code)}, referee, "cpu")
    return outputs["head"], conditions


def machine(monkeypatch, *, clocks=(), **busy) -> None:
    """A machine whose cores have been busy for 0 seconds at first, and for others later; with these clocks in turn."""
    states = iter([SimpleNamespace(**{"user": 0.0, "system": 0.0} | dict.fromkeys(busy, 0.0))])
    later = SimpleNamespace(**{"user": 0.0, "system": 0.0} | busy)
    monkeypatch.setattr(psutil, "cpu_times", lambda: next(states, later))
    readings = iter(clocks)
    last = clocks[-1] if clocks else None
    monkeypatch.setattr(psutil, "cpu_freq", lambda: last and SimpleNamespace(current=next(readings, last)))


def test_a_process_ends_and_its_output_comes_back_whole():
    output, conditions = watched("print('x' * 300_000); raise SystemExit('why')")
    assert output == "x" * 300_000 + "\nwhy\n"
    assert conditions.pulse_s is not None
    assert conditions.pulse_s > 0


@pytest.mark.parametrize("kind", ["user", "system", "nice", "steal"])
def test_cores_that_others_kept_busy_or_took_away_are_counted(kind, monkeypatch):
    machine(monkeypatch, **{kind: 1e6})
    _, conditions = watched("pass")
    assert conditions.foreign_cores is not None
    assert conditions.foreign_cores > 100


def test_the_childs_own_seconds_are_taken_off(monkeypatch):
    machine(monkeypatch, user=0.3)
    _, conditions = watched("import time\nwhile time.process_time() < 0.4: pass")
    assert conditions.foreign_cores == 0.0, "0.4 of 0.3 busy seconds were the child's own; less than none is none"


def test_the_clock_is_read_while_the_block_runs_and_averaged(monkeypatch):
    monkeypatch.setattr(watch, "POLL_S", 0.05)
    machine(monkeypatch, clocks=[1000.0, 3000.0])
    _, conditions = watched("import time; time.sleep(0.5)")
    assert conditions.clock_mhz is not None
    assert 1000 < conditions.clock_mhz < 3000


def test_a_clock_that_cannot_be_read_is_none(monkeypatch):
    monkeypatch.setattr(watch, "POLL_S", 0.05)
    machine(monkeypatch)
    assert watched("import time; time.sleep(0.2)")[1].clock_mhz is None


def test_a_gate_that_is_broken_off_leaves_no_process_behind(monkeypatch):
    def interrupted(device: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "POLL_S", 0.05)
    monkeypatch.setattr(watch, "_clock_mhz", interrupted)
    processes = {side: started("import time; time.sleep(600)") for side in ("base", "head")}
    with TurnServer(*processes) as referee, pytest.raises(KeyboardInterrupt):
        watch.wait_and_watch(processes, referee, "cpu")
    assert all(process.wait(5) != 0 for process in processes.values())
