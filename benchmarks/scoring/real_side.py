"""The real side of FID and KID: the same for every system, so it is made once and kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from torch import Tensor

from benchmarks.scoring.clips import Reference, load_truth
from metrics.alignment import sampled
from metrics.corpus_metric import CorpusMetric, NotMeasuredError
from metrics.inception import InceptionFeatures
from metrics.real_side import fill_real, floor
from models.errors import UserError


def real_features(
    corpus: Reference,
    ids: Sequence[str],
    frame_size: tuple[int, int] | None,
    network: InceptionFeatures,
    count: int | None,
) -> Iterator[Tensor]:
    """Features of every real clip, float (T, 2048) each."""
    for utterance_id in ids:
        levels = load_truth(corpus, utterance_id, frame_size).levels
        yield network(levels[sampled(len(levels), count)])


def fill(
    metric: CorpusMetric,
    folder: Path,
    *,
    corpus: Reference,
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
    count = metric.protocol.inception_frames
    try:
        fill_real(metric, folder, key, lambda: real_features(corpus, ids, frame_size, network, count))
    except OSError as error:
        raise UserError(
            f"features cannot be kept in {folder}: {error.strerror or error}", remedy="Give another features=FOLDER"
        ) from error


def real_floor(metric: CorpusMetric, clips: Iterator[Tensor] | Sequence[Tensor], n_clips: int) -> float | None:
    """Distance between two halves of the real clips; None if a half is smaller than the distance needs."""
    kind = type(metric)
    try:
        return floor(lambda: kind(protocol=metric.protocol), clips, n_clips=n_clips)
    except NotMeasuredError:
        return None
