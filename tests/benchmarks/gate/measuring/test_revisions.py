from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lipbench.benchmarks.gate.measuring import revisions
from lipbench.errors import UserError

CLI = "import sys\nprint('{}', *sys.argv[1:])\n"
PROJECT = '[project]\nname = "tiny"\nversion = "1"\nrequires-python = "{}"\ndependencies = []\n'
BACKEND = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BUILDS = """
import pathlib, zipfile
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w") as wheel:
        wheel.writestr("only_there.py", "")
        wheel.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n")
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")
    return name
"""


class Checkout:
    """A small repository with rooms that only say which revision they are of."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "benchmarks").mkdir(parents=True)
        self.git("init", "-q")
        (root / ".gitignore").write_text("__pycache__/\nruns/\n")
        (root / "pyproject.toml").write_text(PROJECT.format(">=3.11"))
        (root / "benchmarks" / "__init__.py").write_text("")
        self.first = self.commit(CLI.format("first"))

    def git(self, *words: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(["git", *identity, *words], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, cli: str) -> str:
        (self.root / "benchmarks" / "cli.py").write_text(cli)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Checkout:
    made = Checkout(tmp_path / "checkout")
    monkeypatch.setattr(revisions, "CHECKOUT", made.root)
    return made


def said(side: revisions.Revision, *words: str) -> str:
    return side.run(words).communicate()[0].strip()


def test_each_revision_runs_its_own_code_with_the_words_it_is_given(checkout, tmp_path, monkeypatch):
    second = checkout.commit(CLI.format("second"))
    monkeypatch.chdir(checkout.root)  # whose rooms must not be found first
    sides = [
        revisions.prepare_revision(name, at, tmp_path / "revisions")
        for name, at in (("base", "HEAD~1"), ("head", "HEAD"))
    ]
    assert [side.commit for side in sides] == [checkout.first, second]
    assert [said(side, "bench", "x=1") for side in sides] == ["first bench x=1", "second bench x=1"]
    assert {side.python for side in sides} == {Path(sys.executable)}, "the same needs, the same interpreter"


def test_the_checkout_as_it_lies_is_known_by_what_it_holds(checkout, tmp_path):
    def changes() -> str:
        return revisions.prepare_revision("head", None, tmp_path).changes

    assert changes() == ""
    (checkout.root / "runs").mkdir()
    (checkout.root / "runs" / "x").write_text("ignored by git")
    assert changes() == ""
    (checkout.root / "benchmarks" / "cli.py").write_text("changed")
    tracked = changes()
    (checkout.root / "new.py").write_text("1")
    new = changes()
    (checkout.root / "new.py").write_text("2")
    assert len({"", tracked, new, changes()}) == 4
    (checkout.root / "new.py").write_text("1")
    assert changes() == new, "the same content is the same code"


@pytest.mark.parametrize(("asked", "cores", "threads"), [(None, 4, "3"), (None, 1, "1"), ("4", 4, "4")])
def test_a_core_is_left_to_everything_else_unless_it_is_asked_for(
    asked, cores, threads, checkout, tmp_path, monkeypatch
):
    checkout.commit("import os\nprint(os.environ['OMP_NUM_THREADS'])\n")
    monkeypatch.setattr(revisions, "usable_cores", lambda: cores)
    if asked is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert said(revisions.prepare_revision("head", None, tmp_path)) == threads


def test_a_revision_that_is_not_there_or_does_not_start_is_said(checkout, tmp_path):
    with pytest.raises(UserError, match=r"base=v9 is no revision of checkout: .*must not be shallow"):
        revisions.prepare_revision("base", "v9", tmp_path / "revisions")
    broken = checkout.commit("import no_such_package\n")
    with pytest.raises(UserError, match=rf"base \(HEAD, {broken[:12]}\) does not build: .*no_such_package"):
        revisions.prepare_revision("base", "HEAD", tmp_path / "revisions")


def test_what_an_interrupted_run_left_is_used_if_whole_and_made_anew_if_not(checkout, tmp_path):
    def prepared() -> revisions.Revision:
        return revisions.prepare_revision("base", "HEAD", tmp_path / "revisions")

    side = prepared()
    stamp = (side.root / "pyproject.toml").stat().st_mtime_ns
    assert prepared() == side
    assert (side.root / "pyproject.toml").stat().st_mtime_ns == stamp
    (side.root / "benchmarks" / "cli.py").unlink()  # as if the checkout had been cut off
    assert said(prepared()) == "first"
    (side.root / "benchmarks" / "cli.py").write_text(CLI.format("by hand"))
    assert said(prepared()) == "first"
    subprocess.run(["rm", "-r", side.root], check=True)
    assert said(prepared()) == "first"


def test_revisions_are_taken_away_and_the_checkout_is_not(checkout, tmp_path):
    base = revisions.prepare_revision("base", "HEAD", tmp_path / "revisions")
    head = revisions.prepare_revision("head", None, tmp_path / "revisions")
    revisions.remove_checkouts((base, head))
    assert not base.root.exists()
    assert (checkout.root / "pyproject.toml").is_file()
    assert len(checkout.git("worktree", "list").splitlines()) == 1


def test_only_other_needs_make_an_environment_of_its_own(checkout, tmp_path):
    project = checkout.root / "pyproject.toml"
    before = revisions.environment_requirements(checkout.root)
    project.write_text(project.read_text() + "[tool.ruff]\nline-length = 9\n")
    assert revisions.environment_requirements(checkout.root) == before
    (checkout.root / "constraints.txt").write_text("numpy==2\n")
    assert revisions.environment_requirements(checkout.root) != before


def test_other_needs_are_met_by_an_environment_that_is_made_once(checkout, tmp_path):
    (checkout.root / "pyproject.toml").write_text(PROJECT.format(">=3.10") + BACKEND)
    (checkout.root / "backend.py").write_text(BUILDS)
    checkout.commit("import sys, only_there\nprint(sys.prefix)\n")
    checkout.git("checkout", "-q", checkout.first)
    folder = tmp_path / "revisions"
    side = revisions.prepare_revision("head", "HEAD@{1}", folder)
    assert side.python.is_relative_to(folder)
    assert Path(said(side)) == side.python.parents[1]
    made = side.python.parents[1].stat().st_mtime_ns
    assert revisions.prepare_revision("head", "HEAD@{1}", folder) == side
    assert side.python.parents[1].stat().st_mtime_ns == made


def test_an_environment_that_cannot_be_made_is_said(checkout, tmp_path, monkeypatch):
    (checkout.root / "pyproject.toml").write_text(PROJECT.format(">=3.10"))
    checkout.commit(CLI.format("second"))
    checkout.git("checkout", "-q", checkout.first)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(UserError, match="head does not build, its environment cannot be made"):
        revisions.prepare_revision("head", "HEAD@{1}", tmp_path / "revisions")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which cores a process is kept to")
def test_sides_that_take_turns_are_kept_to_the_same_cores(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "__init__.py").touch()
    (tmp_path / "benchmarks" / "cli.py").write_text(
        "import os, time\ntime.sleep(0.2)\nprint(sorted(os.sched_getaffinity(0)))\n"
    )
    usable = sorted(os.sched_getaffinity(0))
    said = {}
    for name, turns in (("base", "socket"), ("head", "socket"), ("alone", None)):
        side = revisions.Revision(name, "c", "", tmp_path, Path(sys.executable))
        said[name] = side.run([], turns=turns).communicate()[0].strip()
    assert said["base"] == said["head"] == str(usable[1:] or usable)
    assert said["alone"] == str(usable)
