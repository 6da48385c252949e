"""The real side of a distance between corpora: kept on disk, and held against itself."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from metrics.corpus_metric import CorpusMetric


def fill_real(
    metric: CorpusMetric, folder: Path, key: Mapping[str, str], clips: Callable[[], Iterable[Tensor]]
) -> bool:
    """Give a metric its real side, from the cache or by making it, which then is cached.

    Args:
        metric: to be filled; what it has of a real side is forgotten.
        folder: the cache; made if it is not there.
        key: all that decides the real features, such as the corpus' fingerprint, the split, the clips, the frame size
            and the digest of the network's weights. The metric's kind and its protocol are added.
        clips: called only if they are not cached; gives each clip's features, as `metric.update` takes them.

    Returns:
        Whether the cache had it.

    Raises:
        OSError: the folder cannot be written.
        ValueError: there is no clip, or its features are wrong.
    """
    path = folder / f"{_name(metric, key)}.safetensors"
    # a damaged file is as good as none
    with contextlib.suppress(OSError, SafetensorError, ValueError):
        metric.load_real(load_file(path))
        return True
    made = type(metric)(protocol=metric.protocol)
    for features in clips():
        made.update(None, features)
    if made.clips()[1] == 0:
        raise ValueError(f"{metric.title} was given no real clip")
    folder.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        save_file({name: tensor.cpu().contiguous() for name, tensor in made.real_state().items()}, temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    metric.load_real(made.real_state())
    return False


def floor(make: Callable[[], CorpusMetric], clips: Iterable[Tensor], *, n_clips: int, seed: int = 0) -> float:
    """Distance between two random halves of the real clips: what no model can be expected to beat.

    Halves hold half as many frames, so for Fréchet distances, which few frames bias upwards, the floor lies above that
    of the whole corpus.

    Args:
        make: makes an empty metric.
        clips: features of each real clip, as `update` takes them.
        n_clips: how many there are; a clip goes to one half as a whole.
        seed: decides which.

    Raises:
        NotMeasuredError: a half is smaller than the distance needs.
        ValueError: there are not `n_clips` clips.
    """
    order = torch.randperm(n_clips, generator=torch.Generator().manual_seed(seed)).tolist()
    first_half = set(order[: n_clips // 2])
    metric = make()
    seen = 0
    for seen, features in enumerate(clips, start=1):
        first = seen - 1 in first_half
        metric.update(features if first else None, None if first else features)
    if seen != n_clips:
        raise ValueError(f"there are {seen} clips, not {n_clips}")
    return metric.compute().item()


def _name(metric: CorpusMetric, key: Mapping[str, str]) -> str:
    kind = type(metric)
    facts = [kind.__module__, kind.__qualname__, kind.dimension, metric.protocol.fingerprint, dict(key)]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
