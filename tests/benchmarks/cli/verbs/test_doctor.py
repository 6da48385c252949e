"""`lipbench doctor` as a person meets it: table, exit code, file."""

from __future__ import annotations

import json

import pytest
import torch

from lipbench.benchmarks.cli.main import main
from lipbench.benchmarks.cli.verbs.doctor import work as doctor
from lipbench.benchmarks.doctor import host, parts
from lipbench.benchmarks.doctor.diagnosis import Check, Diagnosis


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(host, "SAMPLE_S", 0.01)


def test_checks_alone_take_no_time_and_exit_with_0(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "aa_run", lambda *_, **__: pytest.fail("an A/A run"))
    file = tmp_path / "my doctor.json"
    assert main(["doctor", "seconds=0", f"json={file}"]) == 0
    shown = capsys.readouterr().out
    diagnosis = Diagnosis.model_validate_json(file.read_text())
    assert diagnosis.noise is None
    for name in ("device", "load", "threads", "clocks", "memory", "disk", "packages", "dlib models", "FID weights"):
        assert name in shown
        assert [check.state for check in diagnosis.checks if check.name == name]
    assert "doctor: " in shown


def test_a_problem_exits_with_1_says_the_way_out_and_measures_nothing(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(doctor, "aa_run", lambda *_, **__: pytest.fail("an A/A run"))
    file = tmp_path / "doctor.json"
    assert main(["doctor", "device=cuda", f"json={file}"]) == 1
    shown = capsys.readouterr().out
    assert "PROBLEM  device" in shown
    assert "device=cpu" in shown
    last = json.loads(file.read_text())["checks"][-1]
    assert (last["name"], last["state"]) == ("noise", None)


def test_warnings_are_no_failure(monkeypatch, capsys):
    warned = Check(name="video", state="warning", finding="no decoder", remedy="Install one")
    monkeypatch.setattr(parts, "video", lambda: warned)
    assert main(["doctor", "seconds=0"]) == 0
    assert "-> Install one" in capsys.readouterr().out


def test_an_aa_run_that_fails_is_a_problem_with_its_reason(monkeypatch, capsys):
    def broken(*_, **__):
        raise RuntimeError("the device went away")

    monkeypatch.setattr(doctor, "aa_run", broken)
    assert main(["doctor", "device=cpu"]) == 1
    assert "RuntimeError: the device went away" in capsys.readouterr().out


def test_the_noise_floor_is_said_and_kept(capsys, tmp_path):
    file = tmp_path / "doctor.json"
    assert main(["doctor", "device=cpu", "seconds=0.01", "rounds=5", f"json={file}"]) == 0
    shown = capsys.readouterr().out
    noise = Diagnosis.model_validate_json(file.read_text()).noise
    assert noise is not None
    assert f"5 rounds resolves {noise.resolution.share:.1%}" in shown


def test_too_few_rounds_are_an_error_of_one_line(capsys):
    assert main(["doctor", "rounds=4"]) == 2
    assert "rounds=4 is not valid" in capsys.readouterr().err
