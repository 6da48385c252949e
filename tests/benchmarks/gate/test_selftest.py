from __future__ import annotations

from lipbench.benchmarks.cli.main import main
from lipbench.benchmarks.gate import selftest
from lipbench.benchmarks.gate.verdict import Margins, Verdict


def test_the_gate_sees_every_regression_that_is_put_in(capsys):
    assert main(["gate", "--self-test"]) == 0
    printed = capsys.readouterr().out
    assert "ok      every call 5 % slower: fail" in printed
    assert "ok      blurred clips: fail" in printed


def test_a_gate_that_lets_everything_pass_fails_its_self_test(monkeypatch, capsys):
    broken = selftest.SelfTestResult("a slowdown", Verdict.FAIL, selftest._decide_latency(Margins()))
    monkeypatch.setattr(selftest, "run", lambda _: [broken])
    assert main(["gate", "--self-test"]) == 1
    assert "BROKEN  a slowdown: pass, must be fail" in capsys.readouterr().out


def test_margins_that_are_too_wide_to_see_a_slowdown_are_found(capsys):
    assert main(["gate", "--self-test", "cpu_margin=0.2"]) == 1
    assert "BROKEN  every call 5 % slower: pass, must be fail" in capsys.readouterr().out
