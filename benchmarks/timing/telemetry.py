"""The machine while samples are taken: NVML's readings of the GPU and the system's of the processor.

Nothing here runs inside a timed region. Whatever the machine cannot say is None, never 0.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psutil
import torch

from lipbench.records.latency import Telemetry

T = TypeVar("T")

POLL_S = 0.05
"""Readings are at least so far apart: NVML's own values change no faster than about every 20 to 100 ms."""
THROTTLES = {
    "SwPowerCap": "power cap",
    "HwSlowdown": "hardware slowdown",
    "SwThermalSlowdown": "temperature",
    "HwThermalSlowdown": "temperature (hardware)",
    "HwPowerBrakeSlowdown": "power brake",
    "SyncBoost": "sync boost",
    "DisplayClockSetting": "display",
}
"""Ends of NVML's names ``nvmlClocksThrottleReason…`` to words; idling and clocks set by the user are left out."""


class Gpu:
    """One GPU as NVML sees it.

    Args:
        nvml: the module `pynvml`, or one that has its functions, initialised.
        handle: NVML's handle of the GPU.
    """

    def __init__(self, nvml: Any, handle: Any) -> None:
        self.nvml = nvml
        self.handle = handle

    @classmethod
    def of(cls, device: torch.device) -> Gpu | None:
        """The GPU that torch calls so; None where it is none, or NVML does not know it."""
        if device.type != "cuda":
            return None
        import pynvml

        # by its identifier: torch's numbers follow CUDA_VISIBLE_DEVICES, NVML's do not
        uuid = torch.cuda.get_device_properties(device).uuid
        try:
            pynvml.nvmlInit()
            return cls(pynvml, pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}"))
        except pynvml.NVMLError:
            return None

    def ask(self, query: Callable[[Any, Any], T]) -> T | None:
        """A reading, or None where the GPU or its driver has none.

        Args:
            query: gets the module and the handle.
        """
        try:
            return query(self.nvml, self.handle)
        except self.nvml.NVMLError:
            return None

    def sm_mhz(self) -> int | None:
        """Clock of the multiprocessors."""
        return self.ask(lambda nvml, gpu: int(nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_SM)))

    def memory_mhz(self) -> int | None:
        """Clock of the memory."""
        return self.ask(lambda nvml, gpu: int(nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_MEM)))

    def power_w(self) -> float | None:
        """Power drawn."""
        return self.ask(lambda nvml, gpu: nvml.nvmlDeviceGetPowerUsage(gpu) / 1000)

    def temperature_c(self) -> int | None:
        """Temperature of the chip."""
        return self.ask(lambda nvml, gpu: int(nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU)))

    def utilisation(self) -> int | None:
        """Share of the newest period in which anything ran, in percent."""
        return self.ask(lambda nvml, gpu: int(nvml.nvmlDeviceGetUtilizationRates(gpu).gpu))

    def throttles(self) -> set[str] | None:
        """Why its clocks are lower than they could be."""
        bits = self.ask(lambda nvml, gpu: int(nvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu)))
        if bits is None:
            return None
        masks = {words: getattr(self.nvml, f"nvmlClocksThrottleReason{end}", 0) for end, words in THROTTLES.items()}
        return {words for words, mask in masks.items() if bits & mask}

    def foreign_processes(self) -> int | None:
        """Other processes that compute on it."""
        running = self.ask(lambda nvml, gpu: nvml.nvmlDeviceGetComputeRunningProcesses(gpu))
        return None if running is None else sum(process.pid != os.getpid() for process in running)

    def used_bytes(self) -> int | None:
        """Memory in use, by all processes."""
        return self.ask(lambda nvml, gpu: int(nvml.nvmlDeviceGetMemoryInfo(gpu).used))

    def joules(self) -> float | None:
        """Energy since the driver was loaded; the counter moves in steps of some ten milliseconds."""
        return self.ask(lambda nvml, gpu: nvml.nvmlDeviceGetTotalEnergyConsumption(gpu) / 1000)


class Observer:
    """Looks at the machine between the samples of one block.

    Args:
        gpu: which GPU to look at; None: there is none to see.
        clock: seconds, for tests.
    """

    def __init__(self, gpu: Gpu | None, clock: Callable[[], float] = time.perf_counter) -> None:
        self._gpu = gpu
        self._clock = clock
        self._load = load_average()
        self._cpu_mhz = cpu_mhz()
        self._began: float | None = None
        self._looked: float | None = None
        self._seen: dict[str, list[Any]] = {}

    @classmethod
    def of(cls, device: torch.device) -> Observer:
        """One that sees the device's GPU, if it is one."""
        return cls(Gpu.of(device))

    def look(self) -> None:
        """Take readings, unless the last ones are fresh."""
        current_time = self._clock()
        if self._began is None:
            self._began = current_time
        if self._gpu is None or (self._looked is not None and current_time - self._looked < POLL_S):
            return
        gpu, self._looked = self._gpu, current_time
        for name in ("sm_mhz", "memory_mhz", "power_w", "temperature_c", "utilisation", "throttles"):
            value = getattr(gpu, name)()
            if value is not None:
                self._seen.setdefault(name, []).append(value)

    def telemetry(self) -> Telemetry:
        """The readings since the first one."""
        throttles = self._seen.get("throttles")
        return Telemetry(
            block=0,
            seconds=0.0 if self._began is None else self._clock() - self._began,
            threads=torch.get_num_threads(),
            load_before=self._load,
            load_after=load_average(),
            cpu_mhz=self._cpu_mhz,
            gpu_sm_mhz=self._range("sm_mhz"),
            gpu_memory_mhz=self._range("memory_mhz"),
            gpu_power_w=self._range("power_w"),
            gpu_temperature_c=self._range("temperature_c"),
            gpu_utilisation=self._range("utilisation"),
            throttled=None if throttles is None else sorted(set().union(*throttles)),
            foreign_processes=None if self._gpu is None else self._gpu.foreign_processes(),
        )

    def _range(self, name: str) -> Any:
        values = self._seen.get(name)
        return None if values is None else (min(values), max(values))


def load_average() -> float | None:
    """Load average over one minute; None where the system keeps none."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def cpu_mhz() -> float | None:
    """Mean clock of the cores; None where the system does not say."""
    try:
        frequency = psutil.cpu_freq()
    except (AttributeError, OSError, NotImplementedError):
        # psutil raises one or another of them, by system, where there is no clock to read
        return None
    return float(frequency.current) if frequency is not None and frequency.current else None
