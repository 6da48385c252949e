from __future__ import annotations

import subprocess

import pytest

from lipbench.benchmarks.cells import environment


@pytest.fixture
def fresh():
    environment.software.cache_clear()
    yield
    environment.software.cache_clear()


def git(folder, *words):
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words], cwd=folder, check=True)


@pytest.mark.usefixtures("fresh")
def test_the_revision_says_whether_the_checkout_had_changes(tmp_path, monkeypatch):
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "one")
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    clean = environment.software()
    assert clean.commit is not None
    assert len(clean.commit) == 40
    assert clean.dirty is False
    environment.software.cache_clear()
    (tmp_path / "a").write_text("2")
    assert environment.software().dirty is True


@pytest.mark.usefixtures("fresh")
def test_outside_a_checkout_the_revision_is_unknown_and_not_made_up(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    software = environment.software()
    assert software.commit is None
    assert software.dirty is None
    assert {"torch", "lipbench", "numpy"} <= set(software.packages)


def test_the_machine_says_what_it_can():
    machine = environment.machine()
    assert machine.cores >= 1
    assert machine.threads >= 1
    assert machine.memory_bytes > 1 << 28


def test_the_command_has_no_machines_path(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/home/someone/.venv/bin/lipbench", "train", "out=a b"])
    assert environment.command_line() == "lipbench train 'out=a b'"
    monkeypatch.setattr("sys.argv", ["/usr/lib/python3/pytest/__main__.py", "benchmarks/"])
    assert environment.command_line() == "pytest benchmarks/"
    monkeypatch.setattr("sys.argv", ["/somewhere/lipbench/__main__.py", "evaluate", "corpus=grid"])
    assert environment.command_line() == "lipbench evaluate corpus=grid"
