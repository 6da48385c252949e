from __future__ import annotations

import dataclasses

import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file

from lipbench.benchmarks.cli.console import exceptions_lines
from lipbench.benchmarks.scoring.clips import generate_clips, to_pictures
from lipbench.benchmarks.scoring.files import SampleWriter, read_index, read_saved_pairs
from lipbench.benchmarks.scoring.scorer import SampleOptions, Scorer
from lipbench.corpora.video import read_video
from lipbench.errors import UserError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pairs(drawn):
    ids = drawn.corpus.ids("test")
    model = drawn.Parrot(extra=2, durations=2)
    return list(generate_clips(drawn.subject(model), drawn.corpus, ids, durations="predicted", batch=2, device=CPU))


@pytest.fixture
def kept(drawn, pairs, tmp_path):
    keeper = SampleWriter(tmp_path, "parrot", drawn.corpus.ids("test"), keep_clips=True, fingerprint="f" * 64)
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
    keeper = SampleWriter(tmp_path, "parrot", drawn.corpus.ids("test"), keep_clips=False, fingerprint="f" * 64)
    for pair in reversed(pairs) if backwards else pairs:
        keeper.add(pair)
    with safe_open(tmp_path / keeper.save_strip(), framework="numpy") as file:
        shown = [file.metadata()[f"{index}/id"] for index in (0, 1)]
    assert [lengths[i] for i in shown] == [min(lengths.values()), max(lengths.values())]


def test_of_equally_long_clips_the_first_and_the_last_are_shown(pairs, tmp_path):
    one = pairs[0].truth.utterance
    ids = ["b", "a", "c", "d"]
    keeper = SampleWriter(tmp_path, "parrot", ids, keep_clips=False, fingerprint="f" * 64)
    for name in ids:
        truth = pairs[0].truth._replace(utterance=dataclasses.replace(one, id=name))
        keeper.add(pairs[0]._replace(truth=truth))
    with safe_open(tmp_path / keeper.save_strip(), framework="numpy") as file:
        assert [file.metadata()[f"{index}/id"] for index in (0, 1)] == ["b", "d"]


def test_kept_clips_come_back_as_they_were(drawn, pairs, kept):
    run, _, folder = kept
    again = list(read_saved_pairs(run / folder, drawn.corpus, (40, 80)))
    assert len(again) == len(pairs)
    for before, after in zip(pairs, again, strict=True):
        assert torch.equal(before.made.frames, after.made.frames)
        assert torch.equal(before.made.durations, after.made.durations)
        assert before.truth.utterance.id == after.truth.utterance.id


def test_the_real_clips_are_kept_beside_them_and_once_for_all_cells(drawn, pairs, kept):
    run, _, folder = kept
    index = read_index(run / folder)
    for pair in pairs:
        real = read_video(run / index[pair.truth.utterance.id]["real"])
        assert (real.frames == to_pictures(pair.truth.frames)).all()
        assert real.fps == pair.truth.utterance.fps
    files = {path: path.stat().st_ino for path in (run / "real").rglob("*.mkv")}
    again = SampleWriter(run, "another", drawn.corpus.ids("test"), keep_clips=True, fingerprint="f" * 64)
    other_corpus = SampleWriter(run, "other", drawn.corpus.ids("test"), keep_clips=True, fingerprint="e" * 64)
    again.add(pairs[0])
    assert {path: path.stat().st_ino for path in (run / "real").rglob("*.mkv")} == files, "nothing was written again"
    other_corpus.add(pairs[0])
    assert len(list((run / "real").rglob("*.mkv"))) == len(files) + 1


def test_kept_clips_score_as_they_did(drawn, tmp_path):
    scoring = drawn.scoring(metrics=["psnr", "ssim", "token_duration_error"])
    subject = drawn.subject(drawn.Parrot(durations=2))
    with Scorer(scoring) as scorer:
        first = scorer.model(subject, durations="predicted", batch=2, keep=SampleOptions(tmp_path, "p", clips=True))
        pairs = read_saved_pairs(tmp_path / first.generated, drawn.corpus, (40, 80))
        again = scorer.pairs(subject.system, pairs, durations="predicted")
    assert first.clips == again.clips


def test_that_a_clip_was_cut_off_is_kept_recorded_and_said(drawn, pairs, tmp_path):
    marked = [pairs[0]._replace(made=pairs[0].made._replace(cut_off=True)), *pairs[1:]]
    keeper = SampleWriter(tmp_path, "parrot", drawn.corpus.ids("test"), keep_clips=True, fingerprint="f" * 64)
    for pair in marked:
        keeper.add(pair)
    kept = list(read_saved_pairs(tmp_path / keeper.save_clips(), drawn.corpus, (40, 80)))
    with Scorer(drawn.scoring()) as scorer:
        quality = scorer.pairs(drawn.subject(drawn.Parrot()).system, kept, durations="predicted")
    first = pairs[0].truth.utterance.id
    assert [clip.utterance for clip in quality.clips if clip.cut_off] == [first]
    assert f"  cut off at the model's longest length, without a stop token: 1: {first}" in exceptions_lines(quality)


def test_a_set_without_its_index_is_not_complete(drawn, pairs, tmp_path):
    keeper = SampleWriter(tmp_path, "parrot", drawn.corpus.ids("test"), keep_clips=True, fingerprint="f" * 64)
    keeper.add(pairs[0])
    with pytest.raises(UserError, match="no complete set of generated clips"):
        next(read_saved_pairs(tmp_path / "generated" / "parrot", drawn.corpus, (40, 80)))
