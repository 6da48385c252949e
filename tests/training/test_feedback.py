from __future__ import annotations

import pytest
import torch

from lipbench import models
from lipbench.training import feedback
from lipbench.training.config import TrainingConfig

CONFIG = TrainingConfig(steps=11, clips=3, frames_per_clip=2)


@pytest.fixture
def lesson(corpus):
    from lipbench.models.text import Vocabulary
    from lipbench.training.data import ClipReader, TrainingDataset

    reader = ClipReader(corpus, Vocabulary(corpus.symbols), frame_size=(20, 40), cache_bytes=1 << 28)
    return TrainingDataset(reader, corpus.ids("train"), CONFIG)[0]


def model(name, corpus):
    return models.create(name, "tiny", vocabulary_size=len(corpus.symbols) + 1)


def changed(lesson, frames):
    return (frames != lesson.frames).flatten(2).any(dim=2)


@pytest.mark.parametrize("name", ["dual_lip", "transformer_t2l"])
def test_scheduled_sampling_replaces_the_share_asked_for_by_the_models_own(name, corpus, lesson):
    frames = feedback.scheduled_sampling(model(name, corpus), lesson, 0.5)
    where = changed(lesson, frames)
    wanted = round(0.5 * int(lesson.frame_lengths.min()))
    assert where.sum(dim=1).tolist() == [wanted] * 3
    for row, length in enumerate(lesson.frame_lengths.tolist()):
        assert not where[row, length:].any(), "padding is no past"
    assert not frames.requires_grad
    assert 0 <= frames.min() <= frames.max() <= 1


def test_scheduled_sampling_rises_from_none_to_the_share(corpus, lesson):
    config = TrainingConfig(steps=11, scheduled_sampling=0.4)
    teacher = model("transformer_t2l", corpus)
    counts = [
        int(changed(lesson, feedback.perturb(teacher, lesson, config, step).frames)[0].sum()) for step in (0, 5, 10)
    ]
    shortest = int(lesson.frame_lengths.min())
    assert counts == [0, round(0.2 * shortest), round(0.4 * shortest)]


def test_noise_on_the_past_is_as_strong_as_asked_and_stays_in_range(corpus, lesson):
    config = TrainingConfig(feedback_noise=0.1)
    seen = feedback.perturb(model("dual_lip", corpus), lesson, config, 0)
    inside = (lesson.frames > 0.4) & (lesson.frames < 0.6)
    difference = (seen.frames - lesson.frames)[inside]
    assert difference.std().item() == pytest.approx(0.1, rel=0.1)
    assert 0 <= seen.frames.min() <= seen.frames.max() <= 1
    assert torch.equal(seen.identity, lesson.identity)
    assert torch.equal(seen.picked, lesson.picked)


def test_a_model_without_feedback_sees_the_lesson_as_it_is(corpus, lesson):
    config = TrainingConfig(feedback_noise=0.1, scheduled_sampling=1.0)
    assert feedback.perturb(model("hh_t2l", corpus), lesson, config, 1999) is lesson
