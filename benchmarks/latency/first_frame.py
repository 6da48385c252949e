"""Time to first frame: the wait of a user who watches a clip while it is generated.

A model may be a `lipbench.models.contract.StreamingLipModel`: its ``stream(request)`` yields frames in chunks as they
are ready, and the first is waited for. A model without one that makes frame after frame is asked for one frame, as its
first step does not depend on how many follow; that is checked. Any other model gives its first frame with its last.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from lipbench.benchmarks import timing
from lipbench.benchmarks.cells.loading import LoadedModel
from lipbench.benchmarks.latency.outputs import check_frames_equal
from lipbench.models.contract import LipRequest, StreamingLipModel
from lipbench.records.latency import FirstFrame

MIN_SAMPLES = 3
"""Samples to take however long they last."""
MAX_SAMPLES = 30


def time_first_frame(
    loaded_model: LoadedModel, request: LipRequest, whole_clip: Tensor, *, watch: timing.Stopwatch, seconds: float
) -> FirstFrame | None:
    """Time it.

    Args:
        loaded_model: the model.
        request: the whole clip's.
        whole_clip: float (B, T, 3, H, W), the frames that the request gives.
        watch: the clock.
        seconds: how long to measure; at least `MIN_SAMPLES` samples are taken.

    Returns:
        None where the first frame comes with the last, so that its time is the clip's.

    Raises:
        VoidError: these are not the whole clip's first frames.
    """
    if isinstance(loaded_model.model, StreamingLipModel):
        rule, start = "stream", _first_of(loaded_model.model, request)
    elif loaded_model.system.autoregressive and request.n_frames is not None:
        host = None if request.host is None else request.host._replace(frames=(1,) * len(request.identity))
        one_frame_request = request._replace(n_frames=torch.ones_like(request.n_frames), host=host)
        rule, start = "first step", lambda: loaded_model.model.generate(one_frame_request).frames
    else:
        return None
    first_frames = start()
    frames = first_frames.shape[1]
    check_frames_equal(first_frames, whole_clip[:, :frames], f"first frames of {loaded_model.system.name}")
    samples = [watch.time(start)]
    began = time.perf_counter()
    while len(samples) < MIN_SAMPLES or (time.perf_counter() - began < seconds and len(samples) < MAX_SAMPLES):
        samples.append(watch.time(start))
    return FirstFrame(rule=rule, frames=frames, samples=samples)


def _first_of(model: StreamingLipModel, request: LipRequest) -> Callable[[], Tensor]:
    def start() -> Tensor:
        chunks = model.stream(request)
        try:
            return next(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    return start
