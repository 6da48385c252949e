from __future__ import annotations

from lipbench.benchmarks.latency.passes import instability
from lipbench.records.latency import LatencySample


def samples(*blocks):
    return [LatencySample(wall_s=wall, block=number) for number, walls in enumerate(blocks) for wall in walls]


def test_samples_that_agree_are_stable():
    assert instability(samples([1.0, 1.02, 0.99], [1.05, 1.0, 1.01]), settled=True) is None


def test_passes_that_disagree_say_by_how_much():
    reason = instability(samples([1.0] * 3, [1.3] * 3), settled=True)
    assert reason == "medians of its 2 passes are 30% apart"


def test_a_drift_within_a_pass_is_seen_although_its_median_is_that_of_the_other_pass():
    assert "halves of pass 1" in (instability(samples([1.0] * 3 + [1.4] * 3, [1.2] * 6), settled=True) or "")


def test_a_warm_up_that_did_not_settle_makes_flat_samples_unstable():
    assert "warm-up" in (instability(samples([1.0] * 8), settled=False) or "")
