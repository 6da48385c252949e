"""Hydra's launchers: jobs one after another, side by side on this machine, or on the nodes of a cluster.

A job starts commands in processes of their own, so it needs little of a launcher: a process somewhere that waits for
them. What a job has done is in the folders that its commands write; what it gives back is how they ended.
"""

from __future__ import annotations

import logging
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from joblib.externals.loky import get_reusable_executor
from omegaconf.errors import OmegaConfBaseException

from lipbench.benchmarks.config.composition import CONF, quote_value
from lipbench.errors import UnknownNameError, UserError
from lipbench.locks import first_free

T = TypeVar("T")

BASIC = "basic"
"""The launcher that Hydra has by itself: one job after another, in this process."""
LOG = "log.txt"
"""File in a job's folder with all that its commands print, where they do not share our terminal."""
DEVICES = "CUDA_VISIBLE_DEVICES"
INTERRUPTED = 130
_POLL_S = 1.0


class JobContext(NamedTuple):
    """Where a job's commands run."""

    log: Path | None = None
    """File that gets what they print; None: our terminal."""
    environment: Mapping[str, str] = {}
    """Variables of theirs."""


Job = Callable[[JobContext], T]


@dataclass(frozen=True)
class Launcher:
    """A launcher as the words of a command line choose it."""

    words: tuple[str, ...] = ()
    """Hydra's own: ``hydra/launcher=joblib``, ``hydra.launcher.n_jobs=2``."""
    name: str = BASIC
    shares: bool = False
    """Whether several jobs run on one machine at a time."""
    folder: Path | None = None
    """What ``hydra.sweep.dir=`` says, if anything does."""

    def description(self, folder: Path) -> str:
        """Its name, and where the jobs of a run in that folder print, if not here."""
        return self.name if self.name == BASIC else f"{self.name}; what each prints: {self.folder or folder}/JOB/{LOG}"

    def run(self, jobs: Mapping[str, Job[T]], folder: Path, *, job_name: str) -> dict[str, T]:
        """Run jobs, and wait for them.

        Args:
            jobs: by names of letters, digits, ``_`` and ``-``; they and what they give back can be pickled.
            folder: each job has a folder in it, of its name, for its log, unless Hydra's words name another.
            job_name: what a cluster's queue shows.

        Returns:
            What each job gave back.

        Raises:
            UserError: the launcher refused, or lost a job. Jobs that it has started may still run.
            KeyboardInterrupt: a job was interrupted.
        """
        folder = self.folder or folder
        folder_overrides = [
            f"hydra.sweep.dir={quote_value(str(folder))}",
            "hydra.sweep.subdir=${job}",
            f"+job={','.join(jobs)}",
        ]
        # our own lines say what happens; "disabled" would silence them too, and for good
        quiet = ["hydra/hydra_logging=none", "hydra/job_logging=none", "hydra.output_subdir=null"]
        with _hydra(job_name) as hydra:
            try:
                batches = hydra.multirun(
                    config_name=None,
                    task_function=_Task(jobs, self, folder),
                    overrides=[*quiet, *folder_overrides, *self.words],
                    with_log_configuration=False,
                )
            except UserError:
                raise
            except Exception as error:
                first = (str(error).splitlines() or [type(error).__name__])[0]
                raise UserError(
                    f"the launcher {self.name} gave up: {first}",
                    remedy=f"See {folder}. What is finished is kept, and jobs that it has started may still run: "
                    "the same command waits for them and goes on",
                ) from error
            finally:
                if self.name == "joblib":
                    # its processes would wait five minutes for more jobs, beside whatever is timed next
                    get_reusable_executor().shutdown()
        return dict(zip(jobs, (job.return_value for batch in batches for job in batch), strict=True))


def find_launcher(words: Sequence[str]) -> Launcher:
    """The launcher that Hydra's own words choose.

    Raises:
        UserError: there is no such launcher, or it has no such option.
    """
    with _hydra("lipbench") as hydra:
        try:
            hydra_config = hydra.compose_config(config_name=None, overrides=list(words), run_mode=RunMode.MULTIRUN)
        except (HydraException, OmegaConfBaseException) as error:
            launchers = hydra.config_loader.get_group_options("hydra/launcher")
            launcher_name = next(
                (word.partition("=")[2] for word in words if word.startswith("hydra/launcher=")), BASIC
            )
            if launcher_name not in launchers:
                raise UnknownNameError("launcher", launcher_name, launchers) from error
            raise UserError(
                f"Hydra's options are not understood: {str(error).splitlines()[0]}",
                remedy="Write hydra/launcher=NAME and hydra.launcher.OPTION=VALUE (docs/cluster.md)",
            ) from error
    name = hydra_config.hydra.runtime.choices["hydra/launcher"]
    is_serial = name == BASIC or hydra_config.hydra.launcher.get("n_jobs") == 1
    has_sweep_folder = any(word.startswith("hydra.sweep.dir=") for word in words)
    return Launcher(
        words=tuple(words),
        name=name,
        shares=not is_serial and name in ("joblib", "submitit_local"),
        folder=Path(hydra_config.hydra.sweep.dir) if has_sweep_folder else None,
    )


def start_command(words: Sequence[str], place: JobContext = JobContext()) -> int:  # noqa: B008
    """Run one command in a process of its own.

    Args:
        words: verb and options.
        place: where.

    Returns:
        Its exit code; a process that a signal ended has the negative of the signal's number.
    """
    command = [sys.executable, "-m", "lipbench", *words]
    environment = {**os.environ, **place.environment}
    with ExitStack() as stack:
        sink = None
        if place.log is not None:
            place.log.parent.mkdir(parents=True, exist_ok=True)
            sink = stack.enter_context(place.log.open("a", encoding="utf-8"))
            print(shlex.join(("lipbench", *words)), file=sink, flush=True)
        streams: dict[str, Any] = {} if sink is None else {"stdin": subprocess.DEVNULL, "stdout": sink, "stderr": sink}
        process = subprocess.Popen(command, env=environment, **streams)
        try:
            return process.wait()
        except KeyboardInterrupt:
            # a terminal sends the interrupt to both; let the command write down what it has
            process.wait()
            raise


@dataclass(frozen=True)
class _Task(Generic[T]):
    """What a launcher calls for each job, in a process of its choice."""

    jobs: Mapping[str, Job[T]]
    launcher: Launcher
    folder: Path
    devices: tuple[str, ...] = field(
        default_factory=lambda: tuple(filter(None, os.environ.get(DEVICES, "").split(",")))
    )

    def __call__(self, job_config: Any) -> T:
        job = self.jobs[str(job_config.job)]
        if self.launcher.name == BASIC:
            return job(JobContext())
        log = Path(HydraConfig.get().runtime.output_dir) / LOG
        if not self.launcher.shares or len(self.devices) < 2:
            return job(JobContext(log))
        with self._device() as device:
            return job(JobContext(log, {DEVICES: device}))

    @contextmanager
    def _device(self) -> Iterator[str]:
        """One device that no other job of ours has."""
        locks = {self.folder / f".device-{number}.lock": device for number, device in enumerate(self.devices)}
        while True:
            with first_free(locks) as lock:
                if lock is not None:
                    yield locks[lock]
                    return
            time.sleep(_POLL_S)


@contextmanager
def _hydra(job_name: str) -> Iterator[Any]:
    """Hydra with our `conf/`."""
    for part in ("hydra", "hydra_plugins"):
        logging.getLogger(part).setLevel(logging.ERROR)
    with initialize_config_dir(str(CONF), version_base=None, job_name=job_name):
        yield GlobalHydra.instance().hydra
