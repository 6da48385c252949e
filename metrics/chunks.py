"""Work on a clip a few frames at a time, one chunk per core."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

FRAMES_AT_ONCE = 4
"""So few frames of 80 x 160 stay in the cache of a core."""


def in_chunks(measure: Callable[[Tensor, Tensor], Tensor], preds: Tensor, target: Tensor) -> Tensor:
    """Apply a measure that has a value per frame, without gradients.

    On CPUs each chunk is worked on by one thread, as many chunks at once as torch has threads. Torch itself would share
    each of many small operations out over its threads, which wait for one another every time; on a machine that does
    something else too that made scoring fifty times slower.

    Args:
        measure: two stacks (N, …) to values (N,).
        preds: (T, …).
        target: (T, …).

    Returns:
        (T,), in the order of the frames; the same values with any number of threads.
    """
    pairs = list(zip(preds.split(FRAMES_AT_ONCE), target.split(FRAMES_AT_ONCE), strict=True))

    @torch.no_grad()
    def one(pair: tuple[Tensor, Tensor]) -> Tensor:
        return measure(*pair)

    if preds.device.type != "cpu":
        return torch.cat([one(pair) for pair in pairs])
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return torch.cat(list(pool.map(one, pairs)))
    finally:
        # what a thread sets for itself is also what threads to come start with
        torch.set_num_threads(threads)
