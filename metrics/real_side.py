"""The real side of a distance between corpora: kept on disk, and held against itself."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from lipbench.files import write_atomic
from lipbench.metrics.corpus_metric import CorpusMetric


def load_or_make_real_side(
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
    filled_metric = type(metric)(protocol=metric.protocol)
    for features in clips():
        filled_metric.update(None, features)
    if filled_metric.clips()[1] == 0:
        raise ValueError(f"{metric.title} was given no real clip")
    state = {name: tensor.cpu().contiguous() for name, tensor in filled_metric.real_state().items()}
    write_atomic(path, lambda temporary: save_file(state, temporary), durable=False)
    metric.load_real(filled_metric.real_state())
    return False


def real_side_floor(
    make: Callable[[], CorpusMetric], ids: Sequence[str], clips: Iterable[Tensor], *, seed: int = 0
) -> float:
    """Distance between two random halves of the real clips: what no model can be expected to beat.

    Which clip is in which half depends on the ids and the seed, and not on the order of the clips. Halves hold half as
    many frames, so for Fréchet distances, which few frames bias upwards, the floor lies above that of the whole corpus.

    Args:
        make: makes an empty metric.
        ids: names of the real clips, no two alike; a clip goes to one half as a whole.
        clips: features of each, in the order of the ids, as `update` takes them.
        seed: decides which clips are in which half.

    Raises:
        NotMeasuredError: a half is smaller than the distance needs.
        ValueError: there are not as many clips as ids, or two ids are alike.
    """
    shuffled = sorted(set(ids), key=lambda utterance_id: hashlib.sha256(f"{seed}/{utterance_id}".encode()).digest())
    if len(shuffled) != len(ids):
        raise ValueError("two real clips have one id")
    first_half = set(shuffled[: len(ids) // 2])
    metric = make()
    for utterance_id, features in zip(ids, clips, strict=True):
        first = utterance_id in first_half
        metric.update(features if first else None, None if first else features)
    return metric.compute().item()


def _name(metric: CorpusMetric, key: Mapping[str, str]) -> str:
    kind = type(metric)
    facts = [kind.__module__, kind.__qualname__, kind.dimension, metric.protocol.fingerprint, dict(key)]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
