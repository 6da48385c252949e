"""From characters and their durations to the pose of a mouth in every frame.

Each character has a target pose (a viseme). Targets blend by dominance, after Cohen and Massaro, "Modeling
coarticulation in synthetic visual speech" (1993): a character pulls strongly on what it needs, such as closed lips for
"b", and hardly on the rest, which its neighbours then decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpora.tokens import BOUNDARY


class Pose(NamedTuple):
    """How a mouth stands, each part from 0 (at rest) to 1 unless said otherwise."""

    aperture: float = 0.0
    """How far the lips are apart."""
    jaw: float = 0.0
    """How far the chin and the lower teeth have dropped."""
    spread: float = 0.0
    """Corners drawn outwards."""
    rounding: float = 0.0
    """Lips narrowed and pushed forward."""
    press: float = 0.0
    """Lips pressed against each other, thin."""
    bite: float = 0.0
    """Lower lip drawn up to the upper teeth."""
    tongue: float = 0.0
    """Tongue raised towards the upper teeth."""


class Viseme(NamedTuple):
    """The target of a character and how strongly it pulls on each part of the pose."""

    target: Pose
    dominance: Pose
    haste: float = 1.0
    """How much quicker than usual its pull fades: a closure is firm but short, and leaves its neighbours alone."""


REST = Viseme(Pose(), Pose(1, 1, 0.6, 0.6, 1, 1, 1))

_VOWEL = Pose(1, 1, 1, 1, 1, 1, 0.7)
_ROUND_VOWEL = Pose(1, 1, 1, 2.2, 1, 1, 0.7)
_CLOSURE = Pose(20, 0.5, 0.2, 0.2, 6, 3, 0.3)
_LABIODENTAL = Pose(5, 1.0, 0.5, 0.5, 3, 7, 0.5)
_TONGUE = Pose(0.8, 0.7, 0.25, 0.25, 1, 1.5, 3)
_BACK = Pose(0.5, 0.5, 0.2, 0.2, 1, 1.5, 1)
_SIBILANT = Pose(1.5, 2.0, 0.8, 0.8, 1, 1.5, 1)

_CLOSED = Pose(press=1.0, jaw=0.12)
_LIP_ON_TEETH = Pose(aperture=0.2, jaw=0.1, spread=0.2, bite=1.0)
_TIP = Pose(aperture=0.42, jaw=0.38, spread=0.2, tongue=0.9)
_HIDDEN = Pose(aperture=0.5, jaw=0.45, tongue=0.3)
_HISS = Pose(aperture=0.34, jaw=0.2, spread=0.65, tongue=0.5)

VISEMES: dict[str, Viseme] = {
    BOUNDARY: REST,
    "'": Viseme(_HIDDEN, Pose(*[0.1] * len(Pose._fields))),
    "a": Viseme(Pose(aperture=1.0, jaw=1.0, spread=0.25, tongue=0.1), _VOWEL),
    "e": Viseme(Pose(aperture=0.64, jaw=0.55, spread=0.7, tongue=0.35), _VOWEL),
    "i": Viseme(Pose(aperture=0.5, jaw=0.38, spread=1.0, tongue=0.5), _VOWEL),
    "o": Viseme(Pose(aperture=0.8, jaw=0.7, rounding=0.8), _ROUND_VOWEL),
    "u": Viseme(Pose(aperture=0.42, jaw=0.4, rounding=1.0), _ROUND_VOWEL),
    "y": Viseme(Pose(aperture=0.46, jaw=0.35, spread=0.9, tongue=0.5), _VOWEL),
    "w": Viseme(Pose(aperture=0.24, jaw=0.3, rounding=1.0), Pose(2, 1, 1, 3, 1, 1, 0.5)),
    "q": Viseme(Pose(aperture=0.28, jaw=0.3, rounding=0.9), Pose(1.5, 1, 1, 2.5, 1, 1, 0.5)),
    "r": Viseme(Pose(aperture=0.44, jaw=0.4, rounding=0.55, tongue=0.5), Pose(0.8, 0.7, 0.5, 1.2, 1, 1.5, 1)),
    "j": Viseme(Pose(aperture=0.38, jaw=0.2, rounding=0.6, tongue=0.4), Pose(1.5, 2, 0.7, 1.5, 1, 1.5, 1)),
    "l": Viseme(Pose(aperture=0.52, jaw=0.45, spread=0.2, tongue=1.0), _TONGUE),
    **dict.fromkeys("bmp", Viseme(_CLOSED, _CLOSURE, haste=1.8)),
    **dict.fromkeys("fv", Viseme(_LIP_ON_TEETH, _LABIODENTAL, haste=1.5)),
    **dict.fromkeys("dnt", Viseme(_TIP, _TONGUE)),
    **dict.fromkeys("ghk", Viseme(_HIDDEN, _BACK)),
    **dict.fromkeys("csxz", Viseme(_HISS, _SIBILANT)),
}
"""A viseme for every symbol of `corpora.tokens.CHARACTERS`."""

REACH_S = Pose(0.04, 0.07, 0.11, 0.11, 0.038, 0.038, 0.045)
"""How far in time each part reaches beyond its character, in seconds: the corners are slowest, then
the jaw."""

CORE = 0.3
"""Share of a character, around its middle, in which its dominance is full."""


def trajectory(tokens: Sequence[str], durations: NDArray[np.int64], *, fps: float) -> NDArray[np.float64]:
    """Pose of the mouth in every frame.

    Args:
        tokens: m symbols, each a key of `VISEMES`.
        durations: (m,) frames per token, summing to T. A token of no frame leaves no trace.
        fps: frames per second.

    Returns:
        float64 (T, 7), columns in the order of `Pose`.

    Raises:
        KeyError: a symbol has no viseme.
    """
    ends = np.cumsum(durations)
    heard = durations > 0
    middles = (ends - 0.5 * durations)[heard]
    cores = (CORE * 0.5 * durations)[heard]
    visemes = [VISEMES[token] for token, kept in zip(tokens, heard, strict=True) if kept]
    targets = np.array([viseme.target for viseme in visemes])
    strengths = np.array([viseme.dominance for viseme in visemes])
    times = np.arange(int(ends[-1])) + 0.5
    distance = np.maximum(np.abs(times[:, None] - middles[None, :]) - cores, 0.0)
    haste = np.array([viseme.haste for viseme in visemes])
    reach = (fps * np.array(REACH_S) + 0.25 * durations[heard, None]) / haste[:, None]
    # (T, m, 7). The floor keeps the division defined in the middle of a long silence.
    weights = strengths * np.exp(-0.5 * (distance[:, :, None] / reach) ** 2) + 1e-12
    return (weights * targets).sum(axis=1) / weights.sum(axis=1)
