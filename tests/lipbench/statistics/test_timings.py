"""What is told of timed calls against other ways to compute it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lipbench.statistics.intervals import MIN_CLUSTERS
from lipbench.statistics.timings import MIN_SAMPLES, line_over_length, speedup, summarise_timing


@given(st.lists(st.floats(1e-4, 10), min_size=1, max_size=60))
def test_timing_against_numpy_and_the_binomial(seconds):
    found = summarise_timing(seconds)
    assert [found.p10, found.median, found.p90, found.p95] == pytest.approx(np.quantile(seconds, [0.1, 0.5, 0.9, 0.95]))
    assert found.n == len(seconds)
    n, ordered = len(seconds), sorted(seconds)
    # The k-th smallest and the k-th largest hold the median unless fewer than k samples fall to one side of it.
    ranks = [k for k in range(1, n // 2 + 1) if 2 * stats.binom.cdf(k - 1, n, 0.5) <= 0.05]
    if n < MIN_SAMPLES:
        assert found.interval is None
        assert not ranks
    else:
        assert found.interval is not None
        assert (found.interval.low, found.interval.high) == (ordered[ranks[-1] - 1], ordered[-ranks[-1]])


def test_timing_needs_a_sample():
    with pytest.raises(ValueError, match="no timed call"):
        summarise_timing([])


def test_line_against_least_squares_by_numpy_and_a_t_interval_by_hand():
    random = np.random.default_rng(3)
    x = np.array([25.0, 50, 75, 100, 137, 200])
    y = 0.01 + 0.004 * x + random.normal(scale=0.005, size=6)
    line = line_over_length(dict(zip([int(v) for v in x], y, strict=True)))
    assert line is not None
    assert (line.slope, line.intercept) == pytest.approx(np.polyfit(x, y, 1))
    design = np.stack([np.ones(6), x], axis=1)
    residual = y - design @ [line.intercept, line.slope]
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * (residual @ residual) / 4)
    half = stats.t.ppf(0.975, 4) * errors
    assert line.intercept_interval is not None
    assert line.slope_interval is not None
    assert line.intercept_interval.high - line.intercept == pytest.approx(half[0])
    assert line.slope - line.slope_interval.low == pytest.approx(half[1])
    assert line.r_squared == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)


def test_a_line_through_few_lengths():
    assert line_over_length({75: 0.3}) is None
    two = line_over_length({50: 0.2, 100: 0.4})
    assert two is not None
    assert (two.intercept, two.slope) == pytest.approx((0.0, 0.004))
    assert two.slope_interval is None
    three = line_over_length({50: 0.2, 75: 0.35, 100: 0.4})
    assert three is not None
    assert three.intercept_interval is None


def test_speedup_is_the_ratio_of_medians_with_a_bootstrap_interval():
    random = np.random.default_rng(4)
    slow, fast = random.normal(0.3, 0.01, size=50), random.normal(0.02, 0.001, size=40)
    found = speedup(list(slow), list(fast))
    assert found.value == pytest.approx(np.median(slow) / np.median(fast))
    draws = np.random.default_rng(5)
    ratios = [np.median(draws.choice(slow, 50)) / np.median(draws.choice(fast, 40)) for _ in range(4000)]
    assert found.interval is not None
    assert [found.interval.low, found.interval.high] == pytest.approx(np.quantile(ratios, [0.025, 0.975]), rel=0.01)
    assert speedup(list(slow[: MIN_CLUSTERS - 1]), list(fast)).interval is None
