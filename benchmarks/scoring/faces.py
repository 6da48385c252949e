"""Faces of both sides of every clip, looked for by worker processes; those of the real side once for all systems.

Equal pictures of one clip have equal faces, so each is looked at once. Controls are made of the real clip's pictures
for the most part, and a mouth that stands still is one picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lipbench.benchmarks.scoring.clips import ReferenceClip, ReferenceSet, placement_of
from lipbench.benchmarks.scoring.videos import ReferenceVideos
from lipbench.corpora.canvas import Box
from lipbench.corpora.faces import FaceJob, FaceWorkers, Pending, VideoFaceJob
from lipbench.corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH
from lipbench.metrics.protocols import Protocol


def missing_inputs(corpus: ReferenceSet, utterance_id: str, protocol: Protocol) -> dict[str, str]:
    """Inputs of metrics that a corpus lacks, each with the reason.

    Args:
        corpus: the truth.
        utterance_id: any of its clips.
        protocol: says onto which face mouths are pasted.
    """
    if isinstance(corpus, ReferenceVideos):
        return {"durations": "video files do not say how long each token lasts"}
    if placement_of(corpus, utterance_id) is None:
        reason = "the corpus has no faces to put the mouths back into"
    elif protocol.background != "first_frame":
        reason = "the corpus keeps the first face of a clip only"
    else:
        return {}
    return {"landmarks": reason, "face": reason}


def protocol_summary(corpus: ReferenceSet, protocol: Protocol) -> str:
    """The protocol's rules in one sentence, as they were applied: whole videos are pasted onto nothing."""
    return protocol.summary_of_whole_faces if isinstance(corpus, ReferenceVideos) else protocol.summary


class ClipFaces(NamedTuple):
    """What was found on one side of a clip."""

    landmarks: Tensor
    """float32 (T, 20, 2) in pixels of a 160 x 80 crop, or of the video if it was not cropped; NaN in frames without a
    mouth."""
    descriptors: Mapping[int, Tensor]
    """Of each described frame, by its number: float32 (128,), NaN where there is no face."""


class ReferenceFrames(NamedTuple):
    """Frames of a real clip."""

    utterance: str
    size: tuple[int, int]
    """(H, W) at which the clip is scored."""
    frames: tuple[int, ...]
    """Their numbers."""


_Row = tuple[Pending, int]
"""What is being looked for, and the row of it that is meant."""


@dataclass
class _RealFaces:
    """Faces already requested for one real clip, by picture digest."""

    mouths: Mapping[bytes, _Row] = field(default_factory=dict)
    descriptors: Mapping[bytes, _Row] = field(default_factory=dict)
    described: dict[int, bytes] = field(default_factory=dict)
    """Numbers of the frames that have a descriptor."""


class FaceFinder:
    """Looks for faces.

    Args:
        corpus: knows the faces that crops were cut from, or where the faces are in whole videos.
        workers: processes; 0 for none besides this one.
    """

    def __init__(self, corpus: ReferenceSet, workers: int) -> None:
        self._corpus = corpus
        self._workers = FaceWorkers(workers)
        self.ahead = 2 * workers
        """Clips whose faces are looked for while an earlier one is waited for."""
        self._known: dict[tuple[str, tuple[int, int]], _RealFaces] = {}

    def close(self) -> None:
        """End the worker processes."""
        self._workers.close()

    def faceless(self, reference: ReferenceClip) -> str | None:
        """Why no face can be looked for in a clip; None if one can.

        Raises:
            UserError: a model file is not installed.
        """
        if not isinstance(self._corpus, ReferenceVideos):
            return None
        box = self._corpus.face_box(reference.utterance)
        return None if isinstance(box, Box) else box

    def look(
        self, reference: ReferenceClip, pictures: NDArray[np.uint8], descriptor_frames: tuple[int, ...]
    ) -> PendingFaces:
        """Begin to look for the faces of a generated side: of each picture once, and not of those of the real side.

        Args:
            reference: the utterance, whose real side has been looked at: see `look_at_truth`.
            pictures: (T, H, W, 3) RGB.
            descriptor_frames: numbers of the frames that need a face descriptor.
        """
        return self._look(reference, _digests(pictures), pictures, descriptor_frames, self._of(reference))[0]

    def find_real(self, reference: ReferenceClip, descriptor_frames: tuple[int, ...]) -> PendingFaces:
        """Begin to look for the faces of a real side, for what was not asked of it before; see `look`."""
        real_faces, digests = self._of(reference), _digests(reference.pictures)
        looking, real_faces.mouths, real_faces.descriptors = self._look(
            reference, digests, reference.pictures, descriptor_frames, real_faces
        )
        real_faces.described |= {number: digests[number] for number in descriptor_frames}
        return looking

    def real_descriptors(self, clip: ReferenceFrames) -> Tensor | None:
        """Face descriptors of frames of a real clip that were described before, float (k, 128); None without a face."""
        real_faces = self._known.get((clip.utterance, clip.size))
        if real_faces is None:
            return None
        rows = [real_faces.descriptors[real_faces.described[number]] for number in clip.frames]
        return torch.from_numpy(np.stack([pending().descriptors[row] for pending, row in rows]))

    def _of(self, reference: ReferenceClip) -> _RealFaces:
        height, width = reference.pictures.shape[1:3]
        return self._known.setdefault((reference.utterance.id, (height, width)), _RealFaces())

    def _look(
        self,
        reference: ReferenceClip,
        digests: list[bytes],
        pictures: NDArray[np.uint8],
        descriptor_frames: tuple[int, ...],
        real_faces: _RealFaces,
    ) -> tuple[PendingFaces, Mapping[bytes, _Row], Mapping[bytes, _Row]]:
        """Submit the pictures without results; return pending results for all frames."""
        mouths, descriptors = real_faces.mouths, real_faces.descriptors
        faces = [d for d in dict.fromkeys(digests[number] for number in descriptor_frames) if d not in descriptors]
        first = dict(zip(reversed(digests), reversed(range(len(digests))), strict=True))
        new = {*faces, *(digest for digest in digests if digest not in mouths)}
        if new:
            numbers = sorted(first[digest] for digest in new)
            # waiting for a worker, all pictures of a clip are not held twice
            new_pictures = pictures if len(numbers) == len(pictures) else pictures[numbers]
            pending = self._submit(reference, new_pictures, tuple(numbers.index(first[digest]) for digest in faces))
            mouths = {**mouths, **{digests[number]: (pending, row) for row, number in enumerate(numbers)}}
            descriptors = {**descriptors, **{digest: (pending, row) for row, digest in enumerate(faces)}}
        looking = PendingFaces(
            [mouths[digest] for digest in digests],
            {number: descriptors[digests[number]] for number in descriptor_frames},
        )
        return looking, mouths, descriptors

    def _submit(
        self, reference: ReferenceClip, pictures: NDArray[np.uint8], descriptor_frames: tuple[int, ...]
    ) -> Pending:
        if isinstance(self._corpus, ReferenceVideos):
            box = self._corpus.face_box(reference.utterance)
            assert isinstance(box, Box), "a clip without a face is not looked at"
            return self._workers.submit(VideoFaceJob(frames=pictures, box=box, described=descriptor_frames))
        placement = placement_of(self._corpus, reference.utterance.id)
        assert placement is not None, "without faces no metric that needs them is among the measures"
        job = FaceJob(crops=_at_crop_size(pictures), placement=placement, described=descriptor_frames)
        return self._workers.submit(job)


class PendingFaces(NamedTuple):
    """Faces of one side that are being looked for."""

    mouths: list[_Row]
    """One per frame."""
    descriptors: dict[int, _Row]
    """Of each described frame, by its number."""

    def found(self) -> ClipFaces:
        """Wait for them.

        Raises:
            UserError: a model file is not installed, or a worker died.
        """
        mouths = np.stack([pending().mouths[row] for pending, row in self.mouths])
        descriptors = {number: pending().descriptors[row] for number, (pending, row) in self.descriptors.items()}
        return ClipFaces(
            torch.from_numpy(mouths),
            {number: torch.from_numpy(descriptor) for number, descriptor in descriptors.items()},
        )


def _digests(pictures: NDArray[np.uint8]) -> list[bytes]:
    return [sha256(picture.tobytes()).digest() for picture in pictures]


def _at_crop_size(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Enlarge what a small model made, and the truth that it is compared with, to the size of the crops."""
    if pictures.shape[1:3] == (FRAME_HEIGHT, FRAME_WIDTH):
        return pictures
    crops = [cv2.resize(picture, (FRAME_WIDTH, FRAME_HEIGHT), interpolation=cv2.INTER_LINEAR) for picture in pictures]
    return np.stack(crops).astype(np.uint8)
