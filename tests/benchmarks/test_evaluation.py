from __future__ import annotations

import dataclasses

import pytest
import torch
from safetensors.numpy import load_file

from benchmarks import evaluation, systems
from benchmarks.record import System
from benchmarks.systems import Subject
from corpora.synthetic.corpus import SyntheticCorpus
from models.contract import LipClip
from models.errors import UserError
from models.text import Vocabulary

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def corpus():
    return SyntheticCorpus(train=1, test=5, speakers=2, seconds=(0.6, 1.0))


@pytest.fixture(scope="module")
def scoring(corpus):
    return evaluation.Scoring(
        corpus=corpus,
        corpus_options={"seed": 0},
        ids=corpus.ids("test"),
        split="test",
        protocol="paper",
        metrics=["psnr", "ssim"],
        durations="true",
        frame_size=(40, 80),
    )


class Parrot:
    """Repeats the identity for a number of frames that it chooses; remembers what it was asked."""

    def __init__(self, extra=0):
        self.extra = extra
        self.requests = []

    def generate(self, request):
        self.requests.append(request)
        wanted = (
            request.durations.sum(dim=1) if request.durations is not None else torch.full((len(request.tokens),), 9)
        )
        lengths = wanted + self.extra
        longest = int(lengths.max())
        # padding that would ruin the score if it were scored
        frames = request.identity[:, None].repeat(1, longest + 3, 1, 1, 1)
        frames[torch.arange(longest + 3) >= lengths[:, None]] = 0
        return LipClip(frames, lengths)


def subject(model, corpus):
    return Subject(model, System(name="parrot", title="Parrot", kind="model"), Vocabulary(corpus.symbols), (40, 80))


def test_a_model_that_repeats_the_identity_scores_as_the_control_that_does(corpus, scoring):
    ours = evaluation.score("parrot", subject(Parrot(), corpus), scoring, batch=2, device=CPU)
    control = evaluation.score("first_frame", None, scoring, batch=2, device=CPU)
    assert [clip.utterance for clip in ours.clips] == corpus.ids("test")
    for a, b in zip(ours.clips, control.clips, strict=True):
        assert a.values == pytest.approx(b.values)


def test_batching_changes_no_value(corpus, scoring):
    values = [
        [clip.values for clip in evaluation.score("p", subject(Parrot(), corpus), scoring, batch=b, device=CPU).clips]
        for b in (1, 3, 5)
    ]
    assert values[0] == values[1] == values[2]


def test_durations_are_given_only_if_they_are_to_be_true(corpus, scoring):
    told, left = Parrot(), Parrot()
    evaluation.score("p", subject(told, corpus), scoring, batch=5, device=CPU)
    evaluation.score("p", subject(left, corpus), scoring._replace(durations="predicted"), batch=5, device=CPU)
    assert torch.equal(
        told.requests[0].durations.sum(dim=1), torch.tensor([len(corpus.load(i).frames) for i in corpus.ids("test")])
    )
    assert left.requests[0].durations is None
    assert left.requests[0].n_frames is None


def test_a_clip_of_another_length_is_truncated_and_its_length_kept(corpus, scoring):
    longer = evaluation.score("p", subject(Parrot(extra=4), corpus), scoring, batch=2, device=CPU)
    exact = evaluation.score("p", subject(Parrot(), corpus), scoring, batch=2, device=CPU)
    for a, b in zip(longer.clips, exact.clips, strict=True):
        assert a.generated_frames == a.frames + 4
        assert a.values == b.values


def test_the_truth_is_perfect_and_a_still_mouth_is_not(scoring):
    truth = evaluation.score("ground_truth", None, scoring, batch=1, device=CPU)
    still = evaluation.score("first_frame", None, scoring, batch=1, device=CPU)
    assert all(clip.values == {"psnr": 100.0, "ssim": pytest.approx(1.0)} for clip in truth.clips)
    assert all(clip.values["ssim"] < 0.99 for clip in still.clips)


def test_a_metric_without_a_value_is_left_out_and_not_a_number(corpus, scoring):
    class Still:
        """The same clips, but nothing in them moves: the motion ratio has nothing to divide by."""

        name, fingerprint, symbols = corpus.name, "still", corpus.symbols

        def load(self, utterance_id):
            utterance = corpus.load(utterance_id)
            return dataclasses.replace(utterance, frames=utterance.frames[:1].repeat(len(utterance.frames), axis=0))

    still = scoring._replace(corpus=Still(), metrics=["motion_energy_ratio", "psnr"])
    quality = evaluation.score("first_frame", None, still, batch=1, device=CPU)
    assert quality.values("motion_energy_ratio") == []
    assert quality.values("psnr") == [100.0] * 5
    moving = scoring._replace(metrics=["motion_energy_ratio"])
    assert evaluation.score("first_frame", None, moving, batch=1, device=CPU).values("motion_energy_ratio") == [0.0] * 5


def test_sample_frames_are_kept_side_by_side(corpus, scoring, tmp_path):
    strip = tmp_path / "strips" / "parrot.safetensors"
    quality = evaluation.score("p", subject(Parrot(extra=2), corpus), scoring, batch=2, device=CPU, strip=strip)
    assert quality.strip == "strips/parrot.safetensors"
    kept = load_file(strip)
    assert set(kept) == {"0/truth", "0/generated", "1/truth", "1/generated"}
    assert all(frames.shape == kept["0/truth"].shape and frames.dtype == "uint8" for frames in kept.values())
    assert (kept["0/truth"][0] == kept["0/generated"][0]).all(), "the first frame is the identity"


@pytest.mark.parametrize(("limit", "expected"), [(None, 5), (2, 2), (99, 5), (1, 1)])
def test_a_limit_spreads_over_the_split(corpus, limit, expected):
    ids = evaluation.choose(corpus, "test", limit)
    assert len(set(ids)) == expected
    if limit == 2:
        assert ids == [corpus.ids("test")[0], corpus.ids("test")[-1]]


def test_an_untrained_model_is_not_scored(scoring):
    untrained = systems.untrained("hh_t2l", "tiny", options={}, device=CPU)
    with pytest.raises(UserError, match="not trained"):
        evaluation.score("hh_t2l", untrained, scoring, batch=1, device=CPU)
