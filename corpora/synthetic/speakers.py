"""Who speaks: the shape, colours and skin of each synthetic face."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lipbench.corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH

Colour = NDArray[np.float32]
"""(3,) RGB in [0, 1]."""

SKIN_TONES = np.array(
    [[0.96, 0.82, 0.74], [0.90, 0.71, 0.60], [0.79, 0.58, 0.45], [0.61, 0.41, 0.31], [0.43, 0.28, 0.21]]
)
"""From light to deep; a speaker's tone lies between two of them."""

UNDERTONE = 0.025
"""How far each channel of a speaker's skin may lie from that line, as a share."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Speaker:
    """Everything that stays the same from one sentence of a speaker to the next. Lengths in pixels."""

    centre: tuple[float, float]
    """(x, y) of the middle of the closed mouth."""
    half_width: float
    upper_lip: float
    """Thickness at rest."""
    lower_lip: float
    bow: float
    """Depth of the cupid's bow as a share of the upper lip."""
    droop: float
    """How far the corners hang below the middle; negative in a smiling face."""
    gape: float
    """Distance of the lips at aperture 1."""
    tooth: float
    """Width of a front tooth."""
    lip_colour: Colour
    teeth_colour: Colour
    creases: NDArray[np.float32]
    """(64,) brightness of the lips from the left corner to the right one, about 1."""
    skin: NDArray[np.float32]
    """(80, 160, 3) RGB in [0, 1], the face without its mouth."""


def draw_speaker(rng: np.random.Generator, tone: float) -> Speaker:
    """Make up a face.

    Args:
        rng: where the choices come from.
        tone: depth of the skin tone, 0 light to 1 deep.
    """
    position = np.clip(tone, 0.0, 1.0) * (len(SKIN_TONES) - 1)
    base = np.array([np.interp(position, range(len(SKIN_TONES)), channel) for channel in SKIN_TONES.T])
    base *= 1 + rng.uniform(-UNDERTONE, UNDERTONE, size=3)
    centre = (FRAME_WIDTH / 2 - 0.5 + rng.uniform(-2, 2), rng.uniform(32.5, 35.5))
    half_width = rng.uniform(36, 45)
    rosy = base * np.array([0.93, 0.60, 0.60]) + np.array([0.06, 0.01, 0.03])
    lip_colour = base + rng.uniform(0.65, 1.0) * (rosy - base)
    creases = 1 + 0.05 * cv2.GaussianBlur(rng.standard_normal((1, 64)), (0, 0), 0.8)[0]
    return Speaker(
        centre=centre,
        half_width=half_width,
        upper_lip=rng.uniform(7.5, 11.0),
        lower_lip=rng.uniform(9.5, 13.5),
        bow=rng.uniform(0.12, 0.34),
        droop=rng.uniform(-2.0, 2.0),
        gape=rng.uniform(20.0, 25.0),
        tooth=rng.uniform(6.0, 7.5),
        lip_colour=lip_colour.astype(np.float32),
        teeth_colour=(np.array([0.95, 0.93, 0.87]) * rng.uniform(0.9, 1.0)).astype(np.float32),
        creases=creases.astype(np.float32),
        skin=_draw_skin(rng, base, centre, half_width),
    )


def _draw_skin(
    rng: np.random.Generator, base: NDArray[np.float64], centre: tuple[float, float], half_width: float
) -> NDArray[np.float32]:
    rows, columns = np.mgrid[:FRAME_HEIGHT, :FRAME_WIDTH].astype(np.float64)
    across, down = columns - centre[0], rows - centre[1]
    shade = 1.0 + rng.uniform(-0.07, 0.07) * across / 80 - rng.uniform(0.10, 0.20) * (across / 80) ** 2
    # Under the nose, the groove below it with its two ridges, and the light on the chin.
    shade -= 0.28 * np.exp(-((rows + 4) ** 2) / 60 - across**2 / 500)
    above = 1 / (1 + np.exp((down + 9) / 2))
    shade += above * (0.035 * np.exp(-((np.abs(across) - 7) ** 2) / 14) - 0.06 * np.exp(-(across**2) / 16))
    shade += 0.07 * np.exp(-((rows - 74) ** 2) / 150 - across**2 / 900)
    shade += _folds(rng, across, rows, half_width)
    shade += _grain(rng)
    stubble = max(0.0, rng.uniform(-0.20, 0.22))
    beard = np.exp(-((np.abs(down) - 24) ** 2) / 300) * np.exp(-(across**2) / 4000)
    shade -= stubble * beard * (0.6 + 0.4 * np.abs(rng.standard_normal(rows.shape)))
    shade -= _moles(rng, rows, columns)
    # Shade takes blue and green before red, as skin does.
    tint = shade[:, :, None] ** np.array([0.85, 1.0, 1.1])
    return np.clip(base * tint, 0.0, 1.0).astype(np.float32)


def _folds(
    rng: np.random.Generator, across: NDArray[np.float64], rows: NDArray[np.float64], half_width: float
) -> NDArray[np.float64]:
    """The folds from the nose past the corners of the mouth."""
    line = 22 + (half_width - 6) * (np.clip(rows, 0, None) / 55) ** 0.8
    distance = np.abs(across) - line
    return -rng.uniform(0.04, 0.12) * np.exp(-(distance**2) / 22) * np.exp(-(((rows - 18) / 26) ** 2))


def _grain(rng: np.random.Generator) -> NDArray[np.float64]:
    fine = cv2.GaussianBlur(rng.standard_normal((FRAME_HEIGHT, FRAME_WIDTH)), (0, 0), 0.9)
    coarse = cv2.GaussianBlur(rng.standard_normal((FRAME_HEIGHT, FRAME_WIDTH)), (0, 0), 6)
    return 0.03 * fine + 0.16 * coarse


def _moles(rng: np.random.Generator, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    marks = np.zeros_like(rows)
    for _ in range(rng.integers(0, 5)):
        x, y = rng.uniform(8, FRAME_WIDTH - 8), rng.uniform(4, FRAME_HEIGHT - 4)
        size = rng.uniform(0.6, 1.8)
        marks += rng.uniform(0.12, 0.4) * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / size**2)
    return marks
