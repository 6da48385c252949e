"""Whether the generated face is the same person's, over a corpus."""

from __future__ import annotations

from torch import Tensor

from lipbench.metrics.clip_metric import ClipMetric, Score, check_lengths, mean_frame_score
from lipbench.metrics.functional.identity_similarity import identity_similarity
from lipbench.metrics.landmark_metric import check_rows

FACE_FEATURES = 128


class IdentitySimilarity(ClipMetric):
    """Cosine between the face descriptors of generated and real frames: 1 for the same face.

    The descriptor is that of dlib's face-recognition network, of the mouth pasted into a face. Most of that face is the
    same on both sides, so values lie near 1 and only their differences speak.
    """

    title = "Identity similarity"
    unit = ""
    higher_is_better = True
    bounds = (-1.0, 1.0)
    takes = "face"
    aligned = True

    def _checked(self, preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        for side, rows in (("preds", preds), ("target", target)):
            if rows.ndim != 2 or rows.shape[1] != FACE_FEATURES or len(rows) == 0:
                raise ValueError(f"{side} must be descriptors (T, {FACE_FEATURES}), not {tuple(rows.shape)}")
            check_rows(side, rows)
        check_lengths(preds, target, "frames")
        return preds.double(), target.double()

    def _score(self, preds: Tensor, target: Tensor) -> Score:
        frames = identity_similarity(preds, target)
        return mean_frame_score(frames, "clips", "no frame has a face on both sides")
