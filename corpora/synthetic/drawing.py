"""Pixels of a talking mouth: skin that moves with the jaw, lips, and what shows between them.

Raise `RENDER_VERSION` whenever a change here, or anywhere in this package, alters a single pixel or a single word.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lipbench.corpora.synthetic.contours import LipCurves, Mouth, lip_curves
from lipbench.corpora.synthetic.speakers import Speaker
from lipbench.corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH

RENDER_VERSION = 2

Plane = NDArray[np.floating]
"""float32 (h, w) pixels of the canvas, or (1, w) or (h, 1) where all rows or all columns are alike."""

ROWS: Plane = np.arange(FRAME_HEIGHT, dtype=np.float32)[:, None]
COLUMNS: Plane = np.arange(FRAME_WIDTH, dtype=np.float32)[None, :]

CAVITY = np.array([0.20, 0.06, 0.06], dtype=np.float32)
TONGUE = np.array([0.72, 0.36, 0.36], dtype=np.float32)
SHINE = np.array([1.0, 0.96, 0.94], dtype=np.float32)


class _MouthRegion(NamedTuple):
    """The part of the frame that holds the mouth and its shadow: all but the skin is drawn there only, to save time."""

    window: tuple[slice, slice]
    y: Plane
    """(h, 1)."""
    aside: Plane
    """(1, w) distance from the middle of the mouth, negative to the left, in pixels."""
    across: Plane
    """(1, w) the same as a share of the half width: -1 and 1 at the corners."""
    arch: Plane
    """(1, w) 1 in the middle, falling to 0 at the corners."""
    curves: LipCurves
    """Each (1, w)."""
    seam: Plane
    """(1, w) middle between the inner edges."""


def draw_frame(
    speaker: Speaker, mouth: Mouth, *, offset: tuple[float, float] = (0.0, 0.0), light: float = 1.0
) -> NDArray[np.float32]:
    """Draw one frame.

    Args:
        speaker: whose face.
        mouth: its mouth, from `contours.shape_mouth` with the same offset.
        offset: (x, y) shift of the face in pixels.
        light: factor on all colours.

    Returns:
        float32 (80, 160, 3) RGB; a little beyond [0, 1] where the light is strong.
    """
    picture = _move_skin(speaker, mouth, offset)
    canvas = _canvas(mouth)
    lips, gap = _lip_cover(canvas, mouth), _gap_cover(canvas, mouth)
    layers, colours = _inside(canvas, speaker, mouth, gap)
    flesh = lips * (1 - gap)
    shade, shine = _lip_shade(canvas, speaker)
    layers += [flesh * shade, flesh * shine]
    colours += [speaker.lip_colour, SHINE]
    patch = picture[canvas.window]
    bare = _cast_shadow(canvas, mouth) * (1 - np.maximum(lips, gap))
    # Merged rather than broadcast over the last axis, where numpy works on three numbers at a time.
    patch *= cv2.merge([bare, bare, bare])
    # All layers in one product: weights (k, pixels) and colours (k, 3).
    weights = np.stack(layers).reshape(len(layers), -1)
    patch += (weights.T @ np.stack(colours)).reshape(patch.shape)
    picture *= np.float32(light)
    return picture


def _canvas(mouth: Mouth) -> _MouthRegion:
    x, y = mouth.centre
    left, right = int(x - mouth.half_width - 8), int(x + mouth.half_width + 9)
    top = int(y - mouth.raised - mouth.upper_lip - 6)
    bottom = int(y + mouth.lowered + mouth.lower_lip + max(mouth.droop, 0.0) + 14)
    window = slice(max(top, 0), min(bottom, FRAME_HEIGHT)), slice(max(left, 0), min(right, FRAME_WIDTH))
    aside = COLUMNS[:, window[1]] - x
    across = aside / mouth.half_width
    rows = lip_curves(mouth, across)
    return _MouthRegion(
        window=window,
        y=ROWS[window[0]],
        aside=aside,
        across=across,
        arch=np.maximum(1 - across * across, 0.0),
        curves=rows,
        seam=0.5 * (rows.inner_upper + rows.inner_lower),
    )


def _clip(values: Plane) -> Plane:
    """Values held to [0, 1], in place: `np.clip` takes longer than the arithmetic around it on planes this small."""
    np.maximum(values, 0.0, out=values)
    return np.minimum(values, 1.0, out=values)


def _bump(distance: Plane) -> Plane:
    """A hill, 1 at distance 0 and 0 from distance 1 on; far cheaper than a gaussian."""
    hill = np.maximum(1 - distance * distance, 0.0)
    return hill * hill


def _below(canvas: _MouthRegion, curve: Plane, *, soft: float = 1.0) -> Plane:
    """How much of each pixel lies below a curve, 0 to 1.

    The vertical distance is scaled by the slope, so that steep edges are as smooth as flat ones; `soft`
    widens the edge.
    """
    slope = np.zeros_like(curve)
    slope[:, 1:-1] = 0.5 * (curve[:, 2:] - curve[:, :-2])
    scale = 1.0 / (soft * np.sqrt(1.0 + np.minimum(slope * slope, 9.0)))
    return _clip(canvas.y * scale + (0.5 - curve * scale))


def _within(canvas: _MouthRegion, reach: float, *, soft: float = 1.0) -> Plane:
    """1 in columns less than `reach` pixels from the middle, falling to 0 over `soft` pixels."""
    return _clip((reach - np.abs(canvas.aside)) / soft + 0.5)


def _lip_cover(canvas: _MouthRegion, mouth: Mouth) -> Plane:
    upper = _below(canvas, canvas.curves.outer_upper, soft=1.8)
    lower = 1 - _below(canvas, canvas.curves.outer_lower, soft=2.2)
    return upper * lower * _within(canvas, mouth.half_width)


def _gap_cover(canvas: _MouthRegion, mouth: Mouth) -> Plane:
    cover = _below(canvas, canvas.curves.inner_upper) * (1 - _below(canvas, canvas.curves.inner_lower))
    return cover * _within(canvas, mouth.opening * mouth.half_width)


def _move_skin(speaker: Speaker, mouth: Mouth, offset: tuple[float, float]) -> NDArray[np.float32]:
    """The face with its lower part pulled down by the jaw and its cheeks pushed aside by the corners."""
    aside = COLUMNS - mouth.centre[0]
    below = _clip((ROWS - mouth.centre[1]) / 34)
    drop = mouth.jaw * below * below * (3 - 2 * below)
    cheeks = _bump((np.abs(aside) / mouth.half_width - 1.15) / 0.75) * np.sign(aside)
    push = (mouth.half_width - speaker.half_width) * cheeks
    x = (COLUMNS - offset[0]) - _bump((ROWS - mouth.centre[1]) / 38) * push
    y = (ROWS - offset[1]) - drop * _bump(aside / 125)
    skin = cv2.remap(speaker.skin, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return skin.astype(np.float32, copy=False)


def _cast_shadow(canvas: _MouthRegion, mouth: Mouth) -> Plane:
    """Shadow under the lower lip and in the corners, a rim of light above the upper lip."""
    under = 0.19 * canvas.arch * _bump((canvas.y - (canvas.curves.outer_lower + 4.5)) / 8.5)
    rim = 0.05 * canvas.arch * _bump((canvas.y - (canvas.curves.outer_upper - 2.0)) / 3.5)
    corner = _bump((np.abs(canvas.aside) - 1.02 * mouth.half_width) / 6)
    dimple = 0.16 * corner * _bump((canvas.y - canvas.seam) / 7)
    return 1 - under + rim - dimple


def _lip_shade(canvas: _MouthRegion, speaker: Speaker) -> tuple[Plane, Plane]:
    """Brightness of the lips, and the wet light on the lower one."""
    curves, across = canvas.curves, canvas.across
    creases = np.interp(across[0], np.linspace(-1, 1, len(speaker.creases)), speaker.creases).astype(np.float32)
    thickness = np.maximum(curves.inner_upper - curves.outer_upper, 1.0)
    upper = _clip((canvas.y - curves.outer_upper) / thickness)
    lower = _clip((canvas.y - curves.inner_lower) / np.maximum(curves.outer_lower - curves.inner_lower, 1.0))
    # The upper lip faces down and darkens towards the seam; the lower one is brightest where it faces the light.
    is_lower = canvas.y > canvas.seam
    shade = np.where(is_lower, 0.76 + lower * (1.42 - 1.58 * lower), 0.95 - 0.26 * upper * upper)
    shade *= creases * (0.84 + 0.16 * canvas.arch)
    # Closed lips meet in a dark line, which gives way to the gap as they part.
    gap = curves.inner_lower - curves.inner_upper
    fold = 0.62 * np.maximum(1 - 0.5 * gap, 0.0) * (np.abs(across) < 0.99)
    shade *= 1 - fold * _bump((canvas.y - canvas.seam) / 1.8)
    spot = creases**4 * _bump((across + 0.12) / 0.55)
    shine = 0.17 * spot * _bump((lower - 0.36) / 0.3) * is_lower
    return shade, shine


def _inside(
    canvas: _MouthRegion, speaker: Speaker, mouth: Mouth, gap: Plane
) -> tuple[list[Plane], list[NDArray[np.float32]]]:
    """What shows between the lips, from front to back: upper teeth, lower teeth, tongue, the dark."""
    middle = mouth.centre[1]
    curve = (canvas.aside / speaker.half_width) ** 2
    tooth = canvas.aside / speaker.tooth
    place = tooth - np.floor(tooth) - 0.5
    # The upper teeth belong to the skull and stay where they are; the lower ones go with the jaw.
    upper_edge = middle + 3.4 - 9 * curve - 2.6 * place * place
    lower_edge = middle + 5.2 + 1.0 * mouth.jaw - 3 * curve + 2.0 * place * place
    upper = (1 - _below(canvas, upper_edge)) * _within(canvas, 0.62 * speaker.half_width, soft=4)
    lower = _below(canvas, lower_edge) * _within(canvas, 0.50 * speaker.half_width, soft=4)
    tongue_top = middle + (0.72 - 0.55 * mouth.tongue) * mouth.lowered + 2.0 + 22 * curve
    tongue = _clip((canvas.y - tongue_top) / 3 + 0.5)

    behind_teeth = gap * (1 - upper)
    behind_all = behind_teeth * (1 - lower)
    arch_light = np.maximum(1 - 1.25 * curve, 0.2)
    slits = 1 - 0.30 * _bump((0.5 - np.abs(place)) * speaker.tooth)
    enamel = arch_light * slits
    overhang = 0.62 + 0.38 * _clip((canvas.y - canvas.curves.inner_upper) / 5)
    layers: list[Plane] = [
        gap * upper * (overhang * enamel),
        behind_teeth * lower * (0.72 * enamel),
        behind_all * tongue * (0.55 + 0.45 * arch_light),
        behind_all * (1 - tongue) * (0.5 + 0.9 * curve),
    ]
    return layers, [speaker.teeth_colour, speaker.teeth_colour, TONGUE, CAVITY]
