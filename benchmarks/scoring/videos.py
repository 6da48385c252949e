"""Other people's videos: files of two folders matched by name, with an account of what does not fit.

A video file says neither who speaks nor what is said. Of clips in folders the folder stands for the speaker.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lipbench.benchmarks.scoring.clips import ClipPair, ClipSource, GeneratedClip, ReferenceClip, load_reference
from lipbench.corpora.canvas import Box
from lipbench.corpora.faces import locate_face
from lipbench.corpora.landmarks import FaceError
from lipbench.corpora.utterance import Split
from lipbench.corpora.video import Video, VideoError, read_video
from lipbench.errors import UserError
from lipbench.records.quality import group_by_reason

CORPUS_NAME = "videos"
"""What records call the reference folder's clips, whatever they show."""
SUFFIXES = frozenset(
    (".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv")
)
"""Endings of the files that are taken for videos, in any case."""
MAX_FRAMES = 1500
"""A longer file is no clip of a sentence: one minute at 25 frames per second."""
RATE_TOLERANCE = 5e-4
"""Rates that differ by less are one: files give averages. 29.97 and 30 frames per second are two."""


class VideoFolder(NamedTuple):
    """The video files below a folder."""

    path: Path
    files: dict[str, list[Path]]
    """Relative path without its ending, with forward slashes, to the files called so, sorted."""
    others: list[str]
    """Files that are no videos by their ending."""

    @property
    def digest(self) -> str:
        """Hex sha256 over the names and the content of the videos."""
        content = [[name, *(_digest(path) for path in paths)] for name, paths in self.files.items()]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def find_videos(folder: Path) -> VideoFolder:
    """Find the videos below a folder.

    Raises:
        UserError: there is no such folder, or no video in it.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}", remedy="Give a folder of video files")
    files: dict[str, list[Path]] = {}
    others: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        relative = path.relative_to(folder)
        if path.suffix.lower() in SUFFIXES:
            files.setdefault(relative.with_suffix("").as_posix(), []).append(path)
        else:
            others.append(relative.as_posix())
    if not files:
        endings = ", ".join(sorted(SUFFIXES))
        raise UserError(f"there is no video below {folder}", remedy=f"Give a folder with files that end in {endings}")
    return VideoFolder(folder, dict(sorted(files.items())), others)


class MatchedNames(NamedTuple):
    """Which names can be scored."""

    ids: list[str]
    """Names that have one file on each side, sorted."""
    left_out: dict[str, str]
    """Every other name of either side, and why it is left out."""


def match_names(generated_folder: VideoFolder, reference_folder: VideoFolder) -> MatchedNames:
    """Match the files of two folders by name.

    Raises:
        UserError: no name is on both sides.
    """
    sides = {"generated": generated_folder.files, "reference": reference_folder.files}
    ids: list[str] = []
    left_out: dict[str, str] = {}
    for name in sorted({*generated_folder.files, *reference_folder.files}):
        counts = {side: len(files.get(name, ())) for side, files in sides.items()}
        reasons = [f"no {side} video has this name" for side, n in counts.items() if n == 0]
        reasons += [f"{n} {side} videos have this name" for side, n in counts.items() if n > 1]
        if reasons:
            left_out[name] = reasons[0]
        else:
            ids.append(name)
    if not ids:
        examples = [f"{next(iter(files))!r} is {side}" for side, files in sides.items()]
        raise UserError(
            f"no video of {generated_folder.path} has the name of one of {reference_folder.path}: "
            f"{', '.join(examples)}",
            remedy="Give matching files the same path within both folders, but for the ending",
        )
    return MatchedNames(ids, left_out)


@dataclass(frozen=True, kw_only=True, eq=False)
class VideoClip:
    """One reference video, as scoring sees a real clip."""

    id: str
    speaker: str
    """The folder that it lies in; "" for none."""
    fps: float
    frames: NDArray[np.uint8]
    """(T, H, W, 3) RGB."""
    text: str = ""
    tokens: tuple[str, ...] = ()
    durations: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))


class ReferenceVideos:
    """The reference folder, as scoring sees a corpus.

    Args:
        folder: its files.
    """

    name = CORPUS_NAME

    def __init__(self, folder: VideoFolder) -> None:
        self._files = folder.files
        self._boxes: dict[str, Box | str] = {}
        self.fingerprint = folder.digest
        """Over names and content of all files, those that are not scored included."""

    def ids(self, split: Split) -> list[str]:
        """All names: video files are of no split."""
        return list(self._files)

    def load(self, utterance_id: str) -> VideoClip:
        """Read one video.

        Raises:
            VideoError: it cannot be read, or is no clip of a sentence.
        """
        video = _read(self._files[utterance_id][0])
        speaker = utterance_id.rpartition("/")[0]
        return VideoClip(id=utterance_id, speaker=speaker, fps=video.fps, frames=video.frames)

    def face_box(self, clip: ClipSource) -> Box | str:
        """Where the face is in a reference video, or why there is none; looked for once.

        Raises:
            UserError: a model file is not installed.
        """
        if clip.id not in self._boxes:
            try:
                self._boxes[clip.id] = locate_face(clip.frames)
            except FaceError as error:
                self._boxes[clip.id] = f"{error.problem} in the reference video"
        return self._boxes[clip.id]


class GeneratedVideos:
    """What another system made of the clips of a reference folder, read once.

    Args:
        files: name to the generated files called so.
        videos: the reference.
        match: which names are scored.
        resize: whether frames of another size are brought to the reference's, instead of leaving the clip out.
        ignore_rates: whether clips of another frame rate are compared frame by frame, instead of leaving them out.
    """

    def __init__(
        self,
        files: Mapping[str, Sequence[Path]],
        videos: ReferenceVideos,
        match: MatchedNames,
        *,
        resize: bool,
        ignore_rates: bool,
    ) -> None:
        self._files = files
        self._videos = videos
        self._match = match
        self._resize = resize
        self._ignore_rates = ignore_rates
        self.left_out = dict(match.left_out)
        """Name to why it is not scored; complete when all pairs have been gone through."""
        self.sizes: set[tuple[int, int]] = set()
        """(H, W) of the clips scored."""

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """(H, W) of every clip scored; None if they differ."""
        return next(iter(self.sizes)) if len(self.sizes) == 1 else None

    def pairs(self, on_progress: Callable[[int], None]) -> Iterator[ClipPair]:
        """Read the matched clips; those that do not fit go to `left_out`.

        Args:
            on_progress: called for each clip that is left out.

        Raises:
            UserError: not one clip can be scored.
        """
        for name in self._match.ids:
            pair_or_reason = self._pair(name)
            if isinstance(pair_or_reason, str):
                self.left_out[name] = pair_or_reason
                on_progress(1)
                continue
            height, width = pair_or_reason.truth.pictures.shape[1:3]
            self.sizes.add((height, width))
            yield pair_or_reason
        if not self.sizes:
            reason, names = next(iter(group_by_reason(self.left_out).items()))
            raise UserError(
                f"none of {len(self.left_out)} clips can be scored: {len(names)} because {reason}",
                remedy="See resize= and ignore_rates= in lipbench score --help, or mend the files",
            )

    def _pair(self, name: str) -> ClipPair | str:
        try:
            reference = load_reference(self._videos, name, None)
        except VideoError as error:
            return f"the reference cannot be read: {error.problem}"
        try:
            generated_video = _read(self._files[name][0])
        except VideoError as error:
            return f"the generated video cannot be read: {error.problem}"
        reason = self._misfit(generated_video, reference)
        if reason is not None:
            return reason
        return ClipPair(reference, GeneratedClip(_resize(generated_video.frames, reference.pictures.shape[1:3])))

    def _misfit(self, generated_video: Video, reference: ReferenceClip) -> str | None:
        """Why two videos cannot be compared; None if they can."""
        real = reference.utterance
        if not self._ignore_rates and not math.isclose(generated_video.fps, real.fps, rel_tol=RATE_TOLERANCE):
            return f"the generated video has {_rate(generated_video.fps)}, the reference {_rate(real.fps)}"
        if not self._resize and generated_video.frames.shape[1:3] != real.frames.shape[1:3]:
            return f"the generated video has {_size(generated_video.frames)} pixels, the reference {_size(real.frames)}"
        return None


def _read(path: Path) -> Video:
    return read_video(path, max_frames=MAX_FRAMES)


def _resize(frames: NDArray[np.uint8], size: tuple[int, ...]) -> NDArray[np.uint8]:
    """Frames (T, H, W, 3) at another (H, W): averaged over areas where they shrink both ways, cubic where they grow."""
    height, width = size
    if frames.shape[1:3] == (height, width):
        return frames
    shrinks = frames.shape[1] >= height and frames.shape[2] >= width
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.stack([cv2.resize(frame, (width, height), interpolation=interpolation) for frame in frames]).astype(
        np.uint8
    )


def _rate(fps: float) -> str:
    return "no frame rate" if math.isnan(fps) else f"{fps:.5g} frames per second"


def _size(frames: NDArray[np.uint8]) -> str:
    return f"{frames.shape[2]} x {frames.shape[1]}"


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror or error}", remedy="Check the file's rights"
        ) from error
