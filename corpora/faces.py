"""Mouths and face descriptors of many clips, real or generated, over the cores of the machine.

Crops hold no whole face, which dlib needs. So each is pasted onto the face that its clip began with, at the place where
the first crop was cut out; real and generated crops alike, so that equal crops give equal landmarks. Videos of whole
faces are looked at as they are, both sides of a clip with one box: that of the face in the real video.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lipbench.corpora.canvas import Box
from lipbench.corpora.landmarks import FaceLandmarker, mouths_of
from lipbench.corpora.placement import Placement
from lipbench.corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH
from lipbench.errors import UserError
from lipbench.processes import initialise_worker


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceJob:
    """One clip to look at."""

    crops: NDArray[np.uint8]
    """(T, 80, 160, 3) RGB."""
    placement: Placement
    """Where the clip's crops belong."""
    described: tuple[int, ...] = ()
    """Numbers of the frames of which a face descriptor is wanted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VideoFaceJob:
    """One clip of a whole face to look at."""

    frames: NDArray[np.uint8]
    """(T, H, W, 3) RGB."""
    box: Box
    """Of the face, in pixels of the frames: one for all of them, see `locate_face`."""
    described: tuple[int, ...] = ()
    """Numbers of the frames of which a face descriptor is wanted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceResult:
    """What was found in one clip."""

    mouths: NDArray[np.float32]
    """(T, 20, 2), (x, y) in pixels of the crop, or of the frame where nothing was cropped; NaN in frames without a
    mouth."""
    descriptors: NDArray[np.float32]
    """(k, 128), one per described frame, NaN in frames without a mouth."""


Pending = Callable[[], FaceResult]
"""What is being looked for: call it to wait for it."""


def find_faces(job: FaceJob | VideoFaceJob) -> FaceResult:
    """Look at one clip in this process; the landmarker is loaded once (about 100 MB).

    In a whole face an answer of the predictor counts as a mouth by the rule of `mouths_of`, with the face's
    box in place of the crop.

    Raises:
        UserError: a model file is not installed.
    """
    descriptor_frames = list(job.described)
    visible_faces = (
        _faces_in_pasted(job, descriptor_frames)
        if isinstance(job, FaceJob)
        else _faces_in_video(job, descriptor_frames)
    )
    descriptors = _landmarker().descriptors(
        visible_faces.faces, visible_faces.box, visible_faces.points[descriptor_frames]
    )
    # a face is placed by its points: where these are no mouth, the descriptor is of nothing
    descriptors[np.isnan(visible_faces.mouths[descriptor_frames]).any(axis=(1, 2))] = np.nan
    return FaceResult(mouths=visible_faces.mouths, descriptors=descriptors)


class _VisibleFaces(NamedTuple):
    """What was seen in the pictures of a clip."""

    points: NDArray[np.float32]
    """(T, 68, 2) in pixels of the faces."""
    mouths: NDArray[np.float32]
    """(T, 20, 2), as in `FaceResult`."""
    faces: NDArray[np.uint8]
    """(k, H, W, 3), those to describe."""
    box: Box
    """Of the face in them."""


def _faces_in_pasted(job: FaceJob, descriptor_frames: list[int]) -> _VisibleFaces:
    placement = job.placement
    faces, box = placement.paste(job.crops[descriptor_frames]), Box(*placement.box_in_face)
    points = _landmarker().points_of_pasted(job.crops, placement.face, box, corner=placement.corner)
    mouths = mouths_of(points, corner=placement.corner, size=(FRAME_HEIGHT, FRAME_WIDTH))
    return _VisibleFaces(points, mouths, faces, box)


def _faces_in_video(job: VideoFaceJob, descriptor_frames: list[int]) -> _VisibleFaces:
    box = job.box
    points = _landmarker().points(job.frames, [box] * len(job.frames))
    corner, side = (round(box.left), round(box.top)), round(box.side)
    mouths = mouths_of(points, corner=corner, size=(side, side)) + np.array(corner, dtype=np.float32)
    return _VisibleFaces(points, mouths, job.frames[descriptor_frames], box)


def locate_face(frames: NDArray[np.uint8]) -> Box:
    """Where the face is in a clip: the median over its detections.

    Args:
        frames: (T, H, W, 3) RGB.

    Raises:
        FaceError: there is no face, or none that lasts.
        UserError: a model file is not installed.
    """
    return _landmarker().follow(frames).median


class FaceWorkers:
    """Processes that look at clips, started when there is something to look at. Use it as a context, or close it.

    Args:
        workers: processes; 0 to look in this one.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, job: FaceJob | VideoFaceJob) -> Pending:
        """Begin to look at a clip.

        It stays in memory until it has been looked at: a caller with many clips waits for early ones before it gives
        more.

        Returns:
            Call it to wait for what was found; it raises what looking raised, `UserError` if a model file is not
            installed or a process died.
        """
        if self.workers == 0:
            result = find_faces(job)
            return lambda: result
        if self._pool is None:
            # spawned, not forked: a fork of a process with threads (torch) can hang
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin)
        try:
            future = self._pool.submit(find_faces, job)
        except BrokenProcessPool as error:
            raise _died() from error

        def wait_for_it() -> FaceResult:
            try:
                return future.result()
            except BrokenProcessPool as error:
                raise _died() from error

        return wait_for_it

    def close(self) -> None:
        """End the processes; what is not begun is dropped."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def __enter__(self) -> FaceWorkers:
        """Nothing starts before it is needed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the processes."""
        self.close()


def _died() -> UserError:
    return UserError("a process that looks for mouths died", remedy="Check the free memory, or use fewer workers")


@cache
def _landmarker() -> FaceLandmarker:
    return FaceLandmarker()


def _begin() -> None:
    # there is a worker per core already
    cv2.setNumThreads(1)
    initialise_worker()
