"""Of a clip that was scored nothing stays but its values: pictures, features and tensors go."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import torch

from lipbench.benchmarks.scoring.scorer import Scorer
from lipbench.corpora import faces

EARLY, LATE = 6, 18


def find(job):
    return faces.FaceResult(
        mouths=np.random.default_rng(0).normal(40, 5, (len(job.crops), 20, 2)).astype(np.float32),
        descriptors=np.zeros((len(job.described), 128), np.float32),
    )


def test_what_is_kept_of_a_clip_is_small_beside_its_pictures(drawn, monkeypatch):
    monkeypatch.setattr(faces, "find_faces", find)
    corpus = type(drawn.with_faces)(train=1, test=LATE + 2, speakers=1, seconds=(0.6, 0.6))
    metrics = ["psnr", "ssim", "lmd", "identity_similarity", "frechet_face_distance"]
    scored, seen = 0, {}

    def on_progress(clips):
        nonlocal scored
        scored += clips
        if scored in (EARLY, LATE):
            gc.collect()
            tensors = sum(issubclass(type(found), torch.Tensor) for found in gc.get_objects())
            seen[scored] = tracemalloc.get_traced_memory()[0], tensors

    with Scorer(drawn.scoring(corpus=corpus, ids=corpus.ids("test"), metrics=metrics)) as scorer:
        tracemalloc.start()
        try:
            scorer.control("blur", frame_size=(80, 160), durations="true", on_progress=on_progress)
        finally:
            tracemalloc.stop()
    pictures = corpus.load(corpus.ids("test")[0]).frames.nbytes
    kept = (seen[LATE][0] - seen[EARLY][0]) / (LATE - EARLY)
    assert kept < pictures / 10
    assert seen[LATE][1] == seen[EARLY][1]
