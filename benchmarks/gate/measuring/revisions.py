"""Two revisions of lipbench side by side, each with an environment that it can run in."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lipbench.benchmarks.cells.environment import CHECKOUT
from lipbench.benchmarks.timing.turns import VARIABLE
from lipbench.errors import UserError
from lipbench.processes import usable_cores

log = logging.getLogger(__name__)
ERROR_LINES = 3
"""Last lines of another program's output that an error repeats."""


@dataclass(frozen=True)
class Revision:
    """One revision, ready to be measured."""

    name: str
    """ "base" or "head"."""
    commit: str
    changes: str
    """Digest of what the checkout holds beyond the commit; empty for a commit as it is."""
    root: Path
    """The folder that holds its rooms."""
    python: Path
    """The interpreter that has what it needs."""

    def run(
        self, words: Sequence[str], *, descriptors: Sequence[int] = (), turns: str | None = None
    ) -> subprocess.Popen[str]:
        """Start its command line in a process of its own, in this process's folder.

        It computes on all cores but one, unless OMP_NUM_THREADS says otherwise: threads on every core wait for the one
        that anything else interrupts, and a call then takes many times as long. Threads sleep between operations,
        unless OMP_WAIT_POLICY says otherwise: those that wait in a loop would go on with it in the other side's turn.

        Args:
            words: behind `lipbench`.
            descriptors: descriptors that the process keeps open.
            turns: path of the socket at which it asks a referee before each timed call; None: it takes no turns.
        """
        # revisions before the one import name are started by their room
        program = "lipbench" if (self.root / "lipbench").is_dir() else "benchmarks.cli"
        # -P: the folder it is started in may hold rooms of another revision
        process = subprocess.Popen(
            [self.python, "-P", "-m", program, *words],
            env={
                "OMP_NUM_THREADS": str(max(1, usable_cores() - 1)),
                "OMP_WAIT_POLICY": "PASSIVE",
                **os.environ,
                "PYTHONPATH": str(self.root),
                "PYTHONSAFEPATH": "1",
                **({VARIABLE: turns} if turns else {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=descriptors,
        )
        if turns is not None:
            _share_cores(process.pid)
        return process


def _share_cores(process: int) -> None:
    """Keep a process that takes turns to the cores that the other side is kept to: all that are usable but the first.

    Cores of one machine differ in speed, by what else their hardware threads do; a process tends to stay on its own.
    """
    if sys.platform == "linux":
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(process, cores[1:] or cores)


def prepare_revision(name: str, revision: str | None, folder: Path) -> Revision:
    """Make a revision ready to run.

    Args:
        name: "base" or "head".
        revision: a git revision; None: the checkout that is running, as it lies.
        folder: where revisions and environments are kept.

    Raises:
        UserError: there is no such revision, or it does not build or start.
    """
    if revision is None:
        return Revision(name, _commit(name, "HEAD"), _changes(), CHECKOUT, Path(sys.executable))
    commit = _commit(name, revision)
    root = _make_worktree(commit, folder / commit[:12])
    side = Revision(name, commit, "", root, _interpreter(name, root, folder))
    trial_process = side.run(["list", "models"])
    output, _ = trial_process.communicate()
    if trial_process.returncode != 0:
        raise UserError(
            f"{name} ({revision}, {commit[:12]}) does not build: {last_lines(output)}",
            remedy="Compare with a revision that runs; nothing was measured",
        )
    return side


def remove_checkouts(sides: Iterable[Revision]) -> None:
    """Take revisions that were checked out away again; their environments stay for the next time."""
    for root in {side.root for side in sides} - {CHECKOUT}:
        _git("worktree", "remove", "--force", str(root))


def last_lines(output: str) -> str:
    """The last lines of a program's output, as one."""
    return " / ".join(line.strip() for line in output.strip().splitlines()[-ERROR_LINES:]) or "it says nothing"


def _commit(name: str, revision: str) -> str:
    git_result = _git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    if git_result.returncode != 0:
        raise UserError(
            f"{name}={revision} is no revision of {CHECKOUT.name}: {last_lines(git_result.stderr)}",
            remedy="Fetch it first (in CI the checkout must not be shallow: fetch-depth 0)",
        )
    return git_result.stdout.strip()


def _changes() -> str:
    """Digest of uncommitted changes and of files that git does not know yet; empty if there are none."""
    tracked_changes = _git("diff", "HEAD", "--binary").stdout
    names = _git("ls-files", "--others", "--exclude-standard", "-z").stdout.split("\0")
    files = [(name, (CHECKOUT / name).read_bytes()) for name in names if name and (CHECKOUT / name).is_file()]
    if not tracked_changes and not files:
        return ""
    digest = hashlib.sha256(tracked_changes.encode())
    for name, content in files:
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()


def _make_worktree(commit: str, root: Path) -> Path:
    """A worktree of a commit, made unless it is there from an interrupted run."""
    if root.is_dir():
        existing_worktree = _git("-C", str(root), "rev-parse", "HEAD", "--show-toplevel")
        if (
            existing_worktree.stdout.split() == [commit, str(root)]
            and not _git("-C", str(root), "status", "--porcelain").stdout
        ):
            return root
        shutil.rmtree(root)  # a checkout that was interrupted has some of its files only
    _git("worktree", "prune")
    git_result = _git("worktree", "add", "--detach", "--force", str(root), commit)
    if git_result.returncode != 0:
        raise UserError(
            f"{commit[:12]} cannot be checked out to {root}: {last_lines(git_result.stderr)}",
            remedy="Give another out=…",
        )
    return root


def environment_requirements(root: Path) -> str:
    """What an environment for a revision must hold, as text: versions and dependencies, not the linter's settings."""
    constraints = root / "constraints.txt"
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    project_fields = [project.get(key) for key in ("requires-python", "dependencies")]
    return f"{project_fields}\n{constraints.read_text(encoding='utf-8') if constraints.is_file() else ''}"


def _interpreter(name: str, root: Path, folder: Path) -> Path:
    """This interpreter if the revision needs what the running one needs; one of its own otherwise."""
    if environment_requirements(root) == environment_requirements(CHECKOUT):
        return Path(sys.executable)
    home = folder / f"environment-{hashlib.sha256(environment_requirements(root).encode()).hexdigest()[:12]}"
    python = home / "bin" / "python"
    installed_mark = home / ".installed"
    if installed_mark.is_file():
        return python
    log.info("%s needs other packages than this checkout: an environment of its own is made in %s", name, home)
    constraints = ["--constraint", str(root / "constraints.txt")] if (root / "constraints.txt").is_file() else []
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(home)],
        [str(python), "-m", "pip", "install", "--quiet", *constraints, "--editable", str(root)],
    ):
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        if process.returncode != 0:
            raise UserError(
                f"{name} does not build, its environment cannot be made: {last_lines(process.stderr)}",
                remedy="Compare with a revision whose packages can be installed; nothing was measured",
            )
    installed_mark.touch()
    return python


def _git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=CHECKOUT, capture_output=True, text=True, check=False)
