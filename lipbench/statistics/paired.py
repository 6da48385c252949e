"""Differences between systems, clip by clip: most of what makes clips differ from one another cancels in them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lipbench.statistics.intervals import (
    MAX_CACHED_ITEMS,
    MIN_CLUSTERS,
    RESAMPLES,
    Interval,
    bootstrap_ratios,
    cluster_sums,
    holm,
    random_signs,
)

ALPHA = 0.05
POWER = 0.8
"""Chance with which an effect as large as `Difference.detectable` would have been found."""

_ROWS = 200
"""Differences that are tested at once, to bound the memory at a few tens of megabytes."""


@dataclass(frozen=True, eq=False)
class MetricScores:
    """One metric of one system."""

    values: Mapping[str, float]
    """Utterance id to value."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Utterance id to the clip's weight in the mean, above 0; 1 where it is not named."""


ScorePair = tuple[MetricScores, MetricScores]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The first side's mean minus the second's, over the clips that both have a value for."""

    value: float
    interval: Interval | None
    """95 %, of this difference alone; None where n is too small."""
    p: float | None
    """Of a sign-flip test of no difference; None where n is too small."""
    p_least: float | None = None
    """The smallest that `p` could have been with so few clusters or resamples; None where n is too small."""
    p_holm: float | None = None
    """`p` corrected for all differences of its family; None until `correct_family` has seen them all, and where the
    family
    is so large that not even `p_least` would be below `ALPHA` once corrected: then nothing was tested."""
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


def paired_difference(
    first: Mapping[str, float], second: Mapping[str, float], speakers: Mapping[str, str], *, seed: int = 0
) -> Difference:
    """Compare two systems on the clips that both were scored on, each clip alike; see `paired_differences`.

    Args:
        first: utterance id to value.
        second: the same of the other system.
        speakers: utterance id to speaker.
        seed: of the resampling.

    Returns:
        The difference, not yet corrected for others; see `correct_family`.
    """
    return paired_differences([(MetricScores(first), MetricScores(second))], speakers, seed=seed)[0]


def paired_differences(pairs: Sequence[ScorePair], speakers: Mapping[str, str], *, seed: int = 0) -> list[Difference]:
    """Compare pairs of systems on the clips that both were scored on.

    Speakers are resampled, and the signs of their differences flipped, as wholes; clips if there is one speaker only.

    Args:
        pairs: a first and a second side each.
        speakers: utterance id to speaker.
        seed: of the resampling, which pairs of the same clips share.

    Returns:
        The differences, not yet corrected for one another; see `correct_family`.
    """
    names = sorted({name for pair in pairs for side in pair for name in side.values})
    sides = {id(side): np.array([side.values.get(name, math.nan) for name in names]) for p in pairs for side in p}
    weights = {id(side): np.array([side.weights.get(name, 1.0) for name in names]) for p in pairs for side in p}
    places_by_pattern: dict[bytes, list[int]] = {}
    for place, (first, second) in enumerate(pairs):
        # of two infinite values there is no difference
        has_both = np.isfinite(sides[id(first)]) & np.isfinite(sides[id(second)])
        places_by_pattern.setdefault(has_both.tobytes(), []).append(place)
    difference_by_place: dict[int, Difference] = {}
    for pattern, places in places_by_pattern.items():
        clip_indices = np.flatnonzero(np.frombuffer(pattern, dtype=bool))
        union_counts = [len(pairs[i][0].values.keys() | pairs[i][1].values.keys()) for i in places]
        # (side, K, clips)
        values = np.array([[sides[id(pairs[i][j])][clip_indices] for i in places] for j in (0, 1)])
        shares = np.array([[weights[id(pairs[i][j])][clip_indices] for i in places] for j in (0, 1)])
        group_differences = _whole_differences(
            values, shares, [speakers[names[j]] for j in clip_indices], union_counts, seed=seed
        )
        difference_by_place |= dict(zip(places, group_differences, strict=True))
    return [difference_by_place[place] for place in range(len(pairs))]


def _whole_differences(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    speakers: Sequence[str],
    union_counts: Sequence[int],
    *,
    seed: int,
) -> list[Difference]:
    """Differences over the same clips, (2, K, clips); `union_counts` is how many clips either side has."""
    n = values.shape[2]
    unit: Literal["speaker", "clip"] = "speaker" if len(set(speakers)) > 1 else "clip"
    clusters = speakers if unit == "speaker" else range(n)
    effects = cluster_sums(_effects(values, weights), clusters)
    size = effects.shape[1]
    # what each cluster adds to the difference, scaled so that their mean is the difference
    effects = effects * size
    enough = size >= MIN_CLUSTERS
    intervals: Sequence[Interval | None] = [None] * len(effects)
    if enough:
        first, second = [
            (cluster_sums(side * side_weights, clusters), cluster_sums(side_weights, clusters))
            for side, side_weights in zip(values, weights, strict=True)
        ]
        intervals = list(bootstrap_ratios(first, less=second, seed=seed))
    means = np.average(values, weights=weights, axis=2) if n else np.full(values.shape[:2], math.nan)
    ps = _sign_flips(effects, seed=seed) if enough else [None] * len(effects)
    return [
        Difference(
            value=float(value),
            interval=interval,
            p=p,
            p_least=None if p is None else _least_p(size),
            detectable=_detectable_mean(row) if enough else None,
            n=n,
            left_out=total - n,
            clusters=size,
            unit=unit,
        )
        for value, interval, p, row, total in zip(
            means[0] - means[1], intervals, ps, effects, union_counts, strict=True
        )
    ]


def _effects(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each clip adds to the difference of the weighted means.

    A side's mean is the sum of its values by their shares. Where a clip has one share on both sides it adds that times
    its difference. Where it has two (protocols that pool frames, clips of unequal length) it also counts how far it
    lies from the middle of all: more frames of a clip that is good on both sides raise the mean too.

    Args:
        values: (2, K, clips), all finite.
        weights: the same, above 0.

    Returns:
        (K, clips); each row adds up to the difference of the means.
    """
    shares = weights / weights.sum(axis=2, keepdims=True)
    middles, shared = values.mean(axis=0), shares.mean(axis=0)
    middle = (shared * middles).sum(axis=1, keepdims=True)
    return shared * (values[0] - values[1]) + (shares[0] - shares[1]) * (middles - middle)


def correct_family(differences: Sequence[Difference]) -> list[Difference]:
    """Holm's correction over a family of differences: those without a p value are no part of it.

    A test that could not have found anything is none: if no p value could be small enough, all stay without `p_holm`.
    """
    tested_differences = [difference for difference in differences if difference.p is not None]
    if (
        len(tested_differences) * min((difference.p_least or 0.0 for difference in tested_differences), default=0.0)
        >= ALPHA
    ):
        return list(differences)
    adjusted = iter(holm([difference.p for difference in tested_differences if difference.p is not None]))
    return [
        difference if difference.p is None else replace(difference, p_holm=next(adjusted)) for difference in differences
    ]


def _sign_flips(effects: NDArray[np.float64], *, seed: int) -> list[float | None]:
    """Two-sided p value of each row, (K, clusters): how often chance signs give a mean as far from 0."""
    size = effects.shape[1]
    if _all_signs(size) or size > MAX_CACHED_ITEMS:
        return [_scipy_sign_flip(row, seed=seed) for row in effects]
    signs = random_signs(size, seed, RESAMPLES).T
    ps: list[float | None] = []
    for start in range(0, len(effects), _ROWS):
        chunk = effects[start : start + _ROWS]
        means = chunk @ signs / size
        observed_means = chunk.mean(axis=1)[:, None]
        near = np.abs(observed_means) * 100 * np.finfo(np.float64).eps
        tails = np.minimum((means <= observed_means + near).sum(axis=1), (means >= observed_means - near).sum(axis=1))
        # one is added for the signs that were found, as scipy does (Phipson and Smyth, 2010)
        p_values = np.minimum(1.0, 2 * (tails + 1) / (RESAMPLES + 1))
        ps += np.where(chunk.any(axis=1), p_values, 1.0).tolist()
    return ps


def _all_signs(size: int) -> bool:
    """Whether so few effects have so few signs that scipy goes through them all."""
    return 2 ** min(size, 64) <= RESAMPLES


def _least_p(size: int) -> float:
    """Smallest two-sided p value that the signs of so many effects can give."""
    return 2 / (2**size if _all_signs(size) else RESAMPLES + 1)


def _scipy_sign_flip(effects: NDArray[np.float64], *, seed: int) -> float:
    """The same of one row, (clusters,)."""
    if not effects.any():
        return 1.0
    test_result = stats.permutation_test(
        (effects,),
        lambda x, axis: x.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=1000,
        rng=np.random.default_rng(seed),
    )
    return float(test_result.pvalue)


def _detectable_mean(effects: NDArray[np.float64]) -> float | None:
    """Smallest mean that a t test over these clusters finds with the stated power, given how they scatter."""
    scatter = float(effects.std(ddof=1))
    return scatter * _effect_size(len(effects)) if scatter else 0.0


@lru_cache(maxsize=256)
def _effect_size(n: int) -> float:
    """Smallest mean that a t test of n values finds with the stated power, in standard deviations."""
    from statsmodels.stats.power import TTestPower

    effect_size: Any = TTestPower().solve_power(nobs=n, alpha=ALPHA, power=POWER)
    return float(effect_size)
