"""Timing on real utterances, one by one, at the lengths that the model chooses; and whether it was what was scored.

Beside our own timer stands the paper's: a clock that does not wait for the device, averaged over the test set (§5.3;
the public ParaLip code's ``utils.Timer``). On a CPU both say the same, as there is nothing to wait for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lipbench.benchmarks import timing
from lipbench.benchmarks.cells.loading import Subject
from lipbench.benchmarks.latency.outputs import VoidError
from lipbench.benchmarks.scoring.clips import load_truth, request_of, to_pictures
from lipbench.benchmarks.scoring.files import index_of
from lipbench.corpora.utterance import Corpus
from lipbench.corpora.video import read_video
from lipbench.models.contract import LipClip
from lipbench.records.latency import ClipTime, Natural, Timer

LEVELS = 1
"""How far a pixel of a timed clip may be from the scored one, of 255 levels: clips are timed alone and scored in
batches, which libraries add up in another order."""


def time_natural(
    subject: Subject,
    corpus: Corpus,
    ids: Sequence[str],
    *,
    timer: Timer,
    device: torch.device,
    budget: timing.Budget,
    scored: Path | None = None,
    scored_as: str | None = None,
) -> Natural:
    """Time every utterance once, each after one untimed call of its own.

    Args:
        subject: the model, with a vocabulary.
        corpus: where the utterances are from.
        ids: which.
        timer: whose rule.
        device: where the model is.
        budget: its warm-up limit.
        scored: folder of the clips that were scored; None: there are none.
        scored_as: their cell.

    Raises:
        VoidError: a timed clip is not the scored one.
        UserError: the scored clips cannot be read.
    """
    assert subject.vocabulary is not None
    watch = timing.Stopwatch(device, synchronised=timer == "synchronised")
    kept: Mapping[str, dict[str, str]] = {} if scored is None else index_of(scored)
    times: list[ClipTime] = []
    dtype = torch.float32
    for number, utterance_id in enumerate(ids):
        truth = load_truth(corpus, utterance_id, subject.frame_size)
        request = request_of([truth], subject.vocabulary, durations="predicted", device=device)
        dtype = request.identity.dtype
        made: list[LipClip] = []
        if number == 0:
            timing.warm_up(lambda r=request: subject.model.generate(r), watch, budget)
        subject.model.generate(request)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        sample = watch.time(lambda r=request, m=made: m.append(subject.model.generate(r)))
        length = int(made[0].lengths[0])
        pictures = to_pictures(made[0].frames[0, :length])
        if scored is not None and utterance_id in kept:
            check_scored(utterance_id, pictures, read_video(scored / kept[utterance_id]["file"]).frames)
        times.append(
            ClipTime(
                utterance=utterance_id,
                frames=length,
                true_frames=len(truth.frames),
                wall_s=sample.wall_s,
                device_s=sample.device_s,
                digest=hashlib.sha256(pictures.tobytes()).hexdigest(),
            )
        )
    compared = any(time.utterance in kept for time in times)
    return Natural(
        system=subject.system,
        device=device.type,
        dtype=str(dtype).removeprefix("torch."),
        fps=corpus.fps,
        timer=timer,
        corpus_fingerprint=corpus.fingerprint,
        clips=times,
        scored=scored_as if compared else None,
    )


def check_scored(utterance: str, timed: NDArray[np.uint8], scored: NDArray[np.uint8]) -> None:
    """Compare a timed clip, uint8 (T, H, W, 3), with the one that was scored.

    Raises:
        VoidError: they have different lengths, or a pixel is more than `LEVELS` apart.
    """
    if timed.shape != scored.shape:
        raise VoidError(f"{utterance}: timed frames are {timed.shape}, scored ones {scored.shape}: timed is not scored")
    apart = int(np.abs(timed.astype(np.int16) - scored.astype(np.int16)).max())
    if apart > LEVELS:
        raise VoidError(f"{utterance}: a pixel is {apart} of 255 levels from the scored clip: timed is not scored")
