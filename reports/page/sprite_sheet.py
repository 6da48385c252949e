"""Clips as sheets: all frames of a clip side by side in one picture, small enough to lie in a page."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av.error
import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_FRAMES = 300
"""Frames of one clip that a page shows: twelve seconds at 25 frames per second."""
MAX_WIDTH = 320
"""Wider frames are shown smaller."""
_BLOCK = 16
"""WebP codes colours in blocks of so many pixels: frames begin at multiples, so that none runs into its neighbour."""
_QUALITY = 82


class NoClipError(Exception):
    """A clip that cannot be shown; its text says why."""


@dataclass(frozen=True, kw_only=True)
class SpriteSheet:
    """A clip's frames, row by row in one WebP picture."""

    picture: bytes
    frames: int
    """Frames in it: the clip's first `MAX_FRAMES` at most."""
    length: int
    """Frames of the clip."""
    columns: int
    size: tuple[int, int]
    """(height, width) of a frame in pixels."""
    stride: tuple[int, int]
    """(down, across) from one frame's corner to the next one's, in pixels."""
    fps: float

    def for_page(self) -> dict[str, object]:
        """As the page's script takes it: a data URI and where the frames lie."""
        return {
            "src": "data:image/webp;base64," + base64.b64encode(self.picture).decode("ascii"),
            "frames": self.frames,
            "columns": self.columns,
            "size": self.size,
            "stride": self.stride,
        }


def read_sheet(path: Path) -> SpriteSheet:
    """Read a video file as a sheet.

    Args:
        path: as a run keeps clips.

    Raises:
        NoClipError: it is missing, or no video.
    """
    if not path.is_file():
        raise NoClipError("the file is not there")
    frames: list[NDArray[np.uint8]] = []
    length = 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise NoClipError("the file holds no video")
            stream = container.streams.video[0]
            fps = float(stream.average_rate or math.nan)
            for frame in container.decode(stream):
                length += 1
                if length <= MAX_FRAMES:
                    frames.append(_picture(frame))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise NoClipError(f"the file cannot be decoded: {error}") from error
    if not frames or not math.isfinite(fps) or fps <= 0:
        raise NoClipError("the file holds no frames" if not frames else "the file has no frame rate")
    return pack_sheet(frames, fps=fps, length=length)


def pack_sheet(frames: list[NDArray[np.uint8]], *, fps: float, length: int | None = None) -> SpriteSheet:
    """Lay frames out as a sheet, about as wide as high.

    Args:
        frames: (H, W, 3) RGB uint8 each, all of one size, at least one.
        fps: frames per second.
        length: of the clip, if these are only its beginning.
    """
    height, width = frames[0].shape[:2]
    down, across = (math.ceil(side / _BLOCK) * _BLOCK for side in (height, width))
    columns = min(len(frames), max(1, round(math.sqrt(len(frames) * down / across))))
    rows = math.ceil(len(frames) / columns)
    sheet = np.zeros((rows * down, columns * across, 3), dtype=np.uint8)
    for i, frame in enumerate(frames):
        top, left = i // columns * down, i % columns * across
        padded_frame = np.pad(frame, ((0, down - height), (0, across - width), (0, 0)), mode="edge")
        sheet[top : top + down, left : left + across] = padded_frame
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, format="WEBP", quality=_QUALITY, method=2)
    return SpriteSheet(
        picture=buffer.getvalue(),
        frames=len(frames),
        length=length or len(frames),
        columns=columns,
        size=(height, width),
        stride=(down, across),
        fps=fps,
    )


def _picture(frame: av.VideoFrame) -> NDArray[np.uint8]:
    picture = frame.to_image()
    if picture.width > MAX_WIDTH:
        height = max(1, round(picture.height * MAX_WIDTH / picture.width))
        picture = picture.resize((MAX_WIDTH, height), Image.Resampling.BOX)
    return cast("NDArray[np.uint8]", np.asarray(picture.convert("RGB")))
