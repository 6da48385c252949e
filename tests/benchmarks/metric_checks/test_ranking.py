from __future__ import annotations

from types import SimpleNamespace

import pytest

from lipbench import metrics
from lipbench.baselines import controls
from lipbench.benchmarks.metric_checks.ranking import UNRANKED_METRICS, check
from lipbench.benchmarks.scoring.measure import metric_facts

FACTS = {name: metric_facts(name, metrics.create(name)) for name in metrics.names()}
WORSE = {
    "ground_truth": 0.0,
    "crop_round_trip": 0.1,
    "average_3": 0.3,
    **{f"shift_{by:+d}": 0.5 * abs(by) for by in controls.SHIFTS},
    "mean_frame": 3.0,
    "first_frame": 3.2,
    "blur": 3.5,
    "other_sentence": 4.0,
}
"""How far a control is from perfect."""
MOVES = {"mean_frame": 0.0, "first_frame": 0.0, "blur": 0.6, "average_3": 0.7}
"""Share of the truth's motion; 1 for others."""
FOLLOWS = {
    "mean_frame": 0.0,
    "first_frame": 0.0,
    "other_sentence": 0.1,
    **{f"shift_{by:+d}": 0.9 - 0.1 * abs(by) for by in controls.SHIFTS},
}
FAILURES = 0.25
"""In percent: one real frame in which no mouth is found."""


def typical(metric: str, control: str) -> float:
    """What a control scores under a metric that works."""
    known = FACTS[metric]
    if metric.startswith("landmark_failure"):
        return FAILURES
    if metric == "aperture_correlation":
        return FOLLOWS.get(control, 1.0)
    if known.higher_is_better is None:
        return MOVES.get(control, 1.0)
    if known.higher_is_better:
        assert known.perfect is not None
        return known.perfect * (1 - 0.1 * WORSE.get(control, 5.0))
    return WORSE.get(control, 5.0)


def results(**changes):
    """Every control's result; ``first_frame__psnr=40`` changes one value, None takes it away."""
    found = {}
    for name in controls.names():
        values = {metric: typical(metric, name) for metric in FACTS if metric not in UNRANKED_METRICS}
        for change, value in changes.items():
            control, _, metric = change.rpartition("__")
            if control == name:
                values[metric] = value
        found[name] = SimpleNamespace(metrics=list(FACTS.values()), mean=values.get)
    return found


def broken(**changes):
    return {(o.expectation.metric, o.expectation.better) for o in check(results(**changes)) if o.holds is False}


def test_metrics_that_work_break_nothing_and_all_have_a_rule_or_a_reason():
    outcomes = check(results())
    assert [outcome for outcome in outcomes if not outcome.holds] == []
    ranked = {outcome.expectation.metric for outcome in outcomes}
    assert ranked.isdisjoint(UNRANKED_METRICS)
    assert ranked | set(UNRANKED_METRICS) == set(metrics.names()), "decide how a new metric must rank the controls"


@pytest.mark.parametrize(
    ("change", "value", "found"),
    [
        ("ground_truth__psnr", 99.0, ("psnr", "ground_truth")),
        ("ground_truth__lmd", 0.001, ("lmd", "ground_truth")),
        ("ground_truth__motion_energy_ratio", 1.01, ("motion_energy_ratio", "ground_truth")),
        ("first_frame__aperture_range_ratio", 0.01, ("aperture_range_ratio", "first_frame")),
        ("first_frame__aperture_correlation", 0.01, ("aperture_correlation", "first_frame")),
        ("mean_frame__motion_energy_ratio", 0.1, ("motion_energy_ratio", "mean_frame")),
        ("mean_frame__motion_range_ratio", 0.1, ("motion_range_ratio", "mean_frame")),
        ("mean_frame__flicker", 0.1, ("flicker", "mean_frame")),
        ("ground_truth__landmark_failure_preds", 0.5, ("landmark_failure_preds", "ground_truth")),
        ("blur__landmark_failure_target", 0.5, ("landmark_failure_target", "blur")),
        ("shift_+3__psnr", 92.0, ("psnr", "shift_+2")),
        ("shift_-5__lmd", 1.5, ("lmd", "shift_-4")),
        ("other_sentence__psnr", 96.0, ("psnr", "shift_+1")),
        ("blur__fid", 0.05, ("fid", "crop_round_trip")),
    ],
)
def test_a_metric_that_ranks_wrongly_is_named(change, value, found):
    assert found in broken(**{change: value})


def test_equal_scores_are_no_order():
    assert ("psnr", "shift_+1") in broken(**{"shift_+2__psnr": typical("psnr", "shift_+1")})


def test_what_was_not_measured_neither_holds_nor_fails():
    outcomes = check(results(blur__fid=None))
    about_blur = [o for o in outcomes if o.expectation.metric == "fid" and o.expectation.worse == "blur"]
    assert about_blur
    assert all(outcome.holds is None for outcome in about_blur)


def test_controls_that_were_not_asked_for_are_not_expected():
    few = {name: result for name, result in results().items() if name in ("ground_truth", "first_frame")}
    assert {o.expectation.better for o in check(few)} <= set(few)


def test_frames_without_a_mouth_are_the_corpus_affair_and_a_worse_side_is_only_told():
    for control in controls.names():
        if control != "ground_truth":
            assert broken(**{f"{control}__landmark_failure_preds": 40.0}) == set()
    unknown = [o for o in check(results(ground_truth__landmark_failure_target=None)) if o.holds is None]
    assert {o.expectation.metric for o in unknown} == {"landmark_failure_preds", "landmark_failure_target"}
