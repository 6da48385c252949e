"""Fréchet distance of face descriptors over a corpus."""

from __future__ import annotations

from lipbench.metrics.corpus_metric import FrechetMetric
from lipbench.metrics.identity_similarity import FACE_FEATURES


class FrechetFaceDistance(FrechetMetric):
    """Fréchet distance of face descriptors: like FID, in the feature space of dlib's face-recognition network.

    Each side is a set of its own, as with FID: the protocol's number of evenly spaced frames of each whole clip,
    whatever the length of the clip on the other side. So the real set is the same for every system. Not FID and not
    comparable to it; it needs no download. The mouth is pasted into a face, most of which is the same on both sides.
    """

    title = "Fréchet face distance"
    takes = "face"
    dimension = FACE_FEATURES
