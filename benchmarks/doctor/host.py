"""Checks of the machine around the device: processor, clocks, load, threads, memory, disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import torch

from lipbench.benchmarks.cells import environment
from lipbench.benchmarks.doctor.diagnosis import Check
from lipbench.benchmarks.gate.deciding.drift import BUSY_CORES
from lipbench.benchmarks.timing.telemetry import cpu_mhz, load_average
from lipbench.processes import usable_cores

SAMPLE_S = 1.0
"""How long to watch what other processes do."""
MAX_STEAL_PERCENT = 1.0
"""Percent of the time that a virtual machine's host may take before a reader is told."""
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
QUOTA = Path("/sys/fs/cgroup/cpu.max")
LITTLE_MEMORY, NO_MEMORY = 2 << 30, 512 << 20
"""Free bytes below which the paper preset may not fit, and below which nothing does."""
LITTLE_DISK, NO_DISK = 10 << 30, 200 << 20
"""The same of a disk: a prepared GRID of a thousand clips takes 3 GB."""


def processor() -> Check:
    """Its name and cores."""
    machine = environment.machine()
    name = machine.cpu or "a processor that does not say its name"
    facts = {"cpu": machine.cpu, "cores": machine.cores, "physical_cores": psutil.cpu_count(logical=False)}
    return Check(name="processor", state="ok", finding=f"{name}, {machine.cores} cores to use", facts={**facts})


def clocks(governor: Path = GOVERNOR) -> Check:
    """Its clock, and whether something holds it.

    Args:
        governor: Linux' file about the policy.
    """
    mhz = cpu_mhz()
    try:
        policy = governor.read_text(encoding="utf-8").strip()
    except OSError:
        policy = None
    clock = "no clock to read" if mhz is None else f"{mhz:.0f} MHz"
    facts = {"mhz": mhz, "governor": policy}
    if policy is None:
        finding = f"{clock}; who sets it cannot be seen from here"
        return Check(name="clocks", state=None, finding=finding, facts={**facts})
    if policy == "performance":
        return Check(name="clocks", state="ok", finding=f"{clock}, governor {policy}", facts={**facts})
    return Check(
        name="clocks",
        state="warning",
        finding=f"{clock}, governor {policy}: the clock follows the load, and times follow the clock",
        remedy="Run: sudo cpupower frequency-set --governor performance",
        facts={**facts},
    )


def processor_load(shares: Callable[[float], Any] = psutil.cpu_times_percent) -> Check:
    """Processor time used by other processes and stolen by a virtual machine's host.

    Args:
        shares: waits so many seconds, and says in percent of all cores what was spent on what meanwhile.
    """
    shares_percent = shares(SAMPLE_S)
    steal_percent = float(getattr(shares_percent, "steal", 0.0))
    idle = shares_percent.idle + getattr(shares_percent, "iowait", 0.0)
    # this process sleeps meanwhile
    cores = max(0.0, 100.0 - idle - steal_percent) / 100 * (psutil.cpu_count() or 1)
    average = load_average()
    facts = {"foreign_cores": cores, "stolen_percent": steal_percent, "load_1_min": average}
    words = f"other processes keep {cores:.1f} cores busy"
    if steal_percent > MAX_STEAL_PERCENT:
        words += f", the host takes {steal_percent:.0f} %"
    if average is not None:
        words += f" (load of the last minute {average:.1f})"
    if cores <= BUSY_CORES and steal_percent <= MAX_STEAL_PERCENT:
        return Check(name="load", state="ok", finding=words, facts={**facts})
    remedy = "Stop them or wait" if cores > BUSY_CORES else "Measure on a machine that is not shared"
    return Check(name="load", state="warning", finding=words, remedy=remedy, facts={**facts})


def threads(quota: Path = QUOTA) -> Check:
    """Threads that torch uses, against the cores that there are for them.

    Args:
        quota: Linux' file about how much processor time a container gets.
    """
    used, cores, allowed = torch.get_num_threads(), usable_cores(), _quota(quota)
    omp_threads = os.environ.get("OMP_NUM_THREADS")
    facts = {"threads": used, "cores": cores, "quota_cores": allowed, "omp_num_threads": omp_threads}
    available_cores = cores if allowed is None else min(cores, allowed)
    words = f"torch uses {used} of {cores} cores"
    if allowed is not None and allowed < cores:
        words += f", the container gets the time of {allowed:g}"
    if omp_threads is not None:
        words += f" (OMP_NUM_THREADS={omp_threads})"
    if used <= available_cores:
        return Check(name="threads", state="ok", finding=words, facts={**facts})
    remedy = f"Set OMP_NUM_THREADS={max(1, int(available_cores))}: threads that wait for each other scatter"
    return Check(name="threads", state="warning", finding=words, remedy=remedy, facts={**facts})


def _quota(file: Path) -> float | None:
    """Cores' worth of time; None: no limit, or none that can be read."""
    try:
        limit, period = file.read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return None
    return None if limit == "max" else int(limit) / int(period)


def memory(read_memory: Callable[[], Any] = psutil.virtual_memory) -> Check:
    """Main memory that is available without paging."""
    usage = read_memory()
    finding = f"{_gb(usage.available)} of {_gb(usage.total)} free"
    facts = {"available_bytes": int(usage.available), "total_bytes": int(usage.total)}
    return _room("memory", usage.available, LITTLE_MEMORY, NO_MEMORY, finding, "Stop what holds it", facts)


def disk(folder: Path, read_disk: Callable[[str], Any] = psutil.disk_usage) -> Check:
    """Room where runs are kept, and whether it may be written to.

    Args:
        folder: it need not exist.
        read_disk: says how full the disk of a path is.
    """
    existing_folder = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not existing_folder.is_dir() or not os.access(existing_folder, os.W_OK):
        return Check(
            name="disk", state="problem", finding=f"{folder} cannot be written to", remedy="Give another runs=FOLDER"
        )
    usage = read_disk(str(existing_folder))
    facts = {"free_bytes": int(usage.free), "total_bytes": int(usage.total)}
    finding = f"{_gb(usage.free)} free for {folder}"
    return _room("disk", usage.free, LITTLE_DISK, NO_DISK, finding, "Make room, or give another runs=FOLDER", facts)


def _room(
    name: str, free: int, little: int, too_little: int, finding: str, remedy: str, facts: dict[str, int]
) -> Check:
    if free >= little:
        return Check(name=name, state="ok", finding=finding, facts={**facts})
    state = "problem" if free < too_little else "warning"
    return Check(name=name, state=state, finding=finding, remedy=remedy, facts={**facts})


def _gb(size: float) -> str:
    return f"{size / 1e9:.1f} GB"
