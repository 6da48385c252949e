"""Statistics against other ways to compute them."""

import math

import numpy as np
import pytest
from scipy import stats

from lipbench.statistics.intervals import MIN_CLUSTERS, holm, mean_by_cluster, mean_curve, means_by_cluster


def resampled_means(values, speakers, n, seed=7):
    """Cluster bootstrap written out: draw speakers, pool their clips, average."""
    random = np.random.default_rng(seed)
    groups = [
        np.array([v for v, s in zip(values, speakers, strict=True) if s == name]) for name in sorted(set(speakers))
    ]
    return [np.concatenate([groups[i] for i in random.integers(0, len(groups), len(groups))]).mean() for _ in range(n)]


def test_interval_resamples_whole_speakers():
    random = np.random.default_rng(0)
    speakers = [f"s{i}" for i in range(15) for _ in range(4 + i % 5)]
    offsets = {name: random.normal(scale=2.0) for name in set(speakers)}
    values = [28 + offsets[name] + random.normal(scale=0.3) for name in speakers]
    mean = mean_by_cluster(values, speakers)
    by_hand = np.quantile(resampled_means(values, speakers, 6000), [0.025, 0.975])
    assert mean.value == pytest.approx(np.mean(values))
    assert mean.unit == "speaker"
    assert mean.clusters == 15
    assert mean.interval is not None
    width = by_hand[1] - by_hand[0]
    assert [mean.interval.low, mean.interval.high] == pytest.approx(by_hand, abs=0.06 * width)
    by_clip = mean_by_cluster(values, ["one"] * len(values)).interval
    assert by_clip is not None
    assert mean.interval.high - mean.interval.low > 1.5 * (by_clip.high - by_clip.low)


def test_one_speaker_is_resampled_by_clip_and_agrees_with_the_t_interval():
    values = np.random.default_rng(1).normal(0.87, 0.02, size=120)
    mean = mean_by_cluster(list(values), ["s1"] * 120)
    t = stats.t.interval(0.95, 119, loc=values.mean(), scale=stats.sem(values))
    assert mean.unit == "clip"
    assert mean.interval is not None
    assert [mean.interval.low, mean.interval.high] == pytest.approx(t, abs=0.0005)


def test_the_same_values_give_the_same_interval():
    values, speakers = list(np.random.default_rng(2).normal(size=40)), ["s1"] * 40
    assert mean_by_cluster(values, speakers) == mean_by_cluster(values, speakers)
    assert mean_by_cluster(values, speakers, seed=1).interval != mean_by_cluster(values, speakers).interval


@pytest.mark.parametrize(
    ("n", "speakers", "reason"),
    [
        (MIN_CLUSTERS - 1, 1, f"n too small: {MIN_CLUSTERS - 1} clips"),
        (1, 1, "n too small: 1 clip"),
        (200, 3, "n too small: 3 speakers"),
        (0, 1, "no value"),
    ],
)
def test_few_clusters_give_a_reason_instead_of_an_interval(n, speakers, reason):
    mean = mean_by_cluster([float(i) for i in range(n)], [f"s{i % speakers}" for i in range(n)])
    assert mean.interval is None
    assert mean.reason == reason
    assert math.isnan(mean.value) == (n == 0)


def test_weights_pool_what_clips_are_made_of():
    """A clip of n frames that weighs n scores as its n frames would, one by one."""
    random = np.random.default_rng(4)
    frames = [random.normal(28, 1, size=n) for n in random.integers(20, 90, size=40)]
    pooled = mean_by_cluster([f.mean() for f in frames], ["s1"] * 40, weights=[len(f) for f in frames])
    assert pooled.value == pytest.approx(np.concatenate(frames).mean())
    assert pooled.interval is not None
    assert pooled.interval.low < pooled.value < pooled.interval.high
    equal = mean_by_cluster([f.mean() for f in frames], ["s1"] * 40, weights=[7.0] * 40)
    plain = mean_by_cluster([f.mean() for f in frames], ["s1"] * 40)
    assert equal.interval is not None
    assert plain.interval is not None
    assert [equal.value, equal.interval.low] == pytest.approx([plain.value, plain.interval.low])
    with pytest.raises(ValueError, match="2 values for 3 weights"):
        mean_by_cluster([1.0, 2.0], ["s1", "s1"], weights=[1.0, 1.0, 1.0])


def test_missing_and_infinite_values():
    values = [1.0, math.nan] * 20
    mean = mean_by_cluster(values, ["s1"] * 40)
    assert (mean.value, mean.n, mean.missing) == (1.0, 20, 20)
    assert mean.interval is not None
    assert (mean.interval.low, mean.interval.high) == (1.0, 1.0)
    perfect = mean_by_cluster([math.inf] * 40, ["s1"] * 40)
    assert perfect.value == math.inf
    assert perfect.interval is None
    with pytest.raises(ValueError, match="2 values for 1 speakers"):
        mean_by_cluster([1.0, 2.0], ["s1"])


def test_holm_multiplies_the_smallest_by_all_and_never_falls():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_a_mean_curve_is_the_mean_of_the_clips_that_reach_a_place():
    values = np.array([[1.0, 2.0, np.nan]] * 6 + [[3.0, np.nan, np.nan]] * 6)
    found = mean_curve(values, ["s1"] * 12)
    assert found.values[:2].tolist() == [2.0, 2.0]
    assert math.isnan(found.values[2])
    assert found.counts.tolist() == [12, 6, 0]
    assert found.low[0] < 2.0 < found.high[0]
    assert np.isnan(found.low[1:]).all(), "six clips are too few for an interval"


def test_a_mean_curve_at_one_place_agrees_with_the_mean():
    random = np.random.default_rng(0)
    values, speakers = random.normal(size=60), [f"s{i % 15}" for i in range(60)]
    one, curve = mean_by_cluster(values.tolist(), speakers), mean_curve(values[:, None], speakers, resamples=9999)
    assert curve.values[0] == pytest.approx(one.value)
    assert curve.low[0] == pytest.approx(one.interval.low, abs=0.02)
    assert curve.high[0] == pytest.approx(one.interval.high, abs=0.02)


def test_clips_of_one_speaker_are_one_cluster_of_a_mean_curve():
    values = np.repeat(np.random.default_rng(0).normal(size=(12, 1)), 20, axis=0)
    by_speaker = mean_curve(values, [f"s{i // 20}" for i in range(240)])
    by_clip = mean_curve(values, ["s1"] * 240)
    assert (by_speaker.high - by_speaker.low)[0] > 3 * (by_clip.high - by_clip.low)[0]
    with pytest.raises(ValueError, match="240 curves for 1 speakers"):
        mean_curve(values, ["s1"])


@pytest.mark.parametrize("speakers", [1, 12, 40])
def test_many_means_at_once_are_those_one_by_one(speakers):
    random = np.random.default_rng(6)
    values = random.normal(28, 1, size=(7, 40))
    values[1, 3], values[2, :] = math.nan, math.nan
    values[3, 5] = math.inf
    weights = np.ones((7, 40))
    weights[4] = random.integers(1, 9, size=40)
    who = [f"s{i % speakers}" for i in range(40)]
    together = means_by_cluster(values, who, weights=weights)
    for row, its, found in zip(values, weights, together, strict=True):
        alone = mean_by_cluster(row.tolist(), who, weights=its.tolist())
        assert (found.n, found.missing, found.clusters, found.unit, found.reason) == (
            alone.n, alone.missing, alone.clusters, alone.unit, alone.reason,
        )  # fmt: skip
        assert found.value == pytest.approx(alone.value, nan_ok=True)
        assert (found.interval is None) == (alone.interval is None)
        if found.interval and alone.interval:
            ends = (alone.interval.low, alone.interval.high)
            assert (found.interval.low, found.interval.high) == pytest.approx(ends)
    assert means_by_cluster(values[:0], who) == []
