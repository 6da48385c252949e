"""Where a clip's crops came from, and how a generated mouth gets back into the face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipbench.corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH
from lipbench.corpora.video import warp

FACE_SIZE = 256
"""Height and width of `Placement.face` in pixels."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Placement:
    """Where a clip's crops came from, so that a generated mouth can be put back into a face."""

    face: NDArray[np.uint8]
    """(256, 256, 3) RGB: the face of the first frame, at the scale of the crops."""
    corner: tuple[int, int]
    """(x, y) of the first crop's upper left pixel in `face`: `face[y:y+80, x:x+160]` is the first crop."""
    box: tuple[float, float, float]
    """(left, top, side) of the face square in the source frame, in pixels, pixel centres at integers."""
    affines: NDArray[np.float64]
    """(T, 2, 3) maps from (x, y) of each source frame to (x, y) of its crop. All equal if stabilised per clip."""

    @property
    def box_in_face(self) -> tuple[float, float, float]:
        """(left, top, side) of the face square in `face`: nearly (-0.5, -0.5, 256)."""
        affine = self.affines[0]
        left, top = affine[:, :2] @ self.box[:2] + affine[:, 2] + self.corner
        return float(left), float(top), float(self.box[2] * affine[0, 0])

    def paste(self, crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Put mouths onto the face of the first frame.

        Args:
            crops: (N, 80, 160, 3) RGB uint8.

        Returns:
            (N, 256, 256, 3) RGB uint8.
        """
        if crops.shape[1:] != (FRAME_HEIGHT, FRAME_WIDTH, 3):
            raise ValueError(f"crops are {crops.shape}, not (N, {FRAME_HEIGHT}, {FRAME_WIDTH}, 3)")
        faces = np.repeat(self.face[None], len(crops), axis=0)
        x, y = self.corner
        faces[:, y : y + FRAME_HEIGHT, x : x + FRAME_WIDTH] = crops
        return faces


def resample_through_source(crops: NDArray[np.uint8], placement: Placement) -> NDArray[np.uint8]:
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
        translation = np.array([[1.0, 0.0, -low[0]], [0.0, 1.0, -low[1]], [0.0, 0.0, 1.0]])
        into_source: NDArray[np.float64] = translation @ np.linalg.inv(into_crop)
        out_of_source = np.linalg.inv(into_source).astype(np.float64)
        source = warp(crop, into_source[:2], size=(height, width))
        back[number] = warp(source, out_of_source[:2], size=(FRAME_HEIGHT, FRAME_WIDTH))
    return back


def _corners() -> NDArray[np.float64]:
    right, bottom = FRAME_WIDTH - 1.0, FRAME_HEIGHT - 1.0
    return np.array([[0.0, right, 0.0, right], [0.0, 0.0, bottom, bottom], [1.0, 1.0, 1.0, 1.0]])
