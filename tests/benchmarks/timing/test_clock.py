"""The timing room's rules. No test asserts how fast anything is: the clock is replaced where durations matter."""

from __future__ import annotations

import gc
import time

import pytest
import torch

from lipbench.benchmarks import timing
from lipbench.records.latency import LatencySample


class ScriptedWatch(timing.Stopwatch):
    """Says what it is told to, and runs the call."""

    def __init__(self, seconds):
        super().__init__(torch.device("cpu"))
        self.seconds = iter(seconds)

    def time(self, call):
        call()
        return LatencySample(wall_s=next(self.seconds))


def test_a_sample_covers_the_call_and_nothing_after_it():
    watch = timing.Stopwatch(torch.device("cpu"))
    sample = watch.time(lambda: time.sleep(0.02))
    assert sample.wall_s >= 0.02
    assert sample.device_s is None


def test_garbage_collection_is_off_inside_and_as_before_after():
    watch = timing.Stopwatch(torch.device("cpu"))
    seen = []
    watch.time(lambda: seen.append(gc.isenabled()))
    assert seen == [False]
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        watch.time(lambda: 1 / 0)
    assert gc.isenabled()
    gc.disable()
    try:
        watch.time(lambda: None)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_warm_up_ends_when_the_samples_are_flat_and_keeps_the_first_call_apart():
    calls = []
    watch = ScriptedWatch([9.0, 5.0, 3.0, 2.0, 1.0, 1.01, 1.0, 0.99, 1.0, 1.0])
    warmed = timing.warm_up(lambda: calls.append(1), watch, timing.Budget(warmup_s=60))
    assert warmed.settled
    assert warmed.first_s == 9.0
    seconds = [sample.wall_s for sample in warmed.samples]
    assert seconds == [5.0, 3.0, 2.0, 1.0, 1.01, 1.0, 0.99, 1.0, 1.0][: len(seconds)]
    assert max(seconds[-6:]) < 3.0, "it went on until the slow calls had left both windows' medians"
    assert len(calls) == len(seconds) + 1


def test_a_warm_up_that_never_settles_ends_at_its_limit_and_says_so():
    watch = ScriptedWatch(float(2**i) for i in range(1000))
    warmed = timing.warm_up(lambda: None, watch, timing.Budget(warmup_s=0.0))
    assert not warmed.settled
    assert len(warmed.samples) == 2


@pytest.mark.parametrize(("typical", "expected"), [(0.5, 7), (0.1, 20), (1e-6, 100)])
def test_rounds_follow_from_the_warmed_samples_not_from_the_first_call(typical, expected):
    samples = [LatencySample(wall_s=seconds) for seconds in (50.0, typical, typical, typical)]
    warmed = timing.WarmUp(1000.0, samples, settled=True)
    assert timing.rounds(warmed, timing.Budget(seconds=2.0, least=7, most=100)) == expected


def test_the_live_clock_moves_only_when_told():
    clock = timing.LiveClock()
    before = clock()
    time.sleep(0.001)
    assert clock() == before
    clock.advance(1.5)
    assert clock() == before + 1.5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_the_sample_covers_the_devices_work():
    watch = timing.Stopwatch(torch.device("cuda"))
    matrix = torch.rand(4096, 4096, device="cuda")
    watch.time(lambda: matrix @ matrix)
    sample = watch.time(lambda: matrix @ matrix)
    assert sample.device_s is not None
    assert 0 < sample.device_s <= sample.wall_s * 1.5
