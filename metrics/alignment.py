"""The alignment of two clips of different lengths: a rule of the protocol, worked out once per clip.

truncate: by frame number; the longer clip loses its end.
resample: by relative time; of the longer clip of n frames, those numbered ``floor(k n / m)`` are kept, m being the
    length of the shorter one. As EAT's scripts do.
dtw: by content; dynamic time warping finds the order-preserving pairing of all frames of both sides that costs least,
    so a frame may be compared with several. It forgives wrong timing, so it shows appearance apart from timing.
hold: by frame number; the shorter clip holds its last frame until the longer ends, as a player does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lipbench.metrics.chunks import FRAMES_AT_ONCE
from lipbench.metrics.pictures import as_unit, grey
from lipbench.metrics.protocols import Length

DTW_SIZE = (10, 20)
"""Height and width of the grey pictures by which dynamic time warping compares frames."""


class AlignmentEffect(NamedTuple):
    """What an alignment did to the two sides, in frames."""

    preds_frames: int
    target_frames: int
    scored: int
    """Pairs that are compared."""
    preds_dropped: int
    target_dropped: int
    preds_repeated: int
    """Comparisons in which a generated frame takes part again."""
    target_repeated: int


@dataclass(frozen=True, eq=False)
class FrameAlignment:
    """Which frame of one side is compared with which of the other."""

    rule: Length
    preds: Tensor
    """int64 (L,) frame numbers of the generated side, never decreasing."""
    target: Tensor
    """int64 (L,) frame numbers of the real side."""
    preds_frames: int
    target_frames: int

    def apply(self, preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Bring two sides to equal length: frames, landmarks, or whatever else has a row per frame.

        Args:
            preds: (T, …), as many rows as the generated clip has frames.
            target: (T', …), as many as the real one has.

        Returns:
            (L, …) and (L, …).

        Raises:
            ValueError: a side has another number of rows.
        """
        if (len(preds), len(target)) != (self.preds_frames, self.target_frames):
            raise ValueError(
                f"the alignment is of {self.preds_frames} and {self.target_frames} frames, "
                f"not of {len(preds)} and {len(target)}"
            )
        return _select_rows(preds, self.preds), _select_rows(target, self.target)

    @property
    def effect(self) -> AlignmentEffect:
        """How many frames of each side are dropped and repeated."""
        n_scored = len(self.preds)
        used = [len(side.unique()) for side in (self.preds, self.target)]
        return AlignmentEffect(
            preds_frames=self.preds_frames,
            target_frames=self.target_frames,
            scored=n_scored,
            preds_dropped=self.preds_frames - used[0],
            target_dropped=self.target_frames - used[1],
            preds_repeated=n_scored - used[0],
            target_repeated=n_scored - used[1],
        )


def _select_rows(rows: Tensor, numbers: Tensor) -> Tensor:
    first = int(numbers[0])
    if torch.equal(numbers, torch.arange(first, first + len(numbers))):
        return rows[first : first + len(numbers)]  # a view: nothing is copied where nothing is left out or repeated
    return rows[numbers.to(rows.device)]


def align(preds: Tensor, target: Tensor, rule: Length) -> FrameAlignment:
    """Work out the alignment of two clips.

    Args:
        preds: float (T, 3, H, W) in [0, 1] or uint8 levels, generated frames; only "dtw" looks at more than their
            number.
        target: (T', 3, H, W), real frames.
        rule: the protocol's `length`.

    Raises:
        ValueError: a side has no frame, or there is no such rule.
    """
    n, m = len(preds), len(target)
    if n == 0 or m == 0:
        raise ValueError(f"a clip without frames cannot be aligned: preds have {n}, target {m}")
    if rule == "dtw":
        pairs = _dtw_indices(preds, target)
    elif rule == "truncate":
        pairs = (torch.arange(min(n, m)),) * 2
    elif rule == "hold":
        steps = torch.arange(max(n, m))
        pairs = (steps.clamp(max=n - 1), steps.clamp(max=m - 1))
    elif rule == "resample":
        steps = torch.arange(min(n, m))
        pairs = (steps * n // len(steps), steps * m // len(steps))
    else:
        raise ValueError(f"there is no length rule '{rule}'")
    return FrameAlignment(rule=rule, preds=pairs[0], target=pairs[1], preds_frames=n, target_frames=m)


def evenly_spaced(n_frames: int, count: int | None) -> Tensor:
    """Numbers of evenly spaced frames: the middles of `count` equal stretches of a clip.

    Args:
        n_frames: frames of the clip, at least 1.
        count: how many to take, a protocol's `inception_frames` or `face_frames`; None, or more than there are: all.

    Returns:
        int64 (min(count, n_frames),), ascending.
    """
    if count is None or count >= n_frames:
        return torch.arange(n_frames)
    return (2 * torch.arange(count) + 1) * n_frames // (2 * count)


def _dtw_indices(preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    # here, as scipy comes with it and the other rules need none of it
    from dtw import dtw

    # Sakoe and Chiba's symmetric pattern (1978) weighs a diagonal step twice, so that it is no cheaper than two others;
    # the package sets attributes that no type checker sees
    path: Any = dtw(_cost(preds, target), step_pattern="symmetric2")
    return torch.from_numpy(path.index1.astype(np.int64)), torch.from_numpy(path.index2.astype(np.int64))


def _cost(preds: Tensor, target: Tensor) -> NDArray[np.float64]:
    """Root mean squared difference of small grey pictures, (T, T')."""
    first, second = _thumbnails(preds), _thumbnails(target)
    distances = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")
    return (distances / first.shape[1] ** 0.5).numpy()


def _thumbnails(frames: Tensor) -> Tensor:
    # a few frames at a time: of whole videos each step in between would need hundreds of megabytes
    parts = (as_unit(part.detach().cpu()).double() for part in frames.split(FRAMES_AT_ONCE))
    return torch.cat([F.adaptive_avg_pool2d(grey(part), DTW_SIZE).flatten(1) for part in parts])
