"""What ran, and on what: the part of a record that lets a reader judge whether two numbers may be compared."""

from __future__ import annotations

import hashlib
import platform
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import psutil
import torch

import lipbench
from lipbench.errors import UserError
from lipbench.processes import usable_cores
from lipbench.records.packages import RECORDED, installed_versions
from lipbench.records.system import Machine, Software

PACKAGE = Path(lipbench.__file__).parent
CHECKOUT = Path(__file__).resolve().parents[2]
"""The folder that holds the rooms."""

ROOMS = ("records", "models", "baselines", "metrics", "corpora", "training", "benchmarks")
"""Folders of the package whose code makes numbers, beside the modules right in it; reports only show them."""


@cache
def software() -> Software:
    """Versions and revision of the code that is running."""
    # the revision of a repository that merely surrounds an installed copy says nothing
    ours = _git("rev-parse", "--show-toplevel") == str(CHECKOUT)
    commit = _git("rev-parse", "HEAD") if ours else None
    status = _git("status", "--porcelain")
    return Software(
        python=platform.python_version(),
        packages=installed_versions(RECORDED),
        commit=commit,
        dirty=None if commit is None or status is None else bool(status),
        source=_source(),
    )


def same_code(earlier: Software) -> bool:
    """Whether a record was made by the code, the packages and the Python that run now.

    A commit that leaves the source as it is changes no number, so commit and dirty flag are not asked.
    """
    return earlier == software().model_copy(update={"commit": earlier.commit, "dirty": earlier.dirty})


def _source() -> str:
    """Digest of the Python files that make numbers: two runs of one digest ran the same code, committed or not."""
    digest = hashlib.sha256()
    for path in sorted([*PACKAGE.glob("*.py"), *(path for room in ROOMS for path in (PACKAGE / room).rglob("*.py"))]):
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def machine() -> Machine:
    """The machine as it is now; None for what it cannot say."""
    import torch

    gpu, driver = _gpu()
    return Machine(
        cpu=_cpu_name(),
        cores=usable_cores(),
        memory_bytes=psutil.virtual_memory().total,
        system=f"{platform.system()} {platform.machine()}",
        gpu=gpu,
        gpu_driver=driver,
        threads=torch.get_num_threads(),
    )


def command_line() -> str:
    """The command that is running, as one would type it: the program's name without its folder."""
    program = Path(sys.argv[0])
    # `python -m pytest` runs the file pytest/__main__.py, and our steps run as `python -m lipbench`
    name = program.parent.name if program.name == "__main__.py" else program.name
    return shlex.join([name, *sys.argv[1:]])


def _git(*words: str) -> str | None:
    try:
        process = subprocess.run(["git", *words], cwd=CHECKOUT, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return process.stdout.strip()


def _cpu_name() -> str | None:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or None


def _gpu() -> tuple[str | None, str | None]:
    """Name and driver of the GPU that torch uses, read by NVML."""
    import torch

    if not torch.cuda.is_available():
        return None, None
    import pynvml

    name = torch.cuda.get_device_name()
    try:
        pynvml.nvmlInit()
        try:
            return name, str(pynvml.nvmlSystemGetDriverVersion())
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return name, None


def pick_device(requested: str) -> torch.device:
    """Turn "auto" into the GPU where there is one.

    Raises:
        UserError: a GPU is asked for and there is none.
    """
    has_cuda = torch.cuda.is_available()
    if requested == "cuda" and not has_cuda:
        raise UserError("there is no CUDA device here", remedy="Write device=cpu or device=auto")
    return torch.device("cuda" if has_cuda and requested != "cpu" else "cpu")
