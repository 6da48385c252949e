"""Where a clip's crops came from, and how a generated mouth gets back into the face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH

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
