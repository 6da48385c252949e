"""Telemetry and energy against a made-up NVML: what it says is passed on, what it cannot say is None and never 0."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from lipbench.benchmarks.latency.resources import measure_energy, peak_resident
from lipbench.benchmarks.timing.telemetry import Gpu, Observer


class FakeNvml:
    """Has the functions that are used; those named in `lacking` raise as on a GPU that does not know them."""

    class NVMLError(Exception):
        pass

    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0
    nvmlClocksThrottleReasonSwPowerCap = 4  # noqa: N815
    nvmlClocksThrottleReasonHwSlowdown = 8  # noqa: N815

    def __init__(self, *, lacking=(), clocks=(1980,), throttle=0, energies=()):
        self.lacking = lacking
        self.clocks = iter(clocks)
        self.throttle = throttle
        self.energies = iter(energies)

    def _say(self, name, value):
        if name in self.lacking:
            raise self.NVMLError(name)
        return value

    def nvmlDeviceGetClockInfo(self, _gpu, which):  # noqa: N802
        return self._say("clock", next(self.clocks) if which == self.NVML_CLOCK_SM else 2600)

    def nvmlDeviceGetPowerUsage(self, _gpu):  # noqa: N802
        return self._say("power", 312_000)

    def nvmlDeviceGetTemperature(self, _gpu, _which):  # noqa: N802
        return self._say("temperature", 61)

    def nvmlDeviceGetUtilizationRates(self, _gpu):  # noqa: N802
        return self._say("utilisation", SimpleNamespace(gpu=0))

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, _gpu):  # noqa: N802
        return self._say("throttle", self.throttle)

    def nvmlDeviceGetComputeRunningProcesses(self, _gpu):  # noqa: N802
        return self._say("processes", [SimpleNamespace(pid=os.getpid()), SimpleNamespace(pid=1)])

    def nvmlDeviceGetTotalEnergyConsumption(self, _gpu):  # noqa: N802
        return self._say("energy", next(self.energies, 0))


def looked(nvml, times):
    clock = iter(times)
    observer = Observer(Gpu(nvml, "gpu"), clock=lambda: next(clock))
    for _ in times[:-1]:
        observer.look()
    return observer.telemetry()


def test_readings_are_kept_as_lowest_and_highest_and_our_own_process_is_not_foreign():
    told = looked(FakeNvml(clocks=(1980, 1500), throttle=4), [0.0, 0.1, 0.3])
    assert told.gpu_sm_mhz == (1500, 1980)
    assert told.gpu_power_w == (312.0, 312.0)
    assert told.gpu_utilisation == (0, 0), "0 is a reading"
    assert told.throttled == ["power cap"]
    assert told.foreign_processes == 1
    assert told.seconds == pytest.approx(0.3)


def test_samples_that_follow_at_once_are_not_slowed_by_a_reading_each():
    assert looked(FakeNvml(clocks=(1980,)), [0.0, 0.001, 0.002, 0.003]).gpu_sm_mhz == (1980, 1980)


def test_what_nvml_cannot_say_is_none():
    lacking = ("clock", "power", "temperature", "utilisation", "throttle", "processes")
    told = looked(FakeNvml(lacking=lacking), [0.0, 1.0])
    assert told.gpu_sm_mhz is None
    assert told.gpu_power_w is None
    assert told.gpu_utilisation is None
    assert told.throttled is None
    assert told.foreign_processes is None


def test_a_machine_without_a_gpu_says_nothing_of_one():
    observer = Observer(None)
    observer.look()
    told = observer.telemetry()
    assert told.gpu_sm_mhz is None
    assert told.throttled is None
    assert told.threads >= 1


def measured(nvml):
    now = iter(float(number) for number in range(100))
    return measure_energy(
        lambda: None, lambda: None, Gpu(nvml, "gpu"), seconds=3.0, clock=lambda: next(now), sleep=lambda _: None
    )


def test_energy_is_the_counters_difference_over_the_calls_and_the_idle_power_stands_beside_it():
    found = measured(FakeNvml(energies=(0, 70_000, 70_000, 370_000)))
    assert found is not None
    assert (found.joules, found.idle_watts, found.calls) == (300.0, 70.0, 3)


@pytest.mark.parametrize("nvml", [FakeNvml(lacking=("energy",)), FakeNvml(energies=(5, 5, 5, 5))])
def test_a_counter_that_is_not_there_or_stands_still_is_none_and_not_zero(nvml):
    assert measured(nvml) is None


def test_the_peak_of_this_process_is_read_and_unknown_where_there_is_no_such_file(tmp_path):
    assert peak_resident(tmp_path / "none") is None
    status = tmp_path / "status"
    status.write_text("Name:\tx\nVmHWM:\t  2048 kB\n")
    assert peak_resident(status) == 2048 * 1024
