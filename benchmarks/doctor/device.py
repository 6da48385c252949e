"""Checks of the device that will compute, as torch and NVML see it."""

from __future__ import annotations

import torch

from lipbench.benchmarks.cells import environment
from lipbench.benchmarks.doctor.diagnosis import Check
from lipbench.benchmarks.timing.telemetry import Gpu

LITTLE_MEMORY, NO_MEMORY = 2 << 30, 256 << 20
"""Free bytes of a GPU below which the paper preset may not fit, and below which no model does."""
LOCKED_CLOCKS_BIT = "nvmlClocksThrottleReasonApplicationsClocksSetting"
"""NVML's bit for clocks that a user's setting limits; that they are free it never says."""


def device(requested: str) -> Check:
    """Check that the requested device is available.

    Args:
        requested: "auto", "cpu" or "cuda".
    """
    cuda_version = torch.version.cuda
    gpus = _visible_gpus()
    facts = {"wanted": requested, "torch": torch.__version__, "torch_cuda": cuda_version, "gpus_of_the_driver": gpus}
    if requested == "cpu":
        return Check(name="device", state="ok", finding="cpu, as asked for", facts={**facts})
    if torch.cuda.is_available():
        machine = environment.machine()
        facts |= {"gpu": machine.gpu, "driver": machine.gpu_driver}
        driver = "driver unknown" if machine.gpu_driver is None else f"driver {machine.gpu_driver}"
        return Check(
            name="device", state="ok", finding=f"{machine.gpu}, {driver}, CUDA {cuda_version}", facts={**facts}
        )
    why, remedy = _no_cuda(cuda_version, gpus)
    if requested == "cuda":
        return Check(name="device", state="problem", finding=why, remedy=remedy, facts={**facts})
    state = "warning" if gpus else "ok"
    return Check(name="device", state=state, finding=f"cpu: {why}", remedy=remedy if gpus else None, facts={**facts})


def _no_cuda(cuda_version: str | None, gpus: int | None) -> tuple[str, str]:
    """Why torch has no GPU, and what to do about it."""
    if gpus and cuda_version is None:
        return "there is a GPU, but this torch is built without CUDA", "Install torch from the default index"
    if gpus:
        return (
            f"there is a GPU that torch (CUDA {cuda_version}) cannot use",
            "Update the driver, or see CUDA_VISIBLE_DEVICES",
        )
    return "there is no GPU that torch can use", "Write device=cpu, or go to a machine with one"


def _visible_gpus() -> int | None:
    """GPUs that the driver knows; None without a driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
        return int(pynvml.nvmlDeviceGetCount())
    except pynvml.NVMLError:
        return None


def gpu_checks(gpu: Gpu | None) -> list[Check]:
    """What NVML says of a GPU that torch uses.

    Args:
        gpu: None: NVML does not know it.
    """
    if gpu is None:
        return [
            Check(
                name="NVML",
                state="warning",
                finding="NVML does not know this GPU: clocks, power, energy and foreign processes stay unknown",
                remedy="Check that nvidia-smi works here; in a container the driver's libnvidia-ml must be visible",
            )
        ]
    return [_clocks(gpu), _throttled(gpu), _others(gpu), _memory(gpu)]


def _clocks(gpu: Gpu) -> Check:
    current_mhz = gpu.sm_mhz()
    highest = gpu.ask(lambda nvml, handle: int(nvml.nvmlDeviceGetMaxClockInfo(handle, nvml.NVML_CLOCK_SM)))
    bits = gpu.ask(lambda nvml, handle: int(nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)))
    locked = True if bits is not None and bits & getattr(gpu.nvml, LOCKED_CLOCKS_BIT, 0) else None
    facts = {"sm_mhz": current_mhz, "highest_sm_mhz": highest, "locked": locked}
    speed = f"{_mhz(current_mhz)} now, {_mhz(highest)} at most"
    if locked:
        return Check(name="GPU clocks", state="ok", finding=f"{speed}, held by a setting", facts={**facts})
    return Check(
        name="GPU clocks",
        state=None,
        finding=f"{speed}; nothing is seen to hold them, and a GPU at rest does not show all",
        remedy="Where you may: sudo nvidia-smi --lock-gpu-clocks=MHZ makes times scatter less",
        facts={**facts},
    )


def _throttled(gpu: Gpu) -> Check:
    reasons, temperature = gpu.throttles(), gpu.temperature_c()
    facts = {"throttled": None if reasons is None else sorted(reasons), "temperature_c": temperature}
    heat = "" if temperature is None else f" at {temperature} °C"
    if reasons is None:
        return Check(name="GPU throttling", state=None, finding="the GPU does not say", facts={**facts})
    if not reasons:
        return Check(name="GPU throttling", state="ok", finding=f"none{heat}", facts={**facts})
    return Check(
        name="GPU throttling",
        state="warning",
        finding=f"{', '.join(sorted(reasons))}{heat}",
        remedy="Let it cool down, or lock its clocks below the limit",
        facts={**facts},
    )


def _others(gpu: Gpu) -> Check:
    foreign = gpu.foreign_processes()
    facts = {"foreign_processes": foreign}
    if foreign is None:
        return Check(name="GPU processes", state=None, finding="the GPU does not say", facts={**facts})
    if foreign == 0:
        return Check(name="GPU processes", state="ok", finding="no other process computes on it", facts={**facts})
    return Check(
        name="GPU processes",
        state="warning",
        finding=f"{foreign} other processes compute on it",
        remedy="Wait for them, or choose another GPU by CUDA_VISIBLE_DEVICES",
        facts={**facts},
    )


def _memory(gpu: Gpu) -> Check:
    free = gpu.ask(lambda nvml, handle: int(nvml.nvmlDeviceGetMemoryInfo(handle).free))
    if free is None:
        return Check(name="GPU memory", state=None, finding="the GPU does not say", facts={"free_bytes": None})
    state = "ok" if free >= LITTLE_MEMORY else "warning" if free >= NO_MEMORY else "problem"
    remedy = None if state == "ok" else "Stop what holds it, or choose another GPU by CUDA_VISIBLE_DEVICES"
    return Check(
        name="GPU memory", state=state, finding=f"{free / 1e9:.1f} GB free", remedy=remedy, facts={"free_bytes": free}
    )


def _mhz(clock: int | None) -> str:
    return "unknown" if clock is None else f"{clock} MHz"
