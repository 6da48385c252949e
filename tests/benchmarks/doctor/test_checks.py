"""Each check says ok, warning or problem for what it must, and nothing where the machine is silent."""

from __future__ import annotations

import os
from types import SimpleNamespace

import psutil
import pytest
import torch

from lipbench.benchmarks.doctor import device, host, parts
from lipbench.benchmarks.timing.telemetry import Gpu


def shares(idle, steal=0.0):
    return lambda _seconds: SimpleNamespace(idle=idle, iowait=0.0, steal=steal)


def test_cores_that_others_keep_busy_are_warned_of():
    cores = psutil.cpu_count()
    assert host.processor_load(shares(100.0)).state == "ok"
    crowded = host.processor_load(shares(0.0))
    assert (crowded.state, crowded.facts["foreign_cores"]) == ("warning", cores)
    assert crowded.remedy == "Stop them or wait"


def test_time_that_the_host_takes_is_no_other_process():
    stolen = host.processor_load(shares(80.0, steal=20.0))
    assert (stolen.state, stolen.facts["foreign_cores"]) == ("warning", 0.0)
    assert "not shared" in stolen.remedy


@pytest.mark.parametrize(
    ("policy", "state"), [("performance", "ok"), ("powersave", "warning"), ("schedutil", "warning")]
)
def test_a_governor_that_follows_the_load_is_warned_of(policy, state, tmp_path):
    file = tmp_path / "scaling_governor"
    file.write_text(policy + "\n")
    found = host.clocks(file)
    assert (found.state, found.facts["governor"]) == (state, policy)


def test_a_governor_that_cannot_be_read_is_unknown_and_not_fine(tmp_path):
    found = host.clocks(tmp_path / "none")
    assert (found.state, found.facts["governor"]) == (None, None)


@pytest.mark.parametrize(("quota", "state", "cores"), [("max 100000", "ok", None), ("50000 100000", "warning", 0.5)])
def test_a_containers_share_of_time_counts_against_the_threads(quota, state, cores, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    file = tmp_path / "cpu.max"
    file.write_text(quota + "\n")
    found = host.threads(file)
    assert (found.state, found.facts["quota_cores"]) == (state, cores)


def test_more_threads_than_cores_are_warned_of(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4096)
    found = host.threads(tmp_path / "none")
    assert found.state == "warning"
    assert "OMP_NUM_THREADS=" in found.remedy


@pytest.mark.parametrize(("free", "state"), [(8 << 30, "ok"), (1 << 30, "warning"), (100 << 20, "problem")])
def test_memory_that_nothing_fits_into_is_a_problem(free, state):
    found = host.memory(lambda: SimpleNamespace(available=free, total=16 << 30))
    assert (found.state, found.remedy is None) == (state, state == "ok")


@pytest.mark.parametrize(("free", "state"), [(50 << 30, "ok"), (5 << 30, "warning"), (100 << 20, "problem")])
def test_a_full_disk_is_a_problem_also_of_a_folder_yet_to_be_made(free, state, tmp_path):
    asked = []

    def read(place):
        asked.append(place)
        return SimpleNamespace(free=free, total=100 << 30)

    assert host.disk(tmp_path / "not" / "yet", read).state == state
    assert asked == [str(tmp_path)]


def test_a_folder_that_is_a_file_cannot_hold_runs(tmp_path):
    (tmp_path / "runs").write_text("")
    assert host.disk(tmp_path / "runs").state == "problem"


def project(tmp_path, *dependencies, python=">=3.11"):
    file = tmp_path / "pyproject.toml"
    listed = ", ".join(f'"{one}"' for one in dependencies)
    file.write_text(f'[project]\nrequires-python = "{python}"\ndependencies = [{listed}]\n')
    return file


def test_packages_are_held_against_the_ranges(tmp_path):
    assert parts.packages(project(tmp_path, "numpy>=2", "torch")).state == "ok"
    old = parts.packages(project(tmp_path, "numpy>=2000"))
    assert old.state == "warning"
    assert "numpy" in old.finding
    assert ">=2000" in old.finding
    missing = parts.packages(project(tmp_path, "numpy>=2000", "no-such-distribution-anywhere"))
    assert missing.state == "problem"
    assert missing.facts["no-such-distribution-anywhere"] is None
    assert parts.packages(project(tmp_path, python=">=99")).state == "warning"


def test_this_projects_own_ranges_can_be_read():
    assert "torch" in parts.packages().facts


def test_weights_that_are_named_and_not_there_are_warned_of(tmp_path):
    found = parts.inception_weights(tmp_path / "none.pth")
    assert found.state == "warning"
    assert str(tmp_path / "none.pth") in found.finding


def test_looking_for_weights_downloads_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *_, **__: pytest.fail("a download"))
    monkeypatch.delenv("LIPBENCH_INCEPTION_WEIGHTS", raising=False)
    assert parts.inception_weights(None).state == "warning"


def test_video_is_written_and_read():
    assert parts.video().state == "ok"


def test_video_that_comes_back_changed_is_warned_of(monkeypatch):

    from lipbench.corpora import video

    real = video.read_video
    monkeypatch.setattr(video, "read_video", lambda path: SimpleNamespace(frames=255 - real(path).frames))
    assert parts.video().state == "warning"


def test_a_gpu_that_is_not_there_is_a_problem_only_for_who_asked_for_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.device("cuda").state == "problem"
    assert device.device("cuda").remedy
    assert device.device("cpu").state == "ok"


def test_a_gpu_that_the_driver_knows_and_torch_does_not_is_worth_a_word(monkeypatch):
    import pynvml

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 1)
    found = device.device("auto")
    assert (found.state, found.facts["gpus_of_the_driver"]) == ("warning", 1)


class FakeNvml:
    """A GPU that says what it is given, and raises for the rest as one that does not know."""

    class NVMLError(Exception):
        pass

    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0
    nvmlClocksThrottleReasonApplicationsClocksSetting = 2  # noqa: N815
    nvmlClocksThrottleReasonSwPowerCap = 4  # noqa: N815

    def __init__(self, **said):
        self.said = said

    def __getattr__(self, name):
        def read(*_):
            if name not in self.said:
                raise self.NVMLError(name)
            return self.said[name]

        if name.startswith("nvmlDevice"):
            return read
        raise AttributeError(name)


def states(**said):
    return {check.name: check for check in device.gpu_checks(Gpu(FakeNvml(**said), "gpu"))}


def test_a_gpu_that_says_nothing_is_unknown_in_everything():
    assert {check.state for check in states().values()} == {None}


def test_without_nvml_a_reader_is_told_what_stays_unknown():
    (only,) = device.gpu_checks(None)
    assert only.state == "warning"


def test_what_slows_a_gpu_down_is_warned_of():
    processes = [SimpleNamespace(pid=os.getpid()), SimpleNamespace(pid=1)]
    found = states(
        nvmlDeviceGetCurrentClocksThrottleReasons=4,
        nvmlDeviceGetComputeRunningProcesses=processes,
        nvmlDeviceGetMemoryInfo=SimpleNamespace(free=100 << 20),
        nvmlDeviceGetTemperature=91,
    )
    assert found["GPU throttling"].state == "warning"
    assert "power cap at 91" in found["GPU throttling"].finding
    assert found["GPU processes"].facts["foreign_processes"] == 1
    assert found["GPU processes"].state == "warning"
    assert found["GPU memory"].state == "problem"
    assert found["GPU clocks"].facts["locked"] is None


def test_a_quiet_gpu_whose_clocks_are_held_is_fine():
    found = states(
        nvmlDeviceGetCurrentClocksThrottleReasons=2,
        nvmlDeviceGetComputeRunningProcesses=[SimpleNamespace(pid=os.getpid())],
        nvmlDeviceGetMemoryInfo=SimpleNamespace(free=70 << 30),
        nvmlDeviceGetClockInfo=1500,
        nvmlDeviceGetMaxClockInfo=1980,
    )
    assert {check.state for check in found.values()} == {"ok"}
    assert found["GPU clocks"].facts == {"sm_mhz": 1500, "highest_sm_mhz": 1980, "locked": True}
