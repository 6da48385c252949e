"""From a followed face to crops of the mouth.

The face square is scaled to 256 pixels, and a window of 160 x 80 is cut around the mouth: in one resampling, straight
from the source frame. The square's side comes from the face points. The detector only knows sizes in steps of a fifth,
so its own rectangle would give one mouth two widths, 18 % apart, from one clip of a speaker to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lipbench.corpora.canvas import Box
from lipbench.corpora.landmarks import MOUTH, FaceTrack
from lipbench.corpora.placement import FACE_SIZE, Placement
from lipbench.corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH
from lipbench.corpora.video import Frames, Interpolation, warp

Stabilise = Literal["clip", "frame"]
"""``clip``: one window for all frames, so that the head's own motion stays. ``frame``: the window follows the mouth."""

RIGID_SPANS = ((0, 16), (36, 45))
"""Pairs among the 68 points: the sides of the head at the ears, and the outer corners of the eyes.

No speech moves them. On 395 clips of talker s1 the width of the mouth in the crop then has a coefficient of variation
of 1.4 %, much of it from what is said (by the detector's side: 8.1 %). Of twenty lengths tried, all across the face do
about as well; two are taken so that hair over the ears or a blink harms less. Those along the nose change with a nod.
"""
RIGID_LENGTH = 363.0
"""Pixels of the 256 x 256 face that both spans make up together: on s1 the square is on average as large as dlib's."""

_CENTRE = np.array([(FRAME_WIDTH - 1) / 2, (FRAME_HEIGHT - 1) / 2])


@dataclass(frozen=True, kw_only=True, eq=False)
class MouthCrop:
    """Crops of one clip."""

    frames: NDArray[np.uint8]
    """(T, 80, 160, 3) RGB."""
    landmarks: NDArray[np.float32]
    """(T, 20, 2) mouth points in pixels of the crop."""
    placement: Placement
    outside: int
    """Frames in which a mouth point lies outside the crop."""


def face_side(points: NDArray[np.float32]) -> float:
    """Side of the face square, from the size of what no speech moves.

    Args:
        points: (T, 68, 2) face points of one clip, in any unit.

    Returns:
        The side in the unit of `points`: from the median over the frames, so that a few bad frames do no harm.
    """
    spans = [np.linalg.norm(points[:, a] - points[:, b], axis=-1) for a, b in RIGID_SPANS]
    return float(np.median(np.sum(spans, axis=0))) * FACE_SIZE / RIGID_LENGTH


def crop_mouth(
    frames: Frames,
    track: FaceTrack,
    points: NDArray[np.float32],
    *,
    stabilise: Stabilise = "frame",
    interpolation: Interpolation = "linear",
) -> MouthCrop:
    """Cut the mouth out of every frame.

    Args:
        frames: (T, H, W, 3) RGB uint8.
        track: the face, from `FaceLandmarker.follow`.
        points: (T, 68, 2) face points in pixels of the frame.
        stabilise: whether the place is the clip's median or each frame's own. The scale is the clip's in both.
        interpolation: where the source is smaller than the 256 x 256 face, as GRID's is.
    """
    mouth = points[:, MOUTH].astype(np.float64)
    centres = mouth.mean(axis=1)
    if stabilise == "clip":
        centres = np.broadcast_to(np.median(centres, axis=0), centres.shape)
    side = face_side(points)
    scale = FACE_SIZE / side
    affines = np.zeros((len(frames), 2, 3))
    affines[:, 0, 0] = affines[:, 1, 1] = scale
    affines[:, :, 2] = _CENTRE - scale * centres
    size = (FRAME_HEIGHT, FRAME_WIDTH)
    crops = np.stack([warp(f, a, size=size, enlarge=interpolation) for f, a in zip(frames, affines, strict=True)])
    landmarks = mouth * scale + affines[:, None, :, 2]
    outside = (landmarks < -0.5) | (landmarks > np.array([FRAME_WIDTH, FRAME_HEIGHT]) - 0.5)
    box = track.median if stabilise == "clip" else track.boxes[0]
    return MouthCrop(
        frames=crops,
        landmarks=landmarks.astype(np.float32),
        placement=_place(next(iter(frames)), crops[0], box.resized(side), affines, interpolation),
        outside=int(outside.any(axis=(1, 2)).sum()),
    )


def _place(
    first: NDArray[np.uint8],
    crop: NDArray[np.uint8],
    box: Box,
    affines: NDArray[np.float64],
    interpolation: Interpolation,
) -> Placement:
    scale, shift = affines[0, 0, 0], affines[0, :, 2]
    # where the box's first pixel centre falls in the crop; its negative, whole, is where the crop begins in the face
    first_pixel = scale * np.array([box.left, box.top]) + shift + 0.5
    room = np.array([FACE_SIZE - FRAME_WIDTH, FACE_SIZE - FRAME_HEIGHT])
    corner = np.clip(np.floor(0.5 - first_pixel), 0, room).astype(int)
    # whole pixels apart, so the crop is a plain slice of the face picture and pasting resamples nothing
    face_affine = affines[0].copy()
    face_affine[:, 2] += corner
    x, y = corner.tolist()
    face = warp(first, face_affine, size=(FACE_SIZE, FACE_SIZE), enlarge=interpolation)
    # here and there the two resamplings round differently, by one
    face[y : y + FRAME_HEIGHT, x : x + FRAME_WIDTH] = crop
    return Placement(
        face=face,
        corner=(x, y),
        box=(box.left, box.top, box.side),
        affines=affines,
    )
