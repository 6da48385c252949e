"""Work on a clip a few frames at a time, one chunk per core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

_Piece = TypeVar("_Piece")
FRAMES_AT_ONCE = 4
"""So few frames of 80 x 160 stay in the cache of a core."""


def in_chunks(measure: Callable[[Tensor, Tensor], Tensor], preds: Tensor, target: Tensor) -> Tensor:
    """Apply a measure that has a value per frame, without gradients.

    Args:
        measure: two stacks (N, …) to values (N,).
        preds: (T, …).
        target: (T, …).

    Returns:
        (T,), in the order of the frames; the same values with any number of threads.
    """
    pairs = zip(preds.split(FRAMES_AT_ONCE), target.split(FRAMES_AT_ONCE), strict=True)
    return torch.cat(_over_threads(lambda pair: measure(*pair), list(pairs), preds.device))


def mean_over_time(measure: Callable[[Tensor], Tensor], frames: Tensor, *, reach: int) -> Tensor:
    """Mean over a clip of what changes from frame to frame, without gradients.

    Args:
        measure: a stack (N, …) to the mean over its N - `reach` steps, of any one shape.
        frames: (T, …), T above `reach`.
        reach: how many frames after its first a step looks at.

    Returns:
        But for rounding what the measure makes of the whole clip; the same with any number of threads.
    """
    steps = len(frames) - reach
    counts = [min(FRAMES_AT_ONCE, steps - start) for start in range(0, steps, FRAMES_AT_ONCE)]
    stretches = [frames[start : start + FRAMES_AT_ONCE + reach] for start in range(0, steps, FRAMES_AT_ONCE)]
    means = torch.stack(_over_threads(measure, stretches, frames.device))
    weights = means.new_tensor(counts).reshape(-1, *[1] * (means.ndim - 1))
    return (means * weights).sum(dim=0) / steps


def _over_threads(work: Callable[[_Piece], Tensor], pieces: Sequence[_Piece], device: torch.device) -> list[Tensor]:
    """Work on each piece by one thread, on as many at once as torch has threads.

    Torch itself would share each of many small operations out over its threads, which wait for one another every time;
    on a machine that does something else too that made scoring fifty times slower.
    """

    @torch.no_grad()
    def one(piece: _Piece) -> Tensor:
        return work(piece)

    if device.type != "cpu":
        return [one(piece) for piece in pieces]
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(one, pieces))
    finally:
        # what a thread sets for itself is also what threads to come start with
        torch.set_num_threads(threads)
