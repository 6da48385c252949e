"""Shared draws give what drawing anew gives."""

import numpy as np
import pytest
from scipy import stats

from lipbench.statistics.intervals import MAX_CACHED_ITEMS, mean_by_cluster, median_ranks, random_signs, resample_counts
from lipbench.statistics.paired import paired_difference
from lipbench.statistics.timings import speedup, summarise_timing

RESAMPLES = 9999


def test_every_resample_has_as_many_items_as_there_are():
    counts = resample_counts(17, 0, 500)
    assert set(counts.sum(axis=1)) == {17.0}
    assert counts.mean(axis=0) == pytest.approx(np.ones(17), abs=0.2)
    with pytest.raises(ValueError, match="read-only"):
        counts[0, 0] = 5


def test_signs_are_fair():
    signs = random_signs(17, 0, 2000)
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert np.abs(signs.mean(axis=0)).max() < 0.1


@pytest.mark.parametrize("n", [6, 7, 10, 31, 100])
def test_places_of_medians_are_distributed_as_those_of_drawn_samples(n):
    random = np.random.default_rng(1)
    drawn = np.sort(random.integers(0, n, size=(40_000, n)), axis=1)
    ours = median_ranks(n, 3, 40_000)
    for place, found in zip(((n - 1) // 2, n // 2), ours, strict=True):
        shares = [np.bincount(places, minlength=n) / len(places) for places in (found, drawn[:, place])]
        assert np.abs(np.cumsum(shares[0]) - np.cumsum(shares[1])).max() < 0.015
    # the upper middle depends on the lower one
    gaps = ours[1] - ours[0]
    assert gaps.min() >= 0
    assert gaps.mean() == pytest.approx((drawn[:, n // 2] - drawn[:, (n - 1) // 2]).mean(), abs=0.03)


@pytest.mark.parametrize("n", [10, 25, 60])
def test_the_interval_of_a_speed_up_is_that_of_the_plain_bootstrap(n):
    random = np.random.default_rng(2)
    slow, fast = random.gamma(20, size=n), random.gamma(10, size=n)
    plain = stats.bootstrap(
        (slow, fast),
        lambda s, f, axis: np.median(s, axis=axis) / np.median(f, axis=axis),
        vectorized=True, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(5),
    ).confidence_interval  # fmt: skip
    found = speedup(slow.tolist(), fast.tolist()).interval
    assert found is not None
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), rel=0.02)


@pytest.mark.parametrize("n", [12, 100, MAX_CACHED_ITEMS, MAX_CACHED_ITEMS + 1])
def test_the_interval_of_a_mean_is_that_of_the_plain_bootstrap_below_and_above_the_limit(n):
    values = np.random.default_rng(3).normal(28, 1, size=n)
    plain = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=RESAMPLES,
                            rng=np.random.default_rng(5)).confidence_interval  # fmt: skip
    found = mean_by_cluster(values.tolist(), ["s1"] * n).interval
    assert found is not None
    width = plain.high - plain.low
    assert found.low == pytest.approx(plain.low, abs=0.05 * width)
    assert found.high == pytest.approx(plain.high, abs=0.05 * width)


@pytest.mark.parametrize("n", [12, 14, 40, MAX_CACHED_ITEMS + 1])
@pytest.mark.parametrize("shift", [0.0, 0.25, 5.0])
def test_p_is_that_of_scipys_sign_flips_below_and_above_the_limits(n, shift):
    deltas = np.random.default_rng(4).normal(shift, 1, size=n)
    plain = stats.permutation_test((deltas,), lambda x, axis: x.mean(axis=axis), permutation_type="samples",
                                   vectorized=True, n_resamples=RESAMPLES, rng=np.random.default_rng(5))  # fmt: skip
    names = [f"c{i}" for i in range(n)]
    found = paired_difference(
        dict(zip(names, deltas, strict=True)), dict.fromkeys(names, 0.0), dict.fromkeys(names, "s1")
    )
    assert found.p == pytest.approx(float(plain.pvalue), abs=0.03)
    if shift == 5.0 and n > 20:
        assert found.p == float(plain.pvalue)  # as small as it can be


@pytest.mark.parametrize("n", [6, 9, 30, 101])
def test_the_interval_of_a_median_is_scipys(n):
    seconds = np.random.default_rng(6).gamma(5, size=n)
    plain = stats.quantile_test(seconds, p=0.5).confidence_interval(0.95)
    found = summarise_timing(seconds.tolist()).interval
    assert found is not None
    assert (found.low, found.high) == (plain.low, plain.high)
