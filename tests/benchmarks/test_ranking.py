from __future__ import annotations

from types import SimpleNamespace

import pytest

from baselines import controls
from benchmarks.ranking import check
from benchmarks.record import MetricFacts

FACTS = [
    MetricFacts(name="psnr", title="PSNR", unit="dB", higher_is_better=True, perfect=100.0),
    MetricFacts(name="lmd", title="LMD", unit="px", higher_is_better=False, perfect=0.0),
    MetricFacts(name="aperture_correlation", title="r", unit="", higher_is_better=True, perfect=1.0),
    MetricFacts(name="aperture_range_ratio", title="Range", unit="", higher_is_better=None, perfect=1.0),
    MetricFacts(name="motion_energy_ratio", title="Motion", unit="", higher_is_better=None, perfect=1.0),
    MetricFacts(name="fid", title="FID", unit="", higher_is_better=False, per="corpus"),
]


def typical(name: str) -> dict[str, float]:
    """What a control scores under metrics that work."""
    if name.startswith("shift"):
        by = abs(int(name.removeprefix("shift_")))
        return {"psnr": 36.0 - by, "lmd": 1.0 + by, "aperture_correlation": 0.9 - 0.1 * by, "motion_energy_ratio": 1.0,
                "fid": 0.5}  # fmt: skip
    return {
        "ground_truth": {"psnr": 100.0, "lmd": 0.0, "aperture_correlation": 1.0, "motion_energy_ratio": 1.0, "fid": 0},
        "first_frame": {"psnr": 26.0, "lmd": 6.0, "aperture_correlation": 0.0, "motion_energy_ratio": 0.0, "fid": 30},
        "mean_frame": {"psnr": 28.0, "lmd": 5.0, "aperture_correlation": 0.0, "motion_energy_ratio": 0.0, "fid": 40},
        "other_sentence": {"psnr": 25.0, "lmd": 8.0, "aperture_correlation": 0.1, "motion_energy_ratio": 1.1, "fid": 1},
        "crop_round_trip": {"psnr": 45.0, "lmd": 0.2, "aperture_correlation": 1.0, "motion_energy_ratio": 1.0,
                            "fid": 2},
        "blur": {"psnr": 30.0, "lmd": 0.9, "aperture_correlation": 0.9, "motion_energy_ratio": 0.6, "fid": 60},
    }[name]  # fmt: skip


def results(**changes):
    """Every control's result; ``first_frame__psnr=40`` changes one value, None takes it away."""
    found = {}
    for name in controls.names():
        values = dict(typical(name))
        # a mouth opens where it moves
        values["aperture_range_ratio"] = min(values["motion_energy_ratio"], 1.0)
        for change, value in changes.items():
            control, _, metric = change.rpartition("__")
            if control == name:
                values[metric] = value
        found[name] = SimpleNamespace(metrics=FACTS, mean=values.get)
    return found


def broken(**changes):
    return {(o.expectation.metric, o.expectation.better) for o in check(results(**changes)) if o.holds is False}


def test_metrics_that_work_break_nothing_and_are_all_asked_about():
    outcomes = check(results())
    assert all(outcome.holds for outcome in outcomes)
    assert {outcome.expectation.metric for outcome in outcomes} == {facts.name for facts in FACTS}


@pytest.mark.parametrize(
    ("change", "value", "found"),
    [
        ("ground_truth__psnr", 99.0, ("psnr", "ground_truth")),
        ("ground_truth__lmd", 0.001, ("lmd", "ground_truth")),
        ("ground_truth__motion_energy_ratio", 1.01, ("motion_energy_ratio", "ground_truth")),
        ("first_frame__aperture_range_ratio", 0.01, ("aperture_range_ratio", "first_frame")),
        ("first_frame__aperture_correlation", 0.01, ("aperture_correlation", "first_frame")),
        ("mean_frame__motion_energy_ratio", 0.1, ("motion_energy_ratio", "mean_frame")),
        ("shift_+3__psnr", 34.5, ("psnr", "shift_+2")),
        ("shift_-5__lmd", 2.0, ("lmd", "shift_-4")),
        ("other_sentence__psnr", 35.5, ("psnr", "shift_+1")),
        ("blur__fid", 1.0, ("fid", "crop_round_trip")),
    ],
)
def test_a_metric_that_ranks_wrongly_is_named(change, value, found):
    assert found in broken(**{change: value})


def test_equal_scores_are_no_order():
    assert ("psnr", "shift_+1") in broken(**{"shift_+2__psnr": 35.0})


def test_what_was_not_measured_neither_holds_nor_fails():
    outcomes = check(results(blur__fid=None))
    about_blur = [o for o in outcomes if o.expectation.metric == "fid" and o.expectation.worse == "blur"]
    assert about_blur
    assert all(outcome.holds is None for outcome in about_blur)


def test_controls_that_were_not_asked_for_are_not_expected():
    few = {name: result for name, result in results().items() if name in ("ground_truth", "first_frame")}
    assert {o.expectation.better for o in check(few)} <= set(few)
