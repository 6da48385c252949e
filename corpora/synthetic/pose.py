"""From phones and their durations to the pose of a mouth in every frame.

Each phone has a target pose (a viseme), a diphthong two. Targets blend by dominance, after Cohen and Massaro, "Modeling
coarticulation in synthetic visual speech" (1993): a phone pulls strongly on what it needs, such as closed lips for "b",
and hardly on the rest, which its neighbours then decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lipbench.corpora.tokens import PHONE_SILENCE


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
    """A target and how strongly it pulls on each part of the pose."""

    target: Pose
    dominance: Pose
    haste: float = 1.0
    """How much quicker than usual its pull fades: a closure is firm but short, and leaves its neighbours alone."""


SILENT = Viseme(Pose(), Pose(1, 1, 0.6, 0.6, 1, 1, 1))

_VOWEL = Pose(1, 1, 1, 1, 1, 1, 0.7)
_ROUND_VOWEL = Pose(1, 1, 1, 2.2, 1, 1, 0.7)
_CLOSURE = Pose(60, 0.5, 0.2, 0.2, 12, 3, 0.3)
_LABIODENTAL = Pose(5, 1.0, 0.5, 0.5, 3, 7, 0.5)
_TONGUE = Pose(0.8, 0.7, 0.25, 0.25, 1, 1.5, 3)
_BACK = Pose(0.5, 0.5, 0.2, 0.2, 1, 1.5, 1)
_SIBILANT = Pose(1.5, 2.0, 0.8, 0.8, 1, 1.5, 1)
_ROUND_SIBILANT = Pose(1.5, 2.0, 0.7, 1.8, 1, 1.5, 1)

_OPEN = Viseme(Pose(aperture=1.0, jaw=1.0, spread=0.1, tongue=0.1), _VOWEL)
_FRONT_OPEN = Viseme(Pose(aperture=0.85, jaw=0.8, spread=0.55, tongue=0.2), _VOWEL)
_FRONT_MID = Viseme(Pose(aperture=0.64, jaw=0.55, spread=0.7, tongue=0.35), _VOWEL)
_FRONT_CLOSE = Viseme(Pose(aperture=0.46, jaw=0.35, spread=1.0, tongue=0.5), _VOWEL)
_FRONT_LAX = Viseme(Pose(aperture=0.5, jaw=0.42, spread=0.7, tongue=0.4), _VOWEL)
_CENTRAL = Viseme(Pose(aperture=0.6, jaw=0.55, spread=0.2, tongue=0.25), _VOWEL)
_ROUND_OPEN = Viseme(Pose(aperture=0.85, jaw=0.8, rounding=0.6), _ROUND_VOWEL)
_ROUND_MID = Viseme(Pose(aperture=0.7, jaw=0.6, rounding=0.8), _ROUND_VOWEL)
_ROUND_LAX = Viseme(Pose(aperture=0.48, jaw=0.45, rounding=0.75), _ROUND_VOWEL)
_ROUND_CLOSE = Viseme(Pose(aperture=0.36, jaw=0.35, rounding=1.0), _ROUND_VOWEL)
_RHOTIC_VOWEL = Viseme(Pose(aperture=0.5, jaw=0.42, rounding=0.5, tongue=0.5), _ROUND_VOWEL)

_LIPS_SHUT = Viseme(Pose(press=1.0, jaw=0.12), _CLOSURE, haste=2.5)
_LIP_ON_TEETH = Viseme(Pose(aperture=0.2, jaw=0.1, spread=0.2, bite=1.0), _LABIODENTAL, haste=1.5)
_BETWEEN_TEETH = Viseme(Pose(aperture=0.44, jaw=0.4, spread=0.2, tongue=1.0), Pose(1.5, 1.2, 0.25, 0.25, 1, 1.5, 3))
_TIP = Viseme(Pose(aperture=0.42, jaw=0.38, spread=0.2, tongue=0.9), _TONGUE)
_LATERAL = Viseme(Pose(aperture=0.52, jaw=0.45, spread=0.2, tongue=1.0), _TONGUE)
_HIDDEN = Viseme(Pose(aperture=0.5, jaw=0.45, tongue=0.3), _BACK)
_HISS = Viseme(Pose(aperture=0.34, jaw=0.2, spread=0.65, tongue=0.5), _SIBILANT)
_HUSH = Viseme(Pose(aperture=0.38, jaw=0.2, rounding=0.75, tongue=0.4), _ROUND_SIBILANT)

VISEMES: dict[str, tuple[Viseme, ...]] = {
    PHONE_SILENCE: (SILENT,),
    "aa": (_OPEN,),
    "ae": (_FRONT_OPEN,),
    "ah": (_CENTRAL,),
    "ao": (_ROUND_OPEN,),
    "aw": (_OPEN, _ROUND_LAX),
    "ay": (_OPEN, _FRONT_LAX),
    "eh": (_FRONT_MID,),
    "er": (_RHOTIC_VOWEL,),
    "ey": (_FRONT_MID, _FRONT_CLOSE),
    "ih": (_FRONT_LAX,),
    "iy": (_FRONT_CLOSE,),
    "ow": (_ROUND_MID, _ROUND_CLOSE),
    "oy": (_ROUND_OPEN, _FRONT_LAX),
    "uh": (_ROUND_LAX,),
    "uw": (_ROUND_CLOSE,),
    "hh": (Viseme(_HIDDEN.target, Pose(*[0.1] * len(Pose._fields))),),
    "l": (_LATERAL,),
    "r": (Viseme(Pose(aperture=0.44, jaw=0.4, rounding=0.55, tongue=0.5), Pose(0.8, 0.7, 0.5, 1.2, 1, 1.5, 1)),),
    "w": (Viseme(Pose(aperture=0.24, jaw=0.3, rounding=1.0), Pose(2, 1, 1, 3, 1, 1, 0.5)),),
    "y": (Viseme(_FRONT_CLOSE.target, Pose(0.8, 0.8, 0.8, 0.8, 1, 1.5, 0.7)),),
    **dict.fromkeys(("b", "m", "p"), (_LIPS_SHUT,)),
    **dict.fromkeys(("f", "v"), (_LIP_ON_TEETH,)),
    **dict.fromkeys(("dh", "th"), (_BETWEEN_TEETH,)),
    **dict.fromkeys(("d", "n", "t"), (_TIP,)),
    **dict.fromkeys(("g", "k", "ng"), (_HIDDEN,)),
    **dict.fromkeys(("s", "z"), (_HISS,)),
    **dict.fromkeys(("ch", "jh", "sh", "zh"), (_HUSH,)),
}
"""The visemes of every phone of `lipbench.corpora.tokens.PHONES`, which share its time evenly: two for a diphthong."""

REACH_S = Pose(0.04, 0.07, 0.11, 0.11, 0.038, 0.038, 0.045)
"""How far in time each part reaches beyond its viseme, in seconds: the corners are slowest, then
the jaw."""

CORE = 0.3
"""Share of a viseme, around its middle, in which its dominance is full."""


def trajectory(phones: Sequence[str], durations: NDArray[np.int64], *, fps: float) -> NDArray[np.float64]:
    """Pose of the mouth in every frame.

    Args:
        phones: m symbols, each a key of `VISEMES`.
        durations: (m,) frames per phone, summing to T. A phone of no frame leaves no trace.
        fps: frames per second.

    Returns:
        float64 (T, 7), columns in the order of `Pose`.

    Raises:
        KeyError: a symbol has no viseme.
    """
    shapes = [VISEMES[phone] for phone in phones]
    counts = np.array([len(shape) for shape in shapes])
    lengths = np.repeat(durations / counts, counts)
    has_duration = lengths > 0
    visemes = [viseme for viseme, is_spoken in zip(chain.from_iterable(shapes), has_duration, strict=True) if is_spoken]
    middles, lengths = (np.cumsum(lengths) - 0.5 * lengths)[has_duration], lengths[has_duration]
    targets = np.array([viseme.target for viseme in visemes])
    strengths = np.array([viseme.dominance for viseme in visemes])
    haste = np.array([viseme.haste for viseme in visemes])
    times = np.arange(int(durations.sum())) + 0.5
    distance = np.maximum(np.abs(times[:, None] - middles[None, :]) - 0.5 * CORE * lengths, 0.0)
    reach = (fps * np.array(REACH_S) + 0.25 * lengths[:, None]) / haste[:, None]
    # (T, visemes, 7). The floor keeps the division defined in the middle of a long silence.
    weights = strengths * np.exp(-0.5 * (distance[:, :, None] / reach) ** 2) + 1e-12
    return (weights * targets).sum(axis=1) / weights.sum(axis=1)
