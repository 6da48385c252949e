"""`Utterance`, one sentence of one speaker, and the `Corpus` protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

FRAME_HEIGHT = 80
FRAME_WIDTH = 160
MOUTH_POINTS = 20
"""Points 48 to 67 of dlib's 68: twelve around the outer lip edge, eight around the inner one."""

Split = Literal["train", "test"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Utterance:
    """One sentence of one speaker.

    Raises:
        ValueError: the parts do not fit one another.
    """

    id: str
    """Unique within its corpus, such as "s1/bbaf2n"."""
    speaker: str
    text: str
    tokens: tuple[str, ...]
    """Symbols of the text front end, silences included."""
    durations: NDArray[np.int64]
    """(m,) frames per token, at least 0, summing to the number of frames."""
    duration_source: str
    """Where the durations come from, such as "grid align, characters by even split"."""
    fps: float
    frames: NDArray[np.uint8]
    """(T, 80, 160, 3) RGB."""
    landmarks: NDArray[np.float32]
    """(T, 20, 2) mouth points as (x, y) in pixels of the frame, pixel centres at integers."""
    split: Split
    seen: bool | None = None
    """Whether the same sentence is also said in the training split, by anyone; None if it is not known."""

    def __post_init__(self) -> None:
        n_frames = len(self.frames)
        if self.frames.shape != (n_frames, FRAME_HEIGHT, FRAME_WIDTH, 3) or self.frames.dtype != np.uint8:
            raise ValueError(
                f"{self.id}: frames are {self.frames.dtype} {self.frames.shape}, not uint8 (T, 80, 160, 3)"
            )
        if n_frames == 0:
            raise ValueError(f"{self.id}: there is no frame")
        if self.landmarks.shape != (n_frames, MOUTH_POINTS, 2):
            raise ValueError(f"{self.id}: landmarks are {self.landmarks.shape}, not ({n_frames}, 20, 2)")
        if self.durations.shape != (len(self.tokens),) or (self.durations < 0).any():
            raise ValueError(f"{self.id}: durations do not fit {len(self.tokens)} tokens")
        if int(self.durations.sum()) != n_frames:
            raise ValueError(f"{self.id}: durations sum to {int(self.durations.sum())}, there are {n_frames} frames")


class Corpus(Protocol):
    """Many utterances, found by id. Loading is random access and safe from several workers at once."""

    @property
    def name(self) -> str:
        """Registry name."""
        ...

    @property
    def fps(self) -> float:
        """Frames per second of every utterance."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex digest that changes whenever an option or the content changes."""
        ...

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every token symbol that an utterance may hold, in a stable order."""
        ...

    def ids(self, split: Split) -> list[str]:
        """Ids of a split, sorted."""
        ...

    def load(self, utterance_id: str) -> Utterance:
        """Read one utterance.

        Raises:
            UserError: there is none of this id, or it cannot be read.
        """
        ...
