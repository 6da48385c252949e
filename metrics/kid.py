"""Kernel distance of Inception features over a corpus."""

from __future__ import annotations

import hashlib
from math import inf
from typing import ClassVar

import torch
from torch import Tensor

from lipbench.metrics.corpus_metric import SIDES, CorpusMetric
from lipbench.metrics.functional.kernel_distance import kernel_distance
from lipbench.metrics.inception import FEATURES
from lipbench.metrics.protocols import PAPER, Protocol


class KID(CorpusMetric):
    """Kernel Inception distance: like FID, but unbiased by the number of frames; 0 for equal distributions.

    All pairs of at most `sample` frames of each side count. Where there are more, the sample is the same whatever the
    order of clips: the frames whose features have the smallest hash. So memory does not grow with the corpus.

    Source: Bińkowski et al., "Demystifying MMD GANs", ICLR 2018; features of torch-fidelity's Inception.
    """

    title = "KID"
    unit = ""
    higher_is_better = False
    bounds = (-inf, inf)
    takes = "inception"
    dimension = FEATURES
    sample: ClassVar[int] = 2000
    """Frames of each side that are kept."""

    def __init__(self, *, protocol: Protocol = PAPER) -> None:
        super().__init__(protocol=protocol)
        for side in SIDES:
            # first column the hash, the rest the features; infinite hashes mark rows that hold none yet
            empty = torch.zeros(self.sample, 1 + self.dimension, dtype=torch.float64)
            empty[:, 0] = inf
            self.add_state(f"{side}_sample", default=empty, dist_reduce_fx=smallest_hash_rows)

    def _min_frames(self) -> int:
        return 2

    def _add(self, side: str, features: Tensor) -> None:
        hashes = torch.tensor([_hash(row, i) for i, row in enumerate(features)], dtype=torch.float64)
        rows = torch.cat([hashes[:, None].to(features.device), features.double()], dim=1)
        sample = torch.cat([getattr(self, f"{side}_sample"), rows])
        setattr(self, f"{side}_sample", sample[sample[:, 0].argsort(stable=True)[: self.sample]])

    def _distance(self) -> Tensor:
        sides = [getattr(self, f"{side}_sample") for side in SIDES]
        return kernel_distance(*(rows[torch.isfinite(rows[:, 0]), 1:] for rows in sides))


def smallest_hash_rows(samples_PKD: Tensor) -> Tensor:
    """The rows of smallest hash of several processes' samples, (P, K, 1 + D) to (K, 1 + D)."""
    rows = samples_PKD.flatten(0, 1)
    return rows[rows[:, 0].argsort(stable=True)[: samples_PKD.shape[1]]]


def _hash(row: Tensor, number: int) -> float:
    # the frame's number too: a mouth that stands still would be in the sample with all its frames or with none
    content = row.float().cpu().numpy().tobytes() + number.to_bytes(8, "little")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little") / 2.0**64
