"""Statistics of timed calls: medians, speed-ups, and a linear fit over length. Deterministic.

Intervals as in `lipbench.statistics.intervals`: not given where there are too few calls or lengths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lipbench.statistics.intervals import (
    INTERVAL_QUANTILES,
    LEVEL,
    MIN_CLUSTERS,
    RESAMPLES,
    TOO_SMALL,
    Interval,
    bootstrap_ratios,
    median_ranks,
)

MIN_SAMPLES = 6
"""Fewest samples for an interval of a median: with five, even the whole range holds it only 93.75 % of the time."""
MIN_LENGTHS = 4
"""Fewest lengths for the interval of a straight line: two of them are used up by the line itself."""

_PERCENTILES = np.array([0.1, 0.5, 0.9, 0.95, 0.99])


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Summary statistics of one cell's timed calls, in seconds."""

    median: float
    interval: Interval | None
    """Of the median; None if there are fewer than `MIN_SAMPLES`."""
    p10: float
    p90: float
    p95: float
    p99: float
    """With fewer than a hundred samples the slowest ones by another name."""
    n: int


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """How many times faster, by medians."""

    value: float
    interval: Interval | None
    reason: str | None = None
    """Why there is no interval, naming the side that has too few calls; None where there is one, and of sums."""


@dataclass(frozen=True, kw_only=True)
class LinearFit:
    """Latency = intercept + slope x length."""

    intercept: float
    """Seconds."""
    slope: float
    """Seconds per frame."""
    intercept_interval: Interval | None
    """None if there are fewer than `MIN_LENGTHS` lengths."""
    slope_interval: Interval | None
    r_squared: float
    n: int
    """Number of lengths."""


@lru_cache(maxsize=1024)
def _median_ranks(n: int) -> tuple[int, int]:
    """Places among n sorted samples that hold the median 95 % of the time; they depend on nothing else."""
    rank_interval = stats.quantile_test(np.arange(n), p=0.5).confidence_interval(LEVEL)
    return int(rank_interval.low), int(rank_interval.high)


def summarise_timing(seconds: Sequence[float]) -> Timing:
    """Median, percentiles, and the distribution-free interval of the median from order statistics.

    Args:
        seconds: one per timed call, at least one.

    Raises:
        ValueError: there is no sample.
    """
    sorted_seconds = np.sort(np.asarray(seconds, dtype=np.float64))
    n = len(sorted_seconds)
    if n == 0:
        raise ValueError("no timed call")
    interval = None
    if n >= MIN_SAMPLES:
        low, high = _median_ranks(n)
        interval = Interval(low=float(sorted_seconds[low]), high=float(sorted_seconds[high]))
    p10, median, p90, p95, p99 = np.quantile(sorted_seconds, _PERCENTILES).tolist()
    return Timing(median=median, interval=interval, p10=p10, p90=p90, p95=p95, p99=p99, n=n)


def speedup(baseline: Sequence[float], system: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES) -> Ratio:
    """How many times faster a system is than the baseline: median over median.

    Args:
        baseline: seconds of each timed call of the baseline.
        system: the same of the system.
        seed: of the resampling.
        resamples: how many.

    Returns:
        The ratio, with a percentile bootstrap interval if both have at least `MIN_CLUSTERS` samples.
    """
    slow, fast = np.asarray(baseline, dtype=np.float64), np.asarray(system, dtype=np.float64)
    value = float(np.median(slow) / np.median(fast))
    if min(len(slow), len(fast)) < MIN_CLUSTERS:
        return Ratio(value=value, interval=None, reason=_too_few(len(slow), len(fast)))
    # the two sides are drawn independently of one another
    medians = [_resample_medians(side, seed + i, resamples) for i, side in enumerate((slow, fast))]
    low, high = np.quantile(medians[0] / medians[1], INTERVAL_QUANTILES)
    return Ratio(value=value, interval=Interval(low=float(low), high=float(high)))


def _too_few(baseline: int, system: int) -> str:
    """Which sides have fewer than `MIN_CLUSTERS` calls, and how many."""
    parts = [_calls(system)] if system < MIN_CLUSTERS else []
    if baseline < MIN_CLUSTERS:
        parts.append(f"{baseline if parts else _calls(baseline)} of the baseline")
    return f"{TOO_SMALL}: {', '.join(parts)}"


def _calls(n: int) -> str:
    return f"{n} call{'' if n == 1 else 's'}"


def _resample_medians(values: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    """Medians of resamples, (resamples,)."""
    sorted_values = np.sort(values)
    lower, upper = median_ranks(len(sorted_values), seed, resamples)
    return (sorted_values[lower] + sorted_values[upper]) / 2


def ratio_of_sums(first: Sequence[float], second: Sequence[float], *, seed: int = 0) -> Ratio:
    """How many times more one side took over the same items, such as clips, than the other: sum over sum.

    Args:
        first: one value per item.
        second: the same items of the other side, above 0.
        seed: of the resampling.

    Returns:
        The ratio, with a percentile bootstrap interval that resamples items if there are at least `MIN_CLUSTERS`.

    Raises:
        ValueError: the sides have different lengths, or there is no item.
    """
    above, below = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if len(above) != len(below) or len(above) == 0:
        raise ValueError(f"{len(above)} values beside {len(below)}")
    enough = len(above) >= MIN_CLUSTERS
    interval = next(bootstrap_ratios((above[None], below[None]), seed=seed)) if enough else None
    return Ratio(value=float(above.sum() / below.sum()), interval=interval)


def line_over_length(medians: Mapping[int, float]) -> LinearFit | None:
    """Least-squares line through one median per length.

    The medians are fitted, not the single calls: calls of one cell share its disturbances, so counting each as
    independent would give too narrow an interval.

    Args:
        medians: length in frames to seconds.

    Returns:
        The line with t intervals; None for fewer than two lengths.
    """
    if len(medians) < 2:
        return None
    lengths = np.array(list(medians), dtype=np.float64)
    seconds = np.array(list(medians.values()), dtype=np.float64)
    fit: Any = stats.linregress(lengths, seconds)
    intercept, slope = float(fit.intercept), float(fit.slope)
    around_intercept = around_slope = None
    if len(medians) >= MIN_LENGTHS:
        t = float(stats.t.ppf((1 + LEVEL) / 2, len(medians) - 2))
        around_intercept = _symmetric_interval(intercept, t * float(fit.intercept_stderr))
        around_slope = _symmetric_interval(slope, t * float(fit.stderr))
    return LinearFit(
        intercept=intercept,
        slope=slope,
        intercept_interval=around_intercept,
        slope_interval=around_slope,
        r_squared=float(fit.rvalue) ** 2,
        n=len(medians),
    )


def _symmetric_interval(value: float, half: float) -> Interval:
    return Interval(low=value - half, high=value + half)
