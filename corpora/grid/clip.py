"""One clip from the download into the store: decode, find the face, crop the mouth, align the characters."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from corpora.alignments import read_alignment
from corpora.alignments.durations import TokenTimes, align_tokens
from corpora.grid.crop import Stabilise, crop_mouth, face_side
from corpora.grid.layout import ClipFiles
from corpora.grid.vocabulary import sentence_of_code
from corpora.landmarks import DETECTOR_STRIDE, FaceLandmarker, FaceTrack
from corpora.store import ClipEntry, StoreError, write_clip
from corpora.utterance import Split, Utterance
from corpora.video import Video, VideoError, read_video
from models.errors import UserError

FPS = 25.0
USUAL_FRAMES = 75
MAX_FRAMES = 750
"""A "clip" of more than half a minute is no GRID sentence."""


@dataclass(frozen=True, kw_only=True)
class ClipOutcome:
    """How one clip ended."""

    id: str
    status: Literal["done", "kept", "skipped"]
    reason: str | None = None
    """Why it was skipped."""
    notes: tuple[str, ...] = ()
    """What is unusual about a clip that was not skipped."""
    seconds: float = 0.0
    number: int = 0
    """1 for the first outcome of the run."""
    total: int = 0
    """Outcomes that the run will have."""
    entry: ClipEntry | None = None


@dataclass(frozen=True, kw_only=True)
class ClipJob:
    """What it takes to prepare one clip."""

    clip: ClipFiles
    split: Split
    source: str
    """Digest of what it is made from."""
    store: Path
    stabilise: Stabilise
    options: str
    """The manifest's `options_digest`."""


def start_worker() -> None:
    """Set up a worker process: one thread each, as there are as many workers as cores."""
    cv2.setNumThreads(1)


@cache
def _landmarker() -> FaceLandmarker:
    return FaceLandmarker()


def prepare_clip(job: ClipJob) -> ClipOutcome:
    """Take one clip from its files into the store.

    Returns:
        Done, or skipped with the reason, whatever is wrong with the clip.

    Raises:
        StoreError: the store cannot be written; no other clip would fare better.
    """
    started = time.perf_counter()
    try:
        entry = _prepare(job)
    except StoreError:
        raise
    except UserError as error:
        return _skip(job, error.problem, started)
    except Exception as error:  # a decoder's or detector's own failure on one odd file must not stop the other clips
        return _skip(job, f"unexpected {type(error).__name__}: {error}", started)
    seconds = time.perf_counter() - started
    return ClipOutcome(id=job.clip.id, status="done", notes=entry.notes, seconds=seconds, entry=entry)


def _skip(job: ClipJob, reason: str, started: float) -> ClipOutcome:
    return ClipOutcome(id=job.clip.id, status="skipped", reason=reason, seconds=time.perf_counter() - started)


def _prepare(job: ClipJob) -> ClipEntry:
    alignment = read_alignment(job.clip.alignment)
    video = read_video(job.clip.video, max_frames=MAX_FRAMES)
    if not abs(video.fps - FPS) <= 0.01:  # so put, it also refuses a file that names no rate
        raise VideoError(f"it runs at {video.fps:g} frames per second, not {FPS:g}", remedy="Fetch it again")
    times = align_tokens(alignment, "characters", len(video.frames), fps=FPS)
    landmarker = _landmarker()
    track = _sized(landmarker, video.frames, landmarker.follow(video.frames))
    boxes = [track.median] * len(video.frames) if job.stabilise == "clip" else track.boxes
    crop = crop_mouth(video.frames, track, landmarker.points(video.frames, boxes), stabilise=job.stabilise)
    utterance = Utterance(
        id=job.clip.id,
        speaker=job.clip.talker,
        text=times.text,
        tokens=times.tokens,
        durations=times.durations,
        duration_source=times.source,
        fps=FPS,
        frames=crop.frames,
        landmarks=crop.landmarks,
        split=job.split,
    )
    notes = _notes(job.clip, video, times, track, crop.outside)
    return write_clip(job.store, utterance, crop.placement, source=job.source, options=job.options, notes=notes)


def _sized(landmarker: FaceLandmarker, frames: NDArray[np.uint8], track: FaceTrack) -> FaceTrack:
    """The track with squares of the size that the points say: the predictor's mouth is wider in a wider square."""
    shown = slice(None, None, DETECTOR_STRIDE)
    return track.resized(face_side(landmarker.points(frames[shown], track.boxes[shown])))


def _notes(clip: ClipFiles, video: Video, times: TokenTimes, track: FaceTrack, outside: int) -> tuple[str, ...]:
    notes = []
    if len(video.frames) != USUAL_FRAMES:
        notes.append(f"{len(video.frames)} frames instead of {USUAL_FRAMES}")
    expected = sentence_of_code(clip.code)
    if expected is None:
        notes.append(f"'{clip.code}' is no GRID file code, so the transcript could not be checked against it")
    elif expected != times.text:
        notes.append(f"the file code says '{expected}', the alignment '{times.text}'")
    if track.seen < track.looked:
        notes.append(f"face found in {track.seen} of {track.looked} frames looked at")
    if track.crowded:
        notes.append(f"more than one face in {track.crowded} of {track.looked} frames looked at: the largest was taken")
    if outside:
        notes.append(f"the mouth reaches out of the crop in {outside} frames")
    return tuple(notes)
