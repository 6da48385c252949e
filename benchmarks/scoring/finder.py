"""Faces of both sides of every clip, looked for by worker processes; those of the real side once for all systems."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.scoring.clips import Reference, Truth, placement_of, to_pictures
from benchmarks.scoring.videos import Videos
from corpora.faces import FaceJob, FaceWorkers, FilmJob, Pending
from corpora.landmarks import Box
from corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH
from metrics.protocols import Protocol


def lacking(corpus: Reference, utterance_id: str, protocol: Protocol) -> dict[str, str]:
    """What the clips of a corpus cannot give of what metrics take, and why.

    Args:
        corpus: the truth.
        utterance_id: any of its clips.
        protocol: says onto which face mouths are pasted.
    """
    if isinstance(corpus, Videos):
        return {"durations": "video files do not say how long each token lasts"}
    if placement_of(corpus, utterance_id) is None:
        reason = "the corpus has no faces to put the mouths back into"
    elif protocol.background != "first_frame":
        reason = "the corpus keeps the first face of a clip only"
    else:
        return {}
    return {"landmarks": reason, "face": reason}


def summary_for(corpus: Reference, protocol: Protocol) -> str:
    """The protocol's rules in one sentence, as they were applied: whole videos are pasted onto nothing."""
    return protocol.summary_of_whole_faces if isinstance(corpus, Videos) else protocol.summary


class Faces(NamedTuple):
    """What was found on one side of a clip."""

    landmarks: Tensor
    """float32 (T, 20, 2) in pixels of a 160 x 80 crop, or of the video if it was not cropped; NaN in frames without a
    mouth."""
    descriptors: Tensor
    """float32 (k, 128), one per described frame in the order asked for, NaN where there is no face."""


@dataclass
class _Known:
    """What has been asked of one real clip so far."""

    landmarks: Pending | None = None
    descriptors: dict[int, tuple[Pending, int]] = field(default_factory=dict)
    """Frame to the job that describes it, and its row there."""


class FaceFinder:
    """Looks for faces.

    Args:
        corpus: knows the faces that crops were cut from, or where the faces are in whole videos.
        workers: processes; 0 for none besides this one.
    """

    def __init__(self, corpus: Reference, workers: int) -> None:
        self._corpus = corpus
        self._workers = FaceWorkers(workers)
        self.ahead = 2 * workers
        """Clips whose faces are looked for while an earlier one is waited for."""
        self._known: dict[tuple[str, torch.Size], _Known] = {}

    def close(self) -> None:
        """End the worker processes."""
        self._workers.close()

    def faceless(self, truth: Truth) -> str | None:
        """Why no face can be looked for in a clip; None if one can.

        Raises:
            UserError: a model file is not installed.
        """
        if not isinstance(self._corpus, Videos):
            return None
        box = self._corpus.face_box(truth.utterance)
        return None if isinstance(box, Box) else box

    def look(self, truth: Truth, frames: Tensor, described: tuple[int, ...]) -> Looking:
        """Begin to look for the faces of a generated side.

        Args:
            truth: the utterance.
            frames: float (T, 3, H, W).
            described: frames of which the face is to be described; a frame may come twice.
        """
        numbers = tuple(dict.fromkeys(described))
        pending = self._submit(truth, frames, numbers)
        return Looking(pending, tuple((pending, numbers.index(number)) for number in described))

    def look_at_truth(self, truth: Truth, described: tuple[int, ...]) -> Looking:
        """Begin to look for the faces of a real side, for what was not asked of it before; see `look`."""
        known = self._known.setdefault((truth.utterance.id, truth.frames.shape[2:]), _Known())
        new = tuple(number for number in dict.fromkeys(described) if number not in known.descriptors)
        if new or known.landmarks is None:
            pending = self._submit(truth, truth.frames, new)
            known.landmarks = known.landmarks or pending
            known.descriptors |= {number: (pending, row) for row, number in enumerate(new)}
        return Looking(known.landmarks, tuple(known.descriptors[number] for number in described))

    def real_descriptors(self) -> list[Tensor]:
        """Face descriptors of every real clip looked at so far, float (k, 128) each: for the floor."""
        clips = [known.descriptors for _, known in sorted(self._known.items(), key=lambda item: item[0][0])]
        return [_rows([places[number] for number in sorted(places)]) for places in clips if places]

    def _submit(self, truth: Truth, frames: Tensor, described: tuple[int, ...]) -> Pending:
        pictures = to_pictures(frames)
        if isinstance(self._corpus, Videos):
            box = self._corpus.face_box(truth.utterance)
            assert isinstance(box, Box), "a clip without a face is not looked at"
            return self._workers.submit(FilmJob(frames=pictures, box=box, described=described))
        placement = placement_of(self._corpus, truth.utterance.id)
        assert placement is not None, "without faces no metric that needs them is among the measures"
        job = FaceJob(crops=_at_crop_size(pictures), placement=placement, described=described)
        return self._workers.submit(job)


class Looking(NamedTuple):
    """Faces of one side that are being looked for."""

    landmarks: Pending
    descriptors: tuple[tuple[Pending, int], ...]

    def found(self) -> Faces:
        """Wait for them.

        Raises:
            UserError: a model file is not installed, or a worker died.
        """
        return Faces(torch.from_numpy(self.landmarks().mouths), _rows(self.descriptors))


def _rows(places: list[tuple[Pending, int]] | tuple[tuple[Pending, int], ...]) -> Tensor:
    if not places:
        return torch.empty(0, 128)
    return torch.from_numpy(np.stack([pending().descriptors[row] for pending, row in places]))


def _at_crop_size(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Enlarge what a small model made, and the truth that it is compared with, to the size of the crops."""
    if pictures.shape[1:3] == (FRAME_HEIGHT, FRAME_WIDTH):
        return pictures
    resized = [cv2.resize(one, (FRAME_WIDTH, FRAME_HEIGHT), interpolation=cv2.INTER_LINEAR) for one in pictures]
    return np.stack(resized).astype(np.uint8)
