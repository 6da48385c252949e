"""How large a change is, from one figure per pair: bootstrap over pairs, because calls of one process are correlated.

The statistic is the median over pairs, which one disturbed pair does not move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

LEVEL = 0.95
ALPHA = 0.01
"""Chance of one false alarm or more among all checks of a family."""
RESAMPLES = 4999
MIN_PAIRS = 5
"""Fewest pairs for a verdict: with four, one disturbed pair moves the median."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The median over pairs with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float
    p: float
    """One-sided, of Wilcoxon's signed-rank test against the margin."""
    pairs: int


def estimate(changes: Sequence[float], *, margin: float, seed: int = 0) -> Estimate | None:
    """Estimate a change from its value in each pair.

    Args:
        changes: one per pair, 0 for none.
        margin: the change that is still allowed, in the same unit.
        seed: of the resampling.

    Returns:
        None for fewer than `MIN_PAIRS`.
    """
    values = np.asarray(changes, dtype=np.float64)
    if len(values) < MIN_PAIRS:
        return None
    bootstrap: Any = stats.bootstrap(
        (values,),
        np.median,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    # of few pairs the bootstrap is too sure of itself; the exact test is not
    wilcoxon_test: Any = stats.wilcoxon(values - margin, alternative="greater")
    return Estimate(
        value=float(np.median(values)),
        low=float(bootstrap.confidence_interval.low),
        high=float(bootstrap.confidence_interval.high),
        p=float(wilcoxon_test.pvalue),
        pairs=len(values),
    )


def chance_spread(changes: Sequence[float], *, pairs: int, seed: int = 0) -> float:
    """How far from 0 chance alone takes the median of so many pairs: its 95th percentile over resampled A/A pairs.

    Args:
        changes: one per pair of an A/A run.
        pairs: how many the gate will measure.
        seed: of the resampling.
    """
    generator = np.random.default_rng(seed)
    resamples = generator.choice(np.asarray(changes, dtype=np.float64), size=(RESAMPLES, pairs))
    return float(np.quantile(np.abs(np.median(resamples, axis=1)), LEVEL))
