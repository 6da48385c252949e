"""From a followed face to crops of the mouth.

The face square (its side is the width of dlib's rectangle) is scaled to 256 pixels, and a window of 160 x 80 is cut
around the mouth: in one resampling, straight from the source frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from corpora.landmarks import MOUTH, FaceTrack
from corpora.store import FACE_SIZE, Placement
from corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH
from corpora.video import warp

Stabilise = Literal["clip", "frame"]
"""``clip``: one window for all frames, so that the head's own motion stays. ``frame``: the window follows the mouth."""

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


def crop_mouth(
    frames: NDArray[np.uint8], track: FaceTrack, points: NDArray[np.float32], *, stabilise: Stabilise = "clip"
) -> MouthCrop:
    """Cut the mouth out of every frame.

    Args:
        frames: (T, H, W, 3) RGB uint8.
        track: the face, from `FaceLandmarker.follow`.
        points: (T, 68, 2) face points in pixels of the frame.
        stabilise: whether scale and place are the clip's median or each frame's own.
    """
    mouth = points[:, MOUTH].astype(np.float64)
    centres = mouth.mean(axis=1)
    sides = np.array([box.side for box in track.boxes])
    if stabilise == "clip":
        centres = np.broadcast_to(np.median(centres, axis=0), centres.shape)
        sides = np.full_like(sides, track.median.side)
    scales = FACE_SIZE / sides
    affines = np.zeros((len(frames), 2, 3))
    affines[:, 0, 0] = affines[:, 1, 1] = scales
    affines[:, :, 2] = _CENTRE - scales[:, None] * centres
    crops = np.stack([warp(f, a, size=(FRAME_HEIGHT, FRAME_WIDTH)) for f, a in zip(frames, affines, strict=True)])
    landmarks = mouth * scales[:, None, None] + affines[:, None, :, 2]
    outside = (landmarks < -0.5) | (landmarks > np.array([FRAME_WIDTH, FRAME_HEIGHT]) - 0.5)
    return MouthCrop(
        frames=crops,
        landmarks=landmarks.astype(np.float32),
        placement=_place(frames[0], track, affines, clip=stabilise == "clip"),
        outside=int(outside.any(axis=(1, 2)).sum()),
    )


def _place(first: NDArray[np.uint8], track: FaceTrack, affines: NDArray[np.float64], *, clip: bool) -> Placement:
    box = track.median if clip else track.boxes[0]
    scale, shift = affines[0, 0, 0], affines[0, :, 2]
    # where the box's first pixel centre falls in the crop; its negative, whole, is where the crop begins in the face
    first_pixel = scale * np.array([box.left, box.top]) + shift + 0.5
    room = np.array([FACE_SIZE - FRAME_WIDTH, FACE_SIZE - FRAME_HEIGHT])
    corner = np.clip(np.floor(0.5 - first_pixel), 0, room).astype(int)
    # whole pixels apart, so the crop is a plain slice of the face picture and pasting resamples nothing
    face_affine = affines[0].copy()
    face_affine[:, 2] += corner
    x, y = corner.tolist()
    return Placement(
        face=warp(first, face_affine, size=(FACE_SIZE, FACE_SIZE)),
        corner=(x, y),
        box=(box.left, box.top, box.side),
        affines=affines,
    )
