"""How metrics must rank the controls.

A metric that ranks them otherwise is broken or does not measure what it should.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from lipbench.baselines.controls import SHIFTS
from lipbench.records.quality import MetricFacts, Quality

TIMING_METRICS = ("psnr", "ssim", "lmd", "lmd_centred")
"""Metrics that must get worse with each frame of shift."""
SYLLABLE_FRAMES = 3
"""Frames of shift up to which aperture correlation must fall: beyond, a mouth meets its next opening."""
PICTURE_METRICS = ("psnr", "ssim", "fid", "kid", "frechet_face_distance", "identity_similarity")
"""Metrics that must see a blur."""
MOTIONLESS_CONTROLS = ("first_frame", "mean_frame")
"""Controls that show one picture all the time."""
MOTION_METRICS = {
    "aperture_correlation": "a mouth that never moves follows nothing",
    "aperture_range_ratio": "a mouth that never moves opens nothing",
    "motion_energy_ratio": "a mouth that never moves has no energy",
    "motion_range_ratio": "a picture that never changes has no range",
    "flicker": "a picture that never changes does not flicker",
}
"""Metrics that must be 0 of a still mouth, and why."""
FAILED, REAL_FAILED = "landmark_failure_preds", "landmark_failure_target"
"""How often no mouth is found depends on the corpus: the truth fails as often as it does, and no more."""
UNRANKED_METRICS = dict.fromkeys(
    ("length_error", "length_error_share", "token_duration_error"), "a control has the truth's own timing"
)
"""Metrics without a rule, and why. Every other metric of lipbench has one here."""
PERFECT_TOLERANCE = 1e-6
"""How far from the best value the truth may score, as a share of it or absolute: rounding only."""


class Expectation(NamedTuple):
    """One thing that must hold."""

    metric: str
    better: str
    """Control that must score better."""
    worse: str | None
    """Control that must score worse; None: `better` must score `exactly`."""
    why: str
    exactly: float | None = None
    """None with `worse`, or where what is due was not measured."""


class ExpectationResult(NamedTuple):
    """Whether it held."""

    expectation: Expectation
    value: float | None
    """Of `better`; None: not measured."""
    other: float | None
    """Of `worse`, or the value that was due; None: not measured."""
    holds: bool | None
    """None: not measured."""


def check(results: Mapping[str, Quality]) -> list[ExpectationResult]:
    """Compare the controls' scores with the expected order.

    Args:
        results: control to its result, all scored alike.

    Returns:
        One outcome per expectation about the metrics that were asked for and the controls that were scored.
    """
    facts = {metric.name: metric for result in results.values() for metric in result.metrics}
    real_rate = results["ground_truth"].mean(REAL_FAILED) if "ground_truth" in results else None
    rules = (
        *_perfection_rules(facts),
        *_failure_rules(results, real_rate),
        *_timing_rules(),
        *_motion_rules(),
        *_picture_rules(),
    )
    return [
        _outcome(rule, results, facts[rule.metric])
        for rule in rules
        if rule.metric in facts and rule.better in results and (rule.worse is None or rule.worse in results)
    ]


def _perfection_rules(facts: Mapping[str, MetricFacts]) -> Iterator[Expectation]:
    for name, metric in facts.items():
        # the distance between two equal sets of features is 0 up to the bias of its estimate: only its order is checked
        if metric.per == "clip" and metric.perfect is not None and name not in UNRANKED_METRICS:
            yield Expectation(name, "ground_truth", None, "the truth is perfect", exactly=metric.perfect)


def _failure_rules(names: Iterable[str], real_rate: float | None) -> Iterator[Expectation]:
    yield Expectation(FAILED, "ground_truth", None, "the same pictures fail as often", exactly=real_rate)
    for name in names:
        if name != "ground_truth":
            yield Expectation(REAL_FAILED, name, None, "all are held against one real side", exactly=real_rate)


def _timing_rules() -> Iterator[Expectation]:
    for sign in ("+", "-"):
        for distance in range(1, max(SHIFTS)):
            near, far = f"shift_{sign}{distance}", f"shift_{sign}{distance + 1}"
            for metric in TIMING_METRICS:
                yield Expectation(metric, near, far, "one frame more is worse")
            if distance < SYLLABLE_FRAMES:
                yield Expectation("aperture_correlation", near, far, "one frame more is worse")
        for metric in (*TIMING_METRICS, "aperture_correlation", "landmark_velocity_error"):
            yield Expectation(metric, "ground_truth", f"shift_{sign}1", "a shift is no perfect clip")
            yield Expectation(metric, f"shift_{sign}1", "other_sentence", "wrong words are worse than a late mouth")


def _motion_rules() -> Iterator[Expectation]:
    for still in MOTIONLESS_CONTROLS:
        for metric, why in MOTION_METRICS.items():
            yield Expectation(metric, still, None, why, exactly=0.0)
        for sign in ("+", "-"):
            for metric in TIMING_METRICS:
                yield Expectation(metric, f"shift_{sign}1", still, "a mouth one frame late beats one that never moves")
            for distance in range(1, SYLLABLE_FRAMES + 1):
                yield Expectation(
                    "aperture_correlation", f"shift_{sign}{distance}", still, "a late mouth moves, a still one does not"
                )
    for smooth in ("blur", "average_3"):
        yield Expectation("aperture_correlation", smooth, "other_sentence", "a smooth mouth still says the words")


def _picture_rules() -> Iterator[Expectation]:
    for metric in PICTURE_METRICS:
        yield Expectation(metric, "ground_truth", "blur", "a blur is no perfect clip")
        yield Expectation(metric, "crop_round_trip", "blur", "resampling costs less than blurring")
    for metric in ("psnr", "ssim"):
        yield Expectation(metric, "ground_truth", "average_3", "a mean of frames is no perfect clip")
        for sign in ("+", "-"):
            yield Expectation(metric, "average_3", f"shift_{sign}1", "a mean with both neighbours beats one neighbour")


def _outcome(rule: Expectation, results: Mapping[str, Quality], facts: MetricFacts) -> ExpectationResult:
    value = results[rule.better].mean(rule.metric)
    other = rule.exactly if rule.worse is None else results[rule.worse].mean(rule.metric)
    if value is None or other is None:
        return ExpectationResult(rule, value, other, None)
    if rule.worse is None:
        return ExpectationResult(
            rule, value, other, math.isclose(value, other, rel_tol=PERFECT_TOLERANCE, abs_tol=PERFECT_TOLERANCE)
        )
    return ExpectationResult(rule, value, other, value > other if facts.higher_is_better else value < other)
