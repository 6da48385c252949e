"""`--multirun`: one command with several values as several commands, by Hydra's sweep syntax and its launchers."""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pydantic import BaseModel

from lipbench import models
from lipbench.benchmarks.cli.launchers import INTERRUPTED, LOG, Place, find, start
from lipbench.benchmarks.config.composition import split, swept
from lipbench.benchmarks.config.requests import Evaluate, Train
from lipbench.benchmarks.config.requests import request as typed_request
from lipbench.errors import UserError

SWEPT = ("prepare", "train", "evaluate", "controls", "bench")
"""Verbs that can be swept: those that have `claims`."""
TIMED = ("bench",)
"""Verbs that measure time, and must not share a machine."""
FOLDER = Path("runs/multirun")


def run(verb: str, words: Sequence[str]) -> None:
    """Run a verb once for each combination of the values that its words have, and say how each job ended.

    Args:
        verb: what each job does.
        words: its options in Hydra's grammar, where commas separate the values to sweep; and Hydra's own.

    Raises:
        UserError: a job's words are not understood, jobs would write to the same place, or some failed; all others ran.
    """
    if verb not in SWEPT:
        raise UserError(f"{verb} cannot be swept", remedy=f"--multirun goes with {', '.join(SWEPT)}")
    ours, hydras = split(words)
    launcher = find(hydras)
    if verb in TIMED and launcher.shares:
        raise UserError(
            f"jobs of {verb} on one machine at a time would disturb each other's timing",
            remedy="Leave hydra/launcher out, or write hydra.launcher.n_jobs=1",
        )
    jobs = swept(verb, ours)
    requests = [typed_request(verb, job) for job in jobs]
    for request in requests:
        if isinstance(request, Train | Evaluate):
            # what a job would find out only when a cluster has a place for it
            models.check(request.model, request.preset, **request.options)
    check_apart(verb, requests)
    folder = launcher.folder or FOLDER / f"{datetime.now(UTC).strftime('%Y-%m-%dT%H-%M-%S')}-{verb}"
    commands = {str(number): (verb, *job) for number, job in enumerate(jobs)}
    print(f"{len(jobs)} jobs by the launcher {launcher.told(folder)}", flush=True)
    codes = launcher.run({name: partial(_start, words) for name, words in commands.items()}, folder, called=verb)
    _tell(commands, codes, folder)


def check_apart(verb: str, requests: Sequence[BaseModel]) -> None:
    """Refuse jobs that would write to the same place.

    Raises:
        UserError: two of them would.
    """
    claims = importlib.import_module(f"lipbench.benchmarks.cli.verbs.{verb}").claims
    owners: dict[Path, int] = {}
    for number, request in enumerate(requests):
        for claim in claims(request):
            owner = owners.setdefault(claim, number)
            if owner != number:
                other = "name='${model}-${training.seed}'" if verb == "train" else "out='runs/${preset}'"
                raise UserError(
                    f"jobs {owner} and {number} would both write {claim}",
                    remedy=f"Give each a place by what tells them apart, as in {other}",
                )


def _start(words: tuple[str, ...], place: Place) -> int:
    """Run one job's command.

    Raises:
        KeyboardInterrupt: it was interrupted.
    """
    code = start(words, place)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return code


def _tell(commands: dict[str, tuple[str, ...]], codes: dict[str, int], folder: Path) -> None:
    """Print how each job ended.

    Raises:
        UserError: not all went well.
    """
    failed: list[str] = []
    for name, words in commands.items():
        ended = "done" if codes[name] == 0 else f"failed with exit code {codes[name]}{_last_line(folder / name / LOG)}"
        print(f"{name}: {shlex.join(words)}: {ended}", flush=True)
        if codes[name]:
            failed.append(f"job {name}: exit code {codes[name]}")
    if failed:
        raise UserError(
            f"{len(failed)} of {len(commands)} jobs failed ({'; '.join(failed)})",
            remedy="Mend the causes named above; the same command then keeps what is finished",
        )


def _last_line(log: Path) -> str:
    if not log.is_file():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return f" ({next((line for line in reversed(lines) if line.strip()), '').strip()})"
