"""The picture of a face that dlib's predictor looks at: grey, upright, at one size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lipbench.corpora.video import warp


@dataclass(frozen=True)
class Box:
    """An upright square in a picture, edge to edge, in pixels with pixel centres at integers."""

    left: float
    top: float
    side: float

    @property
    def middle(self) -> tuple[float, float]:
        """(x, y) of its middle."""
        return self.left + self.side / 2, self.top + self.side / 2

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        width = min(self.left + self.side, other.left + other.side) - max(self.left, other.left)
        height = min(self.top + self.side, other.top + other.side) - max(self.top, other.top)
        shared = max(width, 0.0) * max(height, 0.0)
        return shared / (self.side**2 + other.side**2 - shared)

    def resized(self, side: float) -> Box:
        """The square of another side around the same middle."""
        inset = (self.side - side) / 2
        return Box(self.left + inset, self.top + inset, side)


class Patch(NamedTuple):
    """A part of a canvas, which is drawn as it is in the whole."""

    rows: slice
    columns: slice
    draw: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
    """A picture, uint8 (H, W), to this part of the canvas."""


class Canvas:
    """Where a face lies on the picture that the predictor sees, which holds its square and a margin around that.

    Args:
        box: of the face, in pixels of the pictures that are drawn.
    """

    FACE: ClassVar[int] = 512
    """Side in pixels of the face's square: the predictor answers in whole pixels, to be finer than a crop's."""
    MARGIN: ClassVar[int] = 128
    SIDE: ClassVar[int] = FACE + 2 * MARGIN

    def __init__(self, box: Box) -> None:
        self._scale = self.FACE / box.side
        self._offset = self.MARGIN - 0.5 - self._scale * np.array([box.left, box.top])
        self._affine = np.column_stack([np.eye(2) * self._scale, self._offset])

    def draw(self, grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resample a picture, uint8 (H, W), to uint8 (SIDE, SIDE)."""
        return warp(grey, self._affine, size=(self.SIDE, self.SIDE), enlarge="linear")

    def patch(self, corner: tuple[int, int], size: tuple[int, int], *, source_size: tuple[int, int]) -> Patch:
        """The part of the canvas that changes with a rectangle of the picture.

        Args:
            corner: (x, y) of the rectangle's upper left pixel.
            size: (height, width) of the rectangle.
            source_size: (height, width) of the picture.
        """
        (x, y), (height, width) = corner, size
        if self._scale < 1:  # averages over areas are not drawn in parts
            return Patch(slice(0, self.SIDE), slice(0, self.SIDE), self.draw)
        rows, columns = self._span(y, height, source_size[0], axis=1), self._span(x, width, source_size[1], axis=0)
        # as `cv2.warpAffine` works out places, in single precision: along the row by a fused product and sum
        back = cv2.invertAffineTransform(self._affine).astype(np.float32)
        across = np.arange(columns.start, columns.stop) * back[0, 0].astype(np.float64) + back[0, 2]
        down = np.arange(rows.start, rows.stop).astype(np.float32) * back[1, 1] + back[1, 2]
        xs, ys = np.meshgrid(across.astype(np.float32), down)

        def draw(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
            resampled = cv2.remap(grey, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            return resampled.astype(np.uint8, copy=False)

        return Patch(rows, columns, draw)

    def _span(self, start: int, length: int, source_length: int, *, axis: int) -> slice:
        """What a stretch of the picture reaches of the canvas, at least one pixel."""
        # bilinear weights reach one pixel of the picture; one of the canvas for rounding. The picture's outer pixels
        # are repeated beyond it, to the canvas' edges
        end, offset = start + length, self._affine[axis, 2]
        first = 0 if start <= 0 else math.floor(self._scale * (start - 1) + offset) - 1
        last = self.SIDE - 1 if end >= source_length else math.ceil(self._scale * end + offset) + 1
        first = min(max(first, 0), self.SIDE - 1)
        return slice(first, max(min(last, self.SIDE - 1), first) + 1)

    def to_face(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Places (N, 2) on the canvas as places in the picture that was drawn, (x, y) in its pixels."""
        return (points - self._offset) / self._scale


def to_grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB (H, W, 3) to grey (H, W), as OpenCV weighs the colours."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
