from __future__ import annotations

import numpy as np
import pytest
import torch

from lipbench import metrics
from lipbench.metrics.functional import identity_similarity


def descriptors(seed: int, frames: int = 6) -> torch.Tensor:
    return torch.randn(frames, 128, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_it_is_the_cosine():
    a, b = descriptors(0), descriptors(1)
    norms = np.linalg.norm(a.numpy(), axis=1) * np.linalg.norm(b.numpy(), axis=1)
    np.testing.assert_allclose(identity_similarity(a, b), (a.numpy() * b.numpy()).sum(axis=1) / norms, rtol=1e-12)


def test_the_length_of_a_descriptor_says_nothing():
    a = descriptors(0)
    torch.testing.assert_close(identity_similarity(3 * a, a), torch.ones(6, dtype=torch.float64))
    torch.testing.assert_close(identity_similarity(-a, a), -torch.ones(6, dtype=torch.float64))


def test_frames_without_a_face_are_left_out_and_a_clip_of_them_has_no_value():
    preds, target = descriptors(0), descriptors(1)
    expected = identity_similarity(preds[1:], target[1:]).mean().item()
    preds[0] = float("nan")
    metric = metrics.create("identity_similarity")
    assert metric.per_clip(preds, target).item() == pytest.approx(expected)
    assert "no frame has a face" in (metric.score(preds * float("nan"), target).reason or "")


@pytest.mark.parametrize(
    ("preds", "named"),
    [(descriptors(0, 5), r"\(5, 128\)"), (descriptors(0)[0], r"\(128,\)"), (descriptors(0).long(), "int64")],
)
def test_misuse_is_named(preds, named):
    with pytest.raises(ValueError, match=named):
        identity_similarity(preds, descriptors(1))
