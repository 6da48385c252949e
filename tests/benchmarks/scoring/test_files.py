from __future__ import annotations

import pytest
import torch
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
