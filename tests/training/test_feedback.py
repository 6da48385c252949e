from __future__ import annotations

import pytest
import torch

from lipbench import models
from lipbench.training import feedback
from lipbench.training.config import TrainingConfig

CONFIG = TrainingConfig(steps=11, clips=3, frames_per_clip=2)


@pytest.fixture
def batch(corpus):
    from lipbench.models.text import Vocabulary
    from lipbench.training.data import ClipReader, TrainingDataset

    reader = ClipReader(corpus, Vocabulary(corpus.symbols), frame_size=(20, 40), cache_bytes=1 << 28)
    return TrainingDataset(reader, corpus.ids("train"), CONFIG)[0]


def model(name, corpus):
    return models.create(name, "tiny", vocabulary_size=len(corpus.symbols) + 1)


def changed(batch, frames):
    return (frames != batch.frames).flatten(2).any(dim=2)


@pytest.mark.parametrize("name", ["dual_lip", "transformer_t2l"])
def test_scheduled_sampling_replaces_the_share_asked_for_by_the_models_own(name, corpus, batch):
    frames = feedback.scheduled_sampling(model(name, corpus), batch, 0.5)
    where = changed(batch, frames)
    wanted = round(0.5 * int(batch.frame_lengths.min()))
    assert where.sum(dim=1).tolist() == [wanted] * 3
    for row, length in enumerate(batch.frame_lengths.tolist()):
        assert not where[row, length:].any(), "padding is no past"
    assert not frames.requires_grad
    assert 0 <= frames.min() <= frames.max() <= 1


def test_scheduled_sampling_rises_from_none_to_the_share(corpus, batch):
    config = TrainingConfig(steps=11, scheduled_sampling=0.4)
    teacher = model("transformer_t2l", corpus)
    counts = [
        int(changed(batch, feedback.perturb(teacher, batch, config, step).frames)[0].sum()) for step in (0, 5, 10)
    ]
    shortest = int(batch.frame_lengths.min())
    assert counts == [0, round(0.2 * shortest), round(0.4 * shortest)]


def test_noise_on_the_past_is_as_strong_as_asked_and_stays_in_range(corpus, batch):
    config = TrainingConfig(feedback_noise=0.1)
    seen = feedback.perturb(model("dual_lip", corpus), batch, config, 0)
    inside = (batch.frames > 0.4) & (batch.frames < 0.6)
    difference = (seen.frames - batch.frames)[inside]
    assert difference.std().item() == pytest.approx(0.1, rel=0.1)
    assert 0 <= seen.frames.min() <= seen.frames.max() <= 1
    assert torch.equal(seen.identity, batch.identity)
    assert torch.equal(seen.frame_indices, batch.frame_indices)


def test_a_model_without_feedback_sees_the_batch_as_it_is(corpus, batch):
    config = TrainingConfig(feedback_noise=0.1, scheduled_sampling=1.0)
    assert feedback.perturb(model("hh_t2l", corpus), batch, config, 1999) is batch
