"""`--multirun`: one command with several values as several commands, by Hydra's sweep syntax and its launchers."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from lipbench.benchmarks.cli import verbs
from lipbench.benchmarks.cli.launchers import INTERRUPTED, LOG, JobContext, find_launcher, start_command
from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.composition import request as typed_request
from lipbench.benchmarks.config.composition import split_words, sweep_commands
from lipbench.benchmarks.config.requests import Request
from lipbench.errors import UserError

FOLDER = Path("runs/multirun")


def run(name: str, words: Sequence[str]) -> None:
    """Run a verb once for each combination of the values that its words have, and print the exit code of each job.

    Args:
        name: verb of each job.
        words: its options in Hydra's grammar, where commas separate the values to sweep; and Hydra's own.

    Raises:
        UserError: a job's words are not understood, jobs would write to the same place, or some failed; all others ran.
    """
    verb = verbs.get(name)
    if verb.claims is None:
        possible = ", ".join(name for name, verb in verbs.verbs().items() if verb.claims is not None)
        raise UserError(f"{name} cannot be swept", remedy=f"--multirun goes with {possible}")
    ours, hydras = split_words(words)
    launcher = find_launcher(hydras)
    if verb.measures_time and launcher.shares:
        raise UserError(
            f"jobs of {name} on one machine at a time would disturb each other's timing",
            remedy="Leave hydra/launcher out, or write hydra.launcher.n_jobs=1",
        )
    jobs = sweep_commands(name, verb.request, ours)
    requests = [typed_request(name, verb.request, job) for job in jobs]
    if verb.check is not None:
        for request in requests:
            verb.check(request)
    check_separate_outputs(verb, requests)
    folder = launcher.folder or FOLDER / f"{datetime.now(UTC).strftime('%Y-%m-%dT%H-%M-%S')}-{name}"
    commands = {str(number): (name, *job) for number, job in enumerate(jobs)}
    print(f"{len(jobs)} jobs by the launcher {launcher.description(folder)}", flush=True)
    codes = launcher.run({number: partial(_start, words) for number, words in commands.items()}, folder, job_name=name)
    _print_outcomes(commands, codes, folder)


def check_separate_outputs(verb: Verb[Any], requests: Sequence[Request]) -> None:
    """Refuse jobs that would write to the same place.

    Raises:
        UserError: two of them would.
    """
    assert verb.claims is not None
    owners: dict[Path, int] = {}
    for number, request in enumerate(requests):
        for claim in verb.claims(request):
            owner = owners.setdefault(claim, number)
            if owner != number:
                raise UserError(
                    f"jobs {owner} and {number} would both write {claim}",
                    remedy=f"Give each a place by what tells them apart, as in {verb.apart}",
                )


def _start(words: tuple[str, ...], place: JobContext) -> int:
    """Run one job's command.

    Raises:
        KeyboardInterrupt: it was interrupted.
    """
    code = start_command(words, place)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return code


def _print_outcomes(commands: dict[str, tuple[str, ...]], codes: dict[str, int], folder: Path) -> None:
    """Print how each job ended.

    Raises:
        UserError: not all went well.
    """
    failures: list[str] = []
    for name, words in commands.items():
        ending = "done" if codes[name] == 0 else f"failed with exit code {codes[name]}{_last_line(folder / name / LOG)}"
        print(f"{name}: {shlex.join(words)}: {ending}", flush=True)
        if codes[name]:
            failures.append(f"job {name}: exit code {codes[name]}")
    if failures:
        raise UserError(
            f"{len(failures)} of {len(commands)} jobs failed ({'; '.join(failures)})",
            remedy="Mend the causes named above; the same command then keeps what is finished",
        )


def _last_line(log: Path) -> str:
    if not log.is_file():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return f" ({next((line for line in reversed(lines) if line.strip()), '').strip()})"
