from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from lipbench.errors import UserError
from lipbench.models.text import Vocabulary
from lipbench.training.config import TrainingConfig
from lipbench.training.data import (
    MIN_CROP_FRAMES,
    Augmentation,
    Clip,
    ClipReader,
    ResumeSampler,
    TrainingDataset,
    crop_in_time,
    shard_batch,
)
from lipbench.training.frames import to_model_size, to_unit

CONFIG = TrainingConfig(clips=3, frames_per_clip=2, checkpoint_steps=4, steps=8)


def batches(corpus, config=CONFIG, cache_bytes=1 << 30):
    reader = ClipReader(corpus, Vocabulary(corpus.symbols), frame_size=(20, 40), cache_bytes=cache_bytes)
    return TrainingDataset(reader, corpus.ids("train"), config)


def test_a_batch_fits_together(corpus):
    batch = batches(corpus)[0]
    assert batch.frames.shape[2:] == (3, 20, 40)
    assert 0 <= batch.frames.min() < batch.frames.max() <= 1
    assert torch.equal(batch.durations.sum(dim=1), batch.frame_lengths)
    assert (batch.frame_indices < batch.frame_lengths[:, None]).all()
    assert all(len(set(row.tolist())) == 2 for row in batch.frame_indices)
    for row in range(3):
        clip = batch.frames[row, : int(batch.frame_lengths[row])]
        assert (clip == batch.identity[row]).flatten(1).all(dim=1).any(), "the identity is a frame of its clip"


def test_a_batch_follows_from_seed_and_step_alone(corpus):
    first, again = batches(corpus), batches(corpus, cache_bytes=0)
    first[0]  # what was read before does not matter
    for a, b in zip(first[6], again[6], strict=True):
        assert torch.equal(a, b)
    other = batches(corpus, TrainingConfig(clips=3, frames_per_clip=2, checkpoint_steps=4, steps=8, seed=5))
    assert not torch.equal(first[6].frame_indices, other[6].frame_indices)
    assert not torch.equal(first[6].frame_indices, first[5].frame_indices)


def test_the_identity_can_be_the_first_frame_as_when_a_clip_is_made(corpus):
    source = batches(corpus, replace(CONFIG, identity="first", excerpts=1.0))
    for step in range(3):
        batch, clips = source[step], [corpus.load(corpus.ids("train")[i]) for i in source.clip_numbers(step)]
        for row, clip in enumerate(clips):
            assert torch.equal(batch.identity[row], to_unit(to_model_size(clip.frames[:1], (20, 40)))[0])


def test_excerpts_are_successive_tokens_with_the_frames_that_go_with_them(corpus):
    reader = ClipReader(corpus, Vocabulary(corpus.symbols), frame_size=(20, 40), cache_bytes=1 << 30)
    clip, rng = reader.read(corpus.ids("train")[0]), np.random.default_rng(0)
    cuts = [0, *clip.durations.cumsum(0).tolist()]
    met = set()
    for _ in range(60):
        cut = crop_in_time(clip, rng)
        assert int(cut.durations.sum()) == len(cut.frames) >= min(MIN_CROP_FRAMES, len(clip.frames))
        places = [
            start for start in range(len(clip.tokens) - len(cut.tokens) + 1)
            if torch.equal(clip.frames[cuts[start] : cuts[start + len(cut.tokens)]], cut.frames)
            and torch.equal(clip.tokens[start : start + len(cut.tokens)], cut.tokens)
        ]  # fmt: skip
        assert places
        met.add((places[0], len(cut.tokens)))
    assert len(met) > 10


def test_a_short_clip_and_one_without_durations_stay_whole(corpus):
    reader = ClipReader(corpus, Vocabulary(corpus.symbols), frame_size=(20, 40), cache_bytes=1 << 30)
    clip = reader.read(corpus.ids("train")[0])
    short = Clip(torch.tensor([1, 2]), torch.tensor([1, 2]), clip.frames[:3])
    for whole in (short, clip._replace(durations=torch.zeros_like(clip.durations))):
        for one, other in zip(crop_in_time(whole, np.random.default_rng(0)), whole, strict=True):
            assert torch.equal(one, other)


def test_excerpts_are_of_the_share_asked_for(corpus):
    whole = [len(corpus.load(i).frames) for i in corpus.ids("train")]
    cut = met = 0
    source = batches(corpus, replace(CONFIG, steps=100, excerpts=0.3))
    for step in range(100):
        lengths = source[step].frame_lengths.tolist()
        cut += sum(length < whole[i] for length, i in zip(lengths, source.clip_numbers(step), strict=True))
        met += len(lengths)
    assert 0.2 < cut / met < 0.4


def test_a_view_moves_and_mirrors_a_picture_and_repeats_its_edge():
    picture = torch.arange(12.0).reshape(1, 3, 4)
    assert torch.equal(Augmentation(mirrored=False, down=0, right=0).of(picture), picture)
    assert torch.equal(Augmentation(mirrored=True, down=0, right=0).of(picture), picture.flip(-1))
    moved = Augmentation(mirrored=False, down=1, right=-1).of(picture)[0]
    assert moved.tolist() == [[1, 2, 3, 3], [1, 2, 3, 3], [5, 6, 7, 7]]
    assert torch.equal(Augmentation(mirrored=True, down=1, right=-1).of(picture)[0], moved.flip(-1))


def test_a_clip_and_its_identity_are_seen_alike_and_all_else_is_as_without(corpus):
    plain = batches(corpus, replace(CONFIG, identity="first"))
    source = batches(corpus, replace(CONFIG, identity="first", mirrored=0.5, shift=1))
    views = [Augmentation(m, d, r) for m in (False, True) for d in (-1, 0, 1) for r in (-1, 0, 1)]
    met = set()
    for step in range(CONFIG.steps):
        one, other = plain[step], source[step]
        assert torch.equal(one.tokens, other.tokens)
        assert torch.equal(one.durations, other.durations)
        for row, length in enumerate(one.frame_lengths.tolist()):
            seen = [v for v in views if torch.equal(v.of(one.identity[row]), other.identity[row])]
            assert len(seen) == 1
            assert torch.equal(seen[0].of(one.frames[row, :length]), other.frames[row, :length])
            met.add(seen[0])
    assert {view.mirrored for view in met} == {False, True}
    assert len(met) > 8


def test_every_clip_is_met_equally_often(corpus):
    source = batches(corpus)
    met: Counter[int] = Counter()
    for step in range(4):
        met.update(source.clip_numbers(step))
    assert sorted(met.values()) == [3, 3, 3, 3]  # 4 steps of 3 clips over 4 clips


def test_a_resumed_run_is_as_long_as_the_whole_and_begins_where_it_stopped():
    sampler = ResumeSampler(5, steps_done=2)
    assert list(sampler) == [2, 3, 4]
    assert len(sampler) == 5


def test_the_parts_of_a_batch_are_the_whole_batch(corpus):
    batch = batches(corpus, TrainingConfig(clips=4, frames_per_clip=2))[0]
    parts = [shard_batch(batch, rank, 2) for rank in range(2)]
    for whole, first, second in zip(batch, *parts, strict=True):
        assert len(first) == len(second) == 2
        assert torch.equal(torch.cat([first, second]), whole)


def test_an_empty_split_is_refused(corpus):
    reader = ClipReader(corpus, Vocabulary(corpus.symbols), frame_size=(20, 40), cache_bytes=0)
    with pytest.raises(UserError, match="empty"):
        TrainingDataset(reader, [], CONFIG)


def test_resizing_averages_areas():
    frames = np.random.default_rng(0).integers(0, 256, (2, 80, 160, 3), dtype=np.uint8)
    small = to_model_size(frames, (40, 80))
    expected = frames.reshape(2, 40, 2, 80, 2, 3).mean(axis=(2, 4)).transpose(0, 3, 1, 2)
    assert small.dtype == torch.uint8
    assert np.abs(small.numpy() - expected).max() <= 0.5
    assert torch.equal(to_model_size(frames, (80, 160)), torch.from_numpy(frames).permute(0, 3, 1, 2))
    assert to_unit(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [0, 1]
