"""Crops on the way that a generated mouth takes: into the source video, and cut out again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corpora.placement import Placement
from corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH
from corpora.video import warp


def through_source(crops: NDArray[np.uint8], placement: Placement) -> NDArray[np.uint8]:
    """Put crops back at the source video's resolution and place, and cut them out as they were cut before.

    What comes back differs by two resamplings only, which is what a perfect model would lose in a source video.

    Args:
        crops: (T, 80, 160, 3) RGB uint8, all frames of the clip.
        placement: where they came from.

    Returns:
        (T, 80, 160, 3).
    """
    back = np.empty_like(crops)
    for number, (crop, affine) in enumerate(zip(crops, placement.affines, strict=True)):
        into_crop = np.vstack([affine, [0.0, 0.0, 1.0]])
        corners = np.linalg.inv(into_crop) @ _corners()
        # only the part of the source picture that the crop covers, on its own grid of pixels
        low, high = np.floor(corners[:2].min(axis=1)), np.ceil(corners[:2].max(axis=1))
        width, height = (high - low + 1).astype(int).tolist()
        moved = np.array([[1.0, 0.0, -low[0]], [0.0, 1.0, -low[1]], [0.0, 0.0, 1.0]])
        into_source: NDArray[np.float64] = moved @ np.linalg.inv(into_crop)
        out_of_source = np.linalg.inv(into_source).astype(np.float64)
        source = warp(crop, into_source[:2], size=(height, width))
        back[number] = warp(source, out_of_source[:2], size=(FRAME_HEIGHT, FRAME_WIDTH))
    return back


def _corners() -> NDArray[np.float64]:
    right, bottom = FRAME_WIDTH - 1.0, FRAME_HEIGHT - 1.0
    return np.array([[0.0, right, 0.0, right], [0.0, 0.0, bottom, bottom], [1.0, 1.0, 1.0, 1.0]])
