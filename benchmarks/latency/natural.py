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
from lipbench.benchmarks.cells.loading import LoadedModel
from lipbench.benchmarks.latency.outputs import OutputMismatchError
from lipbench.benchmarks.scoring.clips import load_reference, make_request, to_pictures
from lipbench.benchmarks.scoring.files import read_index
from lipbench.corpora.utterance import Corpus
from lipbench.corpora.video import read_video
from lipbench.models.contract import LipClip
from lipbench.records.latency import ClipTime, Timer, UtteranceLatency

MAX_LEVEL_DIFFERENCE = 1
"""How far a pixel of a timed clip may be from the scored one, of 255 levels: clips are timed alone and scored in
batches, which libraries add up in another order."""


def time_utterances(
    loaded_model: LoadedModel,
    corpus: Corpus,
    ids: Sequence[str],
    *,
    timer: Timer,
    device: torch.device,
    budget: timing.Budget,
    clip_folder: Path | None = None,
    scored_as: str | None = None,
) -> UtteranceLatency:
    """Time every utterance once, each after one untimed call of its own.

    Args:
        loaded_model: the model, with a vocabulary.
        corpus: where the utterances are from.
        ids: which.
        timer: whose rule.
        device: where the model is.
        budget: its warm-up limit.
        clip_folder: folder of the clips that were scored; None: there are none.
        scored_as: their cell.

    Raises:
        VoidError: a timed clip is not the scored one.
        UserError: the scored clips cannot be read.
    """
    assert loaded_model.vocabulary is not None
    watch = timing.Stopwatch(device, synchronised=timer == "synchronised")
    scored_index: Mapping[str, dict[str, str]] = {} if clip_folder is None else read_index(clip_folder)
    times: list[ClipTime] = []
    dtype = torch.float32
    for number, utterance_id in enumerate(ids):
        reference = load_reference(corpus, utterance_id, loaded_model.frame_size)
        request = make_request([reference], loaded_model.vocabulary, durations="predicted", device=device)
        dtype = request.identity.dtype
        clips: list[LipClip] = []
        if number == 0:
            timing.warm_up(lambda r=request: loaded_model.model.generate(r), watch, budget)
        loaded_model.model.generate(request)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        sample = watch.time(lambda r=request, m=clips: m.append(loaded_model.model.generate(r)))
        length = int(clips[0].lengths[0])
        pictures = to_pictures(clips[0].frames[0, :length])
        if clip_folder is not None and utterance_id in scored_index:
            check_against_scored(
                utterance_id, pictures, read_video(clip_folder / scored_index[utterance_id]["file"]).frames
            )
        times.append(
            ClipTime(
                utterance=utterance_id,
                frames=length,
                true_frames=len(reference.frames),
                wall_s=sample.wall_s,
                device_s=sample.device_s,
                digest=hashlib.sha256(pictures.tobytes()).hexdigest(),
            )
        )
    any_compared = any(time.utterance in scored_index for time in times)
    return UtteranceLatency(
        system=loaded_model.system,
        device=device.type,
        dtype=str(dtype).removeprefix("torch."),
        fps=corpus.fps,
        timer=timer,
        corpus_fingerprint=corpus.fingerprint,
        clips=times,
        scored=scored_as if any_compared else None,
    )


def check_against_scored(utterance: str, timed_frames: NDArray[np.uint8], scored_frames: NDArray[np.uint8]) -> None:
    """Compare a timed clip, uint8 (T, H, W, 3), with the one that was scored.

    Raises:
        VoidError: they have different lengths, or a pixel is more than `MAX_LEVEL_DIFFERENCE` apart.
    """
    if timed_frames.shape != scored_frames.shape:
        raise OutputMismatchError(
            f"{utterance}: timed frames are {timed_frames.shape}, scored ones {scored_frames.shape}: timed is not "
            "scored"
        )
    level_difference = int(np.abs(timed_frames.astype(np.int16) - scored_frames.astype(np.int16)).max())
    if level_difference > MAX_LEVEL_DIFFERENCE:
        raise OutputMismatchError(
            f"{utterance}: a pixel is {level_difference} of 255 levels from the scored clip: timed is not scored"
        )
