"""Differences between systems, clip by clip: most of what makes clips differ from one another cancels in them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from reports.resampling import LARGEST, random_signs
from reports.statistics import MIN_CLUSTERS, RESAMPLES, Interval, holm, mean_by_cluster

ALPHA = 0.05
POWER = 0.8
"""Chance with which an effect as large as `Difference.detectable` would have been found."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The mean of first minus second over the clips that both have a value for."""

    value: float
    interval: Interval | None
    """95 %, of this difference alone; None where n is too small."""
    p: float | None
    """Of a sign-flip test of no difference; None where n is too small."""
    p_holm: float | None = None
    """`p` corrected for all differences of its family; None until `corrected` has seen them all."""
    detectable: float | None = None
    """Smallest true difference that a paired t test of this n would find with a chance of `POWER`, in the metric's
    unit; None where n is too small."""
    n: int
    """Clips that both sides have."""
    left_out: int
    """Clips that only one side has a value for."""
    clusters: int
    unit: Literal["speaker", "clip"]
    """What was resampled and flipped as a whole."""

    @property
    def significant(self) -> bool:
        """Whether it is larger than chance explains, all differences of its family taken together."""
        return self.p_holm is not None and self.p_holm < ALPHA


def paired(
    first: Mapping[str, float], second: Mapping[str, float], speakers: Mapping[str, str], *, seed: int = 0
) -> Difference:
    """Compare two systems on the clips that both were scored on.

    Speakers are resampled, and the signs of their differences flipped, as wholes; clips if there is one speaker only.

    Args:
        first: utterance id to value.
        second: the same of the other system.
        speakers: utterance id to speaker.
        seed: of the resampling.

    Returns:
        The difference, not yet corrected for others; see `corrected`.
    """
    common = sorted(name for name in first.keys() & second.keys() if math.isfinite(first[name] - second[name]))
    deltas = np.array([first[name] - second[name] for name in common], dtype=np.float64)
    who = [speakers[name] for name in common]
    mean = mean_by_cluster(deltas.tolist(), who, seed=seed)
    enough = mean.clusters >= MIN_CLUSTERS
    clusters = _cluster_effects(deltas, who if mean.unit == "speaker" else common)
    return Difference(
        value=mean.value,
        interval=mean.interval,
        p=_sign_flip(clusters, seed=seed) if enough else None,
        detectable=_detectable(clusters) if enough else None,
        n=len(common),
        left_out=len(first.keys() | second.keys()) - len(common),
        clusters=mean.clusters,
        unit=mean.unit,
    )


def corrected(differences: Sequence[Difference]) -> list[Difference]:
    """Holm's correction over a family of differences: those without a p value are no part of it."""
    adjusted = iter(holm([one.p for one in differences if one.p is not None]))
    return [one if one.p is None else replace(one, p_holm=next(adjusted)) for one in differences]


def _cluster_effects(deltas: NDArray[np.float64], names: Sequence[str]) -> NDArray[np.float64]:
    """What each cluster adds to the mean, scaled so that the mean over clusters is the mean over clips."""
    sums: dict[str, float] = {}
    for name, delta in zip(names, deltas.tolist(), strict=True):
        sums[name] = sums.get(name, 0.0) + delta
    return np.array(list(sums.values())) * len(sums) / max(len(deltas), 1)


def _sign_flip(effects: NDArray[np.float64], *, seed: int) -> float:
    """Two-sided p value: how often chance signs give a mean as far from 0."""
    if not effects.any():
        return 1.0
    # few effects have so few signs that scipy goes through them all
    if 2 ** min(len(effects), 64) > RESAMPLES and len(effects) <= LARGEST:
        # einsum and no matrix product, as in `reports.statistics`
        means = np.einsum("rn,n->r", random_signs(len(effects), seed, RESAMPLES), effects) / len(effects)
        observed = float(effects.mean())
        near = abs(observed) * 100 * np.finfo(np.float64).eps
        tails = [int((means <= observed + near).sum()), int((means >= observed - near).sum())]
        # one is added for the signs that were found, as scipy does (Phipson and Smyth, 2010)
        return min(1.0, 2 * (min(tails) + 1) / (RESAMPLES + 1))
    found = stats.permutation_test(
        (effects,),
        lambda x, axis: x.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=1000,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def _detectable(effects: NDArray[np.float64]) -> float | None:
    """Smallest mean that a t test over these clusters finds with the stated power, given how they scatter."""
    scatter = float(effects.std(ddof=1))
    return scatter * _effect_size(len(effects)) if scatter else 0.0


@lru_cache(maxsize=256)
def _effect_size(n: int) -> float:
    """Smallest mean that a t test of n values finds with the stated power, in standard deviations."""
    from statsmodels.stats.power import TTestPower

    found: Any = TTestPower().solve_power(nobs=n, alpha=ALPHA, power=POWER)
    return float(found)
