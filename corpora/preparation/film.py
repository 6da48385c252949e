"""A filmed face with labels to an utterance: decode, find the face, crop the mouth, align the tokens."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from lipbench.corpora.alignments import Alignment
from lipbench.corpora.alignments.durations import TokenTimes
from lipbench.corpora.landmarks import DETECTOR_STRIDE, FaceLandmarker, FaceTrack
from lipbench.corpora.preparation.clip import PreparedClip
from lipbench.corpora.preparation.crop import Stabilise, crop_mouth, face_side
from lipbench.corpora.utterance import Split, Utterance
from lipbench.corpora.video import Interpolation, VideoError, VideoReader, frames_at_stride

_SAME_RATE = 0.01
"""Frames per second by which a file's rate may differ from the corpus'."""


class Labels(Protocol):
    """Where a clip's tokens and their times come from. Picklable."""

    def content(self) -> bytes:
        """What they are made from, for the digest; nothing if it is missing.

        Raises:
            OSError: it is there and cannot be read.
        """
        ...

    def read(self) -> Alignment:
        """Read them.

        Raises:
            AlignmentError: they are missing or cannot be used.
        """
        ...

    def align(self, alignment: Alignment, n_frames: int) -> TokenTimes:
        """Fit what `read` gave to a video of so many frames.

        Raises:
            AlignmentError: it does not fit.
        """
        ...

    def remarks(self, times: TokenTimes) -> tuple[str, ...]:
        """What is unusual about what `align` gave."""
        ...


@dataclass(frozen=True, kw_only=True)
class FilmedClip:
    """One clip of a corpus of filmed faces; calling it prepares it."""

    id: str
    speaker: str
    split: Split
    video: Path
    labels: Labels
    fps: float
    """That of the corpus: a file that runs at another is refused."""
    usual_frames: int | None = None
    """Another number is noted; None if clips differ in length."""
    max_frames: int
    """A longer file is refused, so that a wrong one cannot fill the memory."""
    stabilise: Stabilise
    interpolation: Interpolation = "linear"
    sentence: str | None = None
    stride: int = DETECTOR_STRIDE
    """The face detector sees every so many frames."""

    def digest(self) -> str:
        """What the clip is made from: the video's size, the labels' content, the split.

        Raises:
            OSError: a file cannot be read.
        """
        facts = f"{self.video.stat().st_size} {self.split} ".encode()
        return hashlib.sha256(facts + self.labels.content()).hexdigest()

    def __call__(self) -> PreparedClip:
        """Prepare it.

        Raises:
            UserError: the video or the labels cannot be used, or there is no face to follow.
        """
        alignment = self.labels.read()
        video = VideoReader(self.video, max_frames=self.max_frames)
        if not abs(video.fps - self.fps) <= _SAME_RATE:  # so put, it also refuses a file that names no rate
            raise VideoError(f"it runs at {video.fps:g} frames per second, not {self.fps:g}", remedy="Fetch it again")
        times = self.labels.align(alignment, len(video))
        landmarker = _landmarker()
        track = _resize_track(landmarker, video, landmarker.follow(video, stride=self.stride))
        # a detection is noisier than a face that keeps its place, and the points would follow the noise
        is_fixed_box = self.stabilise == "clip" or track.steady
        boxes = [track.median] * len(video) if is_fixed_box else track.boxes
        points = landmarker.points(video, boxes)
        crop = crop_mouth(video, track, points, stabilise=self.stabilise, interpolation=self.interpolation)
        utterance = Utterance(
            id=self.id,
            speaker=self.speaker,
            text=times.text,
            tokens=times.tokens,
            durations=times.durations,
            duration_source=times.source,
            fps=self.fps,
            frames=crop.frames,
            landmarks=crop.landmarks,
            split=self.split,
        )
        remarks = (*self.labels.remarks(times), *alignment.repairs, *times.repairs)
        notes = (*self._length(len(video)), *remarks, *_face_notes(track, crop.outside))
        return PreparedClip(utterance=utterance, placement=crop.placement, notes=notes, sentence=self.sentence)

    def _length(self, n_frames: int) -> tuple[str, ...]:
        if self.usual_frames is None or n_frames == self.usual_frames:
            return ()
        return (f"{n_frames} frames instead of {self.usual_frames}",)


@cache
def _landmarker() -> FaceLandmarker:
    return FaceLandmarker()


def _resize_track(landmarker: FaceLandmarker, video: VideoReader, track: FaceTrack) -> FaceTrack:
    """The track with squares of the size that the points say: the predictor's mouth is wider in a wider square."""
    face_points = landmarker.points(frames_at_stride(video, DETECTOR_STRIDE), track.boxes[::DETECTOR_STRIDE])
    return track.resized(face_side(face_points))


def _face_notes(track: FaceTrack, outside: int) -> tuple[str, ...]:
    notes = []
    if track.seen < track.looked:
        notes.append(f"face found in {track.seen} of {track.looked} frames looked at")
    if track.crowded:
        notes.append(f"more than one face in {track.crowded} of {track.looked} frames looked at: the largest was taken")
    if outside:
        notes.append(f"the mouth reaches out of the crop in {outside} frames")
    return tuple(notes)
