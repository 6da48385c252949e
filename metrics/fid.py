"""Fréchet distance of Inception features over a corpus."""

from __future__ import annotations

from lipbench.metrics.corpus_metric import FrechetMetric
from lipbench.metrics.inception import FEATURES


class FID(FrechetMetric):
    """Fréchet Inception distance: how far the pictures, taken together, are from the real ones; motion does not count.

    Read it beside the real-vs-real floor (`lipbench.metrics.real_side.real_side_floor`), as it is biased upwards by few
    frames.

    Source: Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", NeurIPS
    2017; features of torch-fidelity's Inception.
    """

    title = "FID"
    takes = "inception"
    dimension = FEATURES
