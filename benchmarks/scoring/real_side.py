"""The real side of FID and KID: the same for every system, so it is computed once and kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from torch import Tensor

from lipbench.benchmarks.scoring.clips import ReferenceSet, load_reference
from lipbench.errors import UserError
from lipbench.metrics.alignment import evenly_spaced
from lipbench.metrics.corpus_metric import CorpusMetric, NotMeasuredError
from lipbench.metrics.inception import InceptionFeatures
from lipbench.metrics.real_side import load_or_make_real_side, real_side_floor


def reference_features(
    corpus: ReferenceSet,
    clips: Iterable[tuple[str, tuple[int, int]]],
    network: InceptionFeatures,
    count: int | None,
) -> Iterator[Tensor]:
    """Features of every real clip, given by its id and the size at which it is scored, float (T, 2048) each."""
    for utterance_id, frame_size in clips:
        levels = load_reference(corpus, utterance_id, frame_size).levels
        yield network(levels[evenly_spaced(len(levels), count)])


def fill_reference_features(
    metric: CorpusMetric,
    folder: Path,
    *,
    corpus: ReferenceSet,
    ids: Sequence[str],
    frame_size: tuple[int, int],
    network: InceptionFeatures,
) -> None:
    """Give a metric its real side, from the folder or by making it.

    Raises:
        UserError: the folder cannot be written.
    """
    key = {
        "corpus": corpus.fingerprint,
        "clips": json.dumps(list(ids)),
        "frame_size": json.dumps(frame_size),
        "weights": network.digest,
    }
    clips = [(utterance_id, frame_size) for utterance_id in ids]
    count = metric.protocol.inception_frames
    try:
        load_or_make_real_side(metric, folder, key, lambda: reference_features(corpus, clips, network, count))
    except OSError as error:
        raise UserError(
            f"features cannot be kept in {folder}: {error.strerror or error}", remedy="Give another features=FOLDER"
        ) from error


def reference_floor(metric: CorpusMetric, ids: Sequence[str], clips: Iterable[Tensor]) -> float | None:
    """Distance between two halves of the real clips; None if a half is smaller than the distance needs.

    Args:
        metric: of the kind and the protocol of the distance.
        ids: of the clips.
        clips: features of each.
    """
    kind = type(metric)
    try:
        return real_side_floor(lambda: kind(protocol=metric.protocol), ids, clips)
    except NotMeasuredError:
        return None
