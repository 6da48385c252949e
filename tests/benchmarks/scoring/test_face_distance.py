"""The distance of faces over a corpus: which frames are in it, which were left out, and what it is read against.

What would be found in a face is made up from the picture, so that nothing has to be looked for.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from lipbench.benchmarks.scoring.scorer import Scorer
from lipbench.corpora import faces
from lipbench.metrics.alignment import evenly_spaced
from lipbench.metrics.frechet_face_distance import FrechetFaceDistance

SIZE = (40, 80)
FRAMES = 5


def described(pictures):
    """A descriptor for each picture, equal for equal pictures: float32 (k, 128)."""
    seeds = [int.from_bytes(hashlib.sha256(picture.tobytes()).digest()[:8], "little") for picture in pictures]
    return np.stack([np.random.default_rng(seed).normal(size=128) for seed in seeds]).astype(np.float32)


def is_faceless(picture):
    """So is one picture in three."""
    return hashlib.sha256(picture.tobytes()).digest()[0] % 3 == 0


@pytest.fixture(autouse=True)
def found(monkeypatch):
    def find(job):
        crops = job.crops[list(job.described)]
        descriptors = described(crops) if len(crops) else np.empty((0, 128), np.float32)
        descriptors[[is_faceless(crop) for crop in crops]] = np.nan
        mouths = np.zeros((len(job.crops), 20, 2), np.float32)
        return faces.FaceResult(mouths=mouths, descriptors=descriptors)

    monkeypatch.setattr(faces, "find_faces", find)
    # a handful of clips is enough to see which frames are in it
    monkeypatch.setattr(FrechetFaceDistance, "_min_frames", lambda _: 2)


@pytest.fixture
def taken(monkeypatch):
    """What the distance was given of both sides, clip by clip; the floor's metric is given one side at a time."""
    calls = []
    update = FrechetFaceDistance.update

    def noted(self, preds, target):
        if preds is not None and target is not None:
            calls.append((preds, target))
        update(self, preds, target)

    monkeypatch.setattr(FrechetFaceDistance, "update", noted)
    return calls


def scorer(drawn, **changes):
    metrics = ["frechet_face_distance", "identity_similarity"]
    return Scorer(drawn.scoring(corpus=drawn.with_faces, **({"metrics": metrics} | changes)))


def distance(quality):
    (score,) = quality.corpus_scores
    return score


@pytest.mark.parametrize("extra", [4, -6])
def test_each_side_is_of_its_own_whole_clips_whatever_the_length_of_the_other(drawn, taken, extra):
    with scorer(drawn) as made:
        longer = distance(made.model(drawn.subject(drawn.Parrot(extra=extra)), durations="true", batch=5))
        given = list(taken)
        taken.clear()
        equal = distance(made.model(drawn.subject(drawn.Parrot()), durations="true", batch=5))
    assert all(len(preds) == len(target) == FRAMES for preds, target in given)
    assert [torch.equal(a[1].nan_to_num(), b[1].nan_to_num()) for a, b in zip(given, taken, strict=True)] == [True] * 5
    assert longer.floor == equal.floor
    assert longer.real_failed_frames == equal.real_failed_frames


def test_frames_without_a_face_are_counted_on_each_side_beside_the_value(drawn, taken):
    with scorer(drawn) as made:
        score = distance(made.control("blur", frame_size=SIZE, durations="true"))
    counts = [sum(int(side.isnan().any(dim=1).sum()) for side in sides) for sides in zip(*taken, strict=True)]
    assert 0 < counts[1] < 5 * FRAMES, "some of the pictures have a face"
    assert [score.failed_frames, score.real_failed_frames] == counts
    assert counts[0] != counts[1]


def test_the_floor_is_of_the_clips_as_they_were_scored_and_not_of_other_sizes(drawn):
    with scorer(drawn) as fresh:
        alone = distance(fresh.control("blur", frame_size=SIZE, durations="true")).floor
    with scorer(drawn) as used:
        other = distance(used.control("blur", frame_size=(80, 160), durations="true")).floor
        after = distance(used.control("blur", frame_size=SIZE, durations="true")).floor
    assert after == alone
    assert other != alone


def test_the_order_of_the_clips_does_not_change_the_floor(drawn):
    floors = []
    for ids in (drawn.corpus.ids("test"), drawn.corpus.ids("test")[::-1]):
        with scorer(drawn, ids=ids) as made:
            floors.append(distance(made.control("blur", frame_size=SIZE, durations="true")).floor)
    assert floors[0] == pytest.approx(floors[1], rel=1e-9)


def test_a_pair_that_is_compared_and_a_clip_alone_are_looked_at_once_where_they_are_the_same(drawn, monkeypatch):
    jobs = []
    find = faces.find_faces
    monkeypatch.setattr(faces, "find_faces", lambda job: jobs.append(job) or find(job))
    with scorer(drawn) as made:
        made.control("blur", frame_size=SIZE, durations="true")
    assert [len(job.described) for job in jobs] == [FRAMES] * 10
    lengths = {len(drawn.corpus.load(name).frames) for name in drawn.corpus.ids("test")}
    assert {tuple(evenly_spaced(length, FRAMES).tolist()) for length in lengths} == {job.described for job in jobs}
