"""The lips as four curves over x, and the twenty mouth landmarks on them.

Every curve is a height over the position across the mouth, -1 at the left corner and 1 at the right one, so the same
formula gives the outline to fill and the landmarks, and the landmarks are exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lipbench.corpora.synthetic.pose import Pose
from lipbench.corpora.synthetic.speakers import Speaker

Floats = NDArray[np.floating]
"""Any shape; the precision of what comes in is kept."""

ACROSS = np.array(
    [
        *(-1.0, -0.6, -0.2, 0.0, 0.2, 0.6, 1.0),  # 48-54, outer edge of the upper lip
        *(0.6, 0.25, 0.0, -0.25, -0.6),  # 55-59, outer edge of the lower lip
        *(-1.0, -0.45, 0.0, 0.45, 1.0),  # 60-64, inner edge of the upper lip
        *(0.45, 0.0, -0.45),  # 65-67, inner edge of the lower lip
    ]
)
"""Where dlib's points sit across the mouth; the inner ones are shares of the opening."""

EDGE = np.repeat([0, 3, 1, 2], [7, 5, 5, 3])
"""The field of `LipCurves` that each point lies on."""

SOFTNESS = 0.08
"""Lips that are to be no further apart than this do touch: flesh is soft."""


class Mouth(NamedTuple):
    """One mouth in one pose. Lengths in pixels of the frame."""

    centre: tuple[float, float]
    half_width: float
    """From the middle to a corner."""
    opening: float
    """From the middle to where the inner edges meet, as a share of `half_width`."""
    raised: float
    """How far the upper lip's inner edge stands above the seam, in the middle."""
    lowered: float
    """How far the lower lip's inner edge stands below the seam, in the middle."""
    upper_lip: float
    lower_lip: float
    bow: float
    droop: float
    jaw: float
    """How far the chin has dropped."""
    tongue: float


class LipCurves(NamedTuple):
    """Heights y of the four lip edges, from top to bottom, at the same positions."""

    outer_upper: Floats
    inner_upper: Floats
    inner_lower: Floats
    outer_lower: Floats


def shape_mouth(speaker: Speaker, pose: Pose, *, offset: tuple[float, float] = (0.0, 0.0)) -> Mouth:
    """Apply a pose to a face.

    Args:
        speaker: whose mouth.
        pose: how it stands.
        offset: (x, y) shift of the whole face in pixels.
    """
    gape = speaker.gape * max(0.0, pose.aperture - SOFTNESS) / (1 - SOFTNESS)
    thinner = 1 - 0.40 * pose.press - 0.14 * pose.spread - 0.14 * pose.aperture + 0.18 * pose.rounding
    width = 1 + 0.15 * pose.spread - 0.30 * pose.rounding - 0.06 * pose.aperture + 0.03 * pose.press
    return Mouth(
        centre=(speaker.centre[0] + offset[0], speaker.centre[1] + offset[1]),
        half_width=speaker.half_width * width,
        opening=0.92 - 0.08 * pose.rounding,
        raised=0.24 * gape + 2.2 * pose.bite,
        lowered=0.76 * gape - 1.6 * pose.bite * min(1.0, gape / 2.2),
        upper_lip=speaker.upper_lip * thinner,
        lower_lip=speaker.lower_lip * thinner * (1 - 0.3 * pose.bite),
        bow=speaker.bow * (1 - 0.5 * pose.spread),
        droop=speaker.droop - 3.0 * pose.spread + 1.0 * pose.jaw,
        jaw=8.5 * pose.jaw,
        tongue=pose.tongue,
    )


def lip_curves(mouth: Mouth, across: Floats) -> LipCurves:
    """Heights of the four edges.

    Args:
        mouth: the mouth.
        across: positions from -1 (left corner) to 1 (right corner); beyond the corners all four edges are one.
    """
    inside = np.minimum(np.maximum(across, -1.0), 1.0)
    square = inside * inside
    seam = mouth.centre[1] + mouth.droop * square
    part = np.maximum(1 - square / mouth.opening**2, 0.0) ** 0.7
    # Rounded under the root, or the two flanks of the upper lip would meet in a kink.
    flank = np.sqrt(square + 0.003)
    upper = np.maximum(1 - flank, 0.0) ** 0.8 * (1 + 0.45 * flank) - mouth.bow * np.exp(-44 * square)
    lower = (1 - square) ** 0.65
    inner_upper = seam - mouth.raised * part
    inner_lower = seam + mouth.lowered * part
    return LipCurves(
        inner_upper - mouth.upper_lip * upper, inner_upper, inner_lower, inner_lower + mouth.lower_lip * lower
    )


def landmarks(mouth: Mouth) -> NDArray[np.float32]:
    """The twenty mouth points in dlib's order, 48 to 67.

    Returns:
        float32 (20, 2) as (x, y): twelve around the outer edge from the left corner over the upper lip, then eight
        around the inner edge in the same direction.
    """
    across = ACROSS.copy()
    across[12:] *= mouth.opening
    heights = np.stack(lip_curves(mouth, across))[EDGE, np.arange(len(across))]
    return np.stack([mouth.centre[0] + mouth.half_width * across, heights], axis=1).astype(np.float32)
