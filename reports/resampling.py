"""Random draws that many statistics of one report share: drawing them takes longer than using them.

The same seed and size always give the same draws, so sharing them changes no number, only the time that it takes.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LARGEST = 256
"""Most items whose draws are kept: 20 MB at 9999 resamples."""
_KEPT = 4


@lru_cache(maxsize=_KEPT)
def resample_counts(n: int, seed: int, resamples: int) -> NDArray[np.float64]:
    """How often each of n items is drawn when n are drawn with replacement.

    Returns:
        (resamples, n), each row of sum n.
    """
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)
    counts.setflags(write=False)
    return counts


@lru_cache(maxsize=_KEPT)
def random_signs(n: int, seed: int, resamples: int) -> NDArray[np.float64]:
    """Chance signs for n items.

    Returns:
        (resamples, n) of -1 and 1.
    """
    signs = np.random.default_rng(seed).choice(np.array([-1.0, 1.0]), size=(resamples, n))
    signs.setflags(write=False)
    return signs


@lru_cache(maxsize=256)
def median_places(n: int, seed: int, resamples: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which of n sorted values are the middle of n that are drawn from them with replacement.

    The k-th smallest of n uniform numbers is drawn at once, from its beta distribution, and the next one given it; n
    times it, rounded down, is the place of the k-th smallest of n drawn items (David and Nagaraja, Order Statistics,
    3rd ed., section 2.3: order statistics of a Markov chain).

    Returns:
        Places (resamples,) of the lower and the upper middle, the same for odd n: the median is their values' mean.
    """
    random = np.random.default_rng(seed)
    lower = (n + 1) // 2
    drawn = random.beta(lower, n - lower + 1, size=resamples)
    # of an even number the upper middle is the smallest of the n - lower uniform numbers that lie above
    above = drawn if n % 2 else drawn + (1 - drawn) * random.beta(1, n - lower, size=resamples)
    places = [np.minimum((n * one).astype(np.int64), n - 1) for one in (drawn, above)]
    return places[0], places[1]
