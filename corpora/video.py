"""Video files to RGB arrays and back, and the one affine resampling of a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeAlias, cast

import av.container
import av.error
import cv2
import numpy as np
from numpy.typing import NDArray

from lipbench.errors import UserError
from lipbench.files import write_atomic

FRAME_CACHE_BYTES = 256 * 2**20
"""Frames of so many bytes are held in memory: 800 of GRID's, 43 of full HD."""


class VideoError(UserError):
    """A video file that cannot be read or written."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Video:
    """A decoded video."""

    frames: NDArray[np.uint8]
    """(T, H, W, 3) RGB, T at least 1."""
    fps: float
    """Average frames per second, as the file says."""


class VideoReader:
    """The frames of a file's first video stream, to be gone through as often as needed.

    They are held in memory while they are few, and decoded anew each time otherwise: a clip of full-HD frames would
    fill a gigabyte. Decoding uses one thread, so that many files can be read by as many processes. Colours are
    converted by FFmpeg from the stream's own colour space; rotation and pixel aspect are not applied.

    Args:
        path: any file that FFmpeg reads.
        max_frames: refuse a longer video, so that a wrong file cannot fill the memory; None for no limit.
        hold_bytes: hold as many bytes of frames.

    Raises:
        VideoError: the file is missing, empty, truncated, holds no picture, is longer than `max_frames`, or changes its
            size on the way.
    """

    def __init__(self, path: Path, *, max_frames: int | None = None, hold_bytes: float = FRAME_CACHE_BYTES) -> None:
        self.path = path
        frame_buffer: list[NDArray[np.uint8]] = []
        sizes: set[tuple[int, int]] = set()
        self._length, room = 0, hold_bytes
        with _opened(path) as container:
            rate = container.streams.video[0].average_rate
            for frame in container.decode(video=0):
                self._length += 1
                sizes.add((frame.width, frame.height))
                if max_frames is not None and self._length > max_frames:
                    raise VideoError(
                        f"the video {path.name} is longer than {max_frames} frames", remedy="Cut it into sentences"
                    )
                room -= 3 * frame.width * frame.height
                if room >= 0:
                    frame_buffer.append(_picture(frame))
        if self._length == 0:
            raise VideoError(f"the video {path.name} holds no frame", remedy="Fetch it again")
        if len(sizes) > 1:
            raise VideoError(f"the video {path.name} changes its size on the way", remedy="Encode it anew at one size")
        self.fps = float(rate) if rate else math.nan
        """Average frames per second, as the file says; nan if it does not."""
        self._held = frame_buffer if room >= 0 else None

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return self.every(1)

    def every(self, stride: int) -> Iterator[NDArray[np.uint8]]:
        """Go through frames 0, `stride`, 2 `stride` and so on: (H, W, 3) RGB uint8.

        Raises:
            VideoError: the file cannot be decoded any more.
        """
        if self._held is not None:
            yield from self._held[::stride]
            return
        with _opened(self.path) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number % stride == 0:
                    yield _picture(frame)


Frames: TypeAlias = "NDArray[np.uint8] | VideoReader"
"""(T, H, W, 3) RGB uint8, in memory or not."""
Interpolation = Literal["linear", "cubic"]
"""Where a picture grows: ``linear`` is OpenCV's default, ``cubic`` keeps more detail, and noise."""


def frames_at_stride(frames: Frames, stride: int) -> Iterable[NDArray[np.uint8]]:
    """Frames 0, `stride`, 2 `stride` and so on."""
    return frames.every(stride) if isinstance(frames, VideoReader) else frames[::stride]


def read_video(path: Path, *, max_frames: int | None = None) -> Video:
    """Decode all frames of a file into memory, as `VideoReader` does.

    Args:
        path: any file that FFmpeg reads.
        max_frames: refuse a longer video; None for no limit.

    Raises:
        VideoError: as `VideoReader`.
    """
    video = VideoReader(path, max_frames=max_frames, hold_bytes=math.inf)
    return Video(frames=np.stack(list(video)), fps=video.fps)


@contextmanager
def _opened(path: Path) -> Iterator[av.container.InputContainer]:
    if not path.is_file():
        raise VideoError(f"there is no video {path}", remedy="Check the path")
    if path.stat().st_size == 0:
        raise VideoError(f"the video {path.name} is an empty file", remedy="Fetch it again")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise VideoError(f"{path.name} holds no video stream", remedy="Give a file with pictures in it")
            container.streams.video[0].codec_context.thread_count = 1
            yield container
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"the video {path.name} cannot be decoded: {_reason(error)}", remedy="Fetch it again"
        ) from error


def _picture(frame: av.VideoFrame) -> NDArray[np.uint8]:
    # a copy: PyAV gives a view with gaps between the rows, which dlib does not read as it should.
    # Its annotation allows every number type
    return np.ascontiguousarray(cast("NDArray[np.uint8]", frame.to_ndarray(format="rgb24")))


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def write_video(frames: NDArray[np.uint8], path: Path, fps: float, *, lossless: bool = False) -> None:
    """Write frames as a video file; a reader never sees half of it.

    H.264 in MP4, nearly lossless (CRF 12, 4:2:0), which every player shows; or FFV1 in Matroska, of which `read_video`
    gives back every value.

    Args:
        frames: (T, H, W, 3) RGB uint8. In MP4 a picture with an odd side gets its last row or column twice, as 4:2:0
            needs.
        path: file to write or replace; its folder is made.
        fps: frames per second, above 0.
        lossless: FFV1, for a path that ends in ``.mkv``.

    Raises:
        VideoError: there is nothing to write, or the file cannot be written.
        ValueError: `frames` is no uint8 (T, H, W, 3) array.
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or 0 in frames.shape[1:] or frames.dtype != np.uint8:
        raise ValueError(f"frames are {frames.dtype} {frames.shape}, not uint8 (T, H, W, 3)")
    if len(frames) == 0:
        raise VideoError(f"there is no frame to write to {path}", remedy="Generate at least one frame")
    if not (math.isfinite(fps) and fps > 0):
        raise VideoError(f"{fps} is no frame rate", remedy="Give frames per second above 0, such as fps=25")
    try:
        encode = _encode_lossless if lossless else _encode
        write_atomic(path, lambda temporary: encode(frames, temporary, fps), durable=False)
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(f"{path} cannot be written: {_reason(error)}", remedy="Check path and free space") from error


def _encode(frames: NDArray[np.uint8], path: Path, fps: float) -> None:
    height, width = frames.shape[1:3]
    even = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.height, stream.width = even.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "12", "preset": "medium"}
        for picture in even:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _encode_lossless(frames: NDArray[np.uint8], path: Path, fps: float) -> None:
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=Fraction(fps).limit_denominator(1001))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "bgr0"  # FFV1's name for 8-bit RGB: no colour conversion takes place
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def warp(
    image: NDArray[np.uint8],
    affine: NDArray[np.float64],
    *,
    size: tuple[int, int],
    enlarge: Interpolation = "cubic",
) -> NDArray[np.uint8]:
    """Resample a picture once along an affine map, averaging over area where it shrinks.

    Args:
        image: (H, W) or (H, W, 3) uint8.
        affine: (2, 3) map from (x, y) of `image` to (x, y) of the result, pixel centres at integers.
        size: (height, width) of the result.
        enlarge: interpolation where the picture grows.

    Returns:
        uint8 of the given size. Beyond the edge of `image` its nearest pixel is repeated.
    """
    height, width = size
    scale = math.sqrt(abs(float(np.linalg.det(affine[:, :2]))))
    if scale >= 1.0:
        return _warp(image, affine, size, cv2.INTER_CUBIC if enlarge == "cubic" else cv2.INTER_LINEAR)
    # warpAffine cannot average: sample k times as densely, then let resize average k x k cells
    k = math.ceil(1.0 / max(scale, 1e-3))
    finer = affine * k
    finer[:, 2] += (k - 1) / 2
    dense = _warp(image, finer, (height * k, width * k), cv2.INTER_LINEAR)
    return cv2.resize(dense, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _warp(
    image: NDArray[np.uint8], affine: NDArray[np.float64], size: tuple[int, int], interpolation: int
) -> NDArray[np.uint8]:
    picture = cv2.warpAffine(image, affine, (size[1], size[0]), flags=interpolation, borderMode=cv2.BORDER_REPLICATE)
    return picture.astype(np.uint8, copy=False)
