from __future__ import annotations

import dataclasses

import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file

from benchmarks.scoring.clips import generated
from benchmarks.scoring.files import Keeper, stored
from benchmarks.scoring.scorer import Keep, Scorer
from models.errors import UserError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pairs(drawn):
    ids = drawn.corpus.ids("test")
    model = drawn.Parrot(extra=2, durations=2)
    return list(generated(drawn.subject(model), drawn.corpus, ids, durations="predicted", batch=2, device=CPU))


@pytest.fixture
def kept(drawn, pairs, tmp_path):
    keeper = Keeper(tmp_path, "parrot", drawn.corpus.ids("test"), keep_clips=True)
    for pair in pairs:
        keeper.add(pair)
    return tmp_path, keeper.save_strip(), keeper.save_clips()


def test_sample_frames_are_kept_side_by_side(kept):
    run, strip, _ = kept
    found = load_file(run / strip)
    assert set(found) == {"0/truth", "0/generated", "1/truth", "1/generated"}
    assert all(frames.shape == found["0/truth"].shape and frames.dtype == "uint8" for frames in found.values())
    assert (found["0/truth"][0] == found["0/generated"][0]).all(), "the first frame is the identity"


@pytest.mark.parametrize("backwards", [False, True])
def test_the_shortest_and_the_longest_clip_are_shown_whatever_comes_first(drawn, pairs, tmp_path, backwards):
    lengths = {pair.truth.utterance.id: len(pair.truth.frames) for pair in pairs}
    assert len(set(lengths.values())) > 2, "otherwise this shows nothing"
    keeper = Keeper(tmp_path, "parrot", drawn.corpus.ids("test"), keep_clips=False)
    for pair in reversed(pairs) if backwards else pairs:
        keeper.add(pair)
    with safe_open(tmp_path / keeper.save_strip(), framework="numpy") as file:
        shown = [file.metadata()[f"{index}/id"] for index in (0, 1)]
    assert [lengths[i] for i in shown] == [min(lengths.values()), max(lengths.values())]


def test_of_equally_long_clips_the_first_and_the_last_are_shown(pairs, tmp_path):
    one = pairs[0].truth.utterance
    ids = ["b", "a", "c", "d"]
    keeper = Keeper(tmp_path, "parrot", ids, keep_clips=False)
    for name in ids:
        truth = pairs[0].truth._replace(utterance=dataclasses.replace(one, id=name))
        keeper.add(pairs[0]._replace(truth=truth))
    with safe_open(tmp_path / keeper.save_strip(), framework="numpy") as file:
        assert [file.metadata()[f"{index}/id"] for index in (0, 1)] == ["b", "d"]


def test_kept_clips_come_back_as_they_were(drawn, pairs, kept):
    run, _, folder = kept
    again = list(stored(run / folder, drawn.corpus, (40, 80)))
    assert len(again) == len(pairs)
    for before, after in zip(pairs, again, strict=True):
        assert torch.equal(before.made.frames, after.made.frames)
        assert torch.equal(before.made.durations, after.made.durations)
        assert before.truth.utterance.id == after.truth.utterance.id


def test_kept_clips_score_as_they_did(drawn, tmp_path):
    scoring = drawn.scoring(metrics=["psnr", "ssim", "token_duration_error"])
    subject = drawn.subject(drawn.Parrot(durations=2))
    with Scorer(scoring) as scorer:
        first = scorer.model(subject, durations="predicted", batch=2, keep=Keep(tmp_path, "p", clips=True))
        pairs = stored(tmp_path / first.generated, drawn.corpus, (40, 80))
        again = scorer.pairs(subject.system, pairs, durations="predicted")
    assert first.clips == again.clips


def test_a_set_without_its_index_is_not_complete(drawn, pairs, tmp_path):
    keeper = Keeper(tmp_path, "parrot", drawn.corpus.ids("test"), keep_clips=True)
    keeper.add(pairs[0])
    with pytest.raises(UserError, match="no complete set of generated clips"):
        next(stored(tmp_path / "generated" / "parrot", drawn.corpus, (40, 80)))
