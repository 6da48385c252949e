from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch

from lipbench.benchmarks.cells import loading
from lipbench.benchmarks.scoring.scorer import SampleOptions, Scorer
from lipbench.errors import UserError

SIZE = (40, 80)
RATES = ["landmark_failure_preds", "landmark_failure_target"]
FACES = ["lmd", "lmd_centred", "aperture_correlation", "landmark_velocity_error", *RATES]


def score(drawn, model, *, batch=2, durations="true", keep=None, **changes):
    with Scorer(drawn.scoring(**changes)) as scorer:
        return scorer.model(drawn.subject(model), durations=durations, batch=batch, keep=keep)


def control(drawn, name, *, durations="true", size=SIZE, **changes):
    with Scorer(drawn.scoring(**changes)) as scorer:
        return scorer.control(name, frame_size=size, durations=durations)


def test_a_model_that_repeats_the_identity_scores_as_the_control_that_does(drawn):
    ours, still = score(drawn, drawn.Parrot()), control(drawn, "first_frame")
    assert [clip.utterance for clip in ours.clips] == drawn.corpus.ids("test")
    for a, b in zip(ours.clips, still.clips, strict=True):
        assert a.values == pytest.approx(b.values)


def test_batching_changes_no_value(drawn):
    values = [[clip.values for clip in score(drawn, drawn.Parrot(), batch=b).clips] for b in (1, 3, 5)]
    assert values[0] == values[1] == values[2]


def test_durations_are_given_only_if_they_are_to_be_true(drawn):
    told, left = drawn.Parrot(), drawn.Parrot()
    score(drawn, told, batch=5)
    score(drawn, left, batch=5, durations="predicted")
    lengths = torch.tensor([len(drawn.corpus.load(i).frames) for i in drawn.corpus.ids("test")])
    assert torch.equal(told.requests[0].durations.sum(dim=1), lengths)
    assert left.requests[0].durations is None
    assert left.requests[0].n_frames is None


def test_a_clip_of_another_length_is_truncated_and_that_is_said(drawn):
    longer, exact = score(drawn, drawn.Parrot(extra=4)), score(drawn, drawn.Parrot())
    for a, b in zip(longer.clips, exact.clips, strict=True):
        assert a.generated_frames == a.frames + 4
        assert a.values == b.values
        assert (a.length.scored, a.length.preds_dropped, a.length.target_dropped) == (a.frames, 4, 0)
        assert b.length is None


def test_the_length_rule_is_the_protocols(drawn):
    held = score(drawn, drawn.Parrot(extra=4), protocol="strict", metrics=["psnr"])
    assert held.protocol.length == "hold"
    assert all(clip.length.scored == clip.frames + 4 for clip in held.clips)
    assert all(len(clip.curves["psnr"]) == clip.frames + 4 for clip in held.clips)


def test_the_truth_is_perfect_and_a_still_mouth_is_not(drawn):
    truth, still = control(drawn, "ground_truth"), control(drawn, "first_frame")
    assert all(clip.values == {"psnr": 100.0, "ssim": pytest.approx(1.0)} for clip in truth.clips)
    assert all(clip.values["ssim"] < 0.99 for clip in still.clips)


def test_a_curve_has_a_value_per_frame_whose_mean_is_the_clips(drawn):
    for clip in control(drawn, "mean_frame").clips:
        assert len(clip.curves["psnr"]) == clip.frames
        assert sum(clip.curves["psnr"]) / clip.frames == pytest.approx(clip.values["psnr"], rel=1e-5)


def test_a_metric_without_a_value_says_why_and_is_no_number(drawn):
    corpus = drawn.corpus

    class Still:
        """The same clips, but nothing in them moves: the motion ratio has nothing to divide by."""

        name, fingerprint, symbols, ids = corpus.name, "still", corpus.symbols, staticmethod(corpus.ids)

        def load(self, utterance_id):
            utterance = corpus.load(utterance_id)
            return dataclasses.replace(utterance, frames=utterance.frames[:1].repeat(len(utterance.frames), axis=0))

    measured = ["motion_energy_ratio", "psnr"]
    quality = control(drawn, "first_frame", corpus=Still(), metrics=measured)
    assert quality.values("motion_energy_ratio") == []
    assert quality.mean("motion_energy_ratio") is None
    assert all(clip.missing["motion_energy_ratio"] for clip in quality.clips)
    assert quality.values("psnr") == [100.0] * 5
    assert control(drawn, "first_frame", metrics=measured).values("motion_energy_ratio") == [0.0] * 5


def test_durations_are_scored_where_the_model_chose_them(drawn):
    timing = ["token_duration_error", "length_error"]
    chosen = score(drawn, drawn.Parrot(durations=2), durations="predicted", metrics=timing)
    for clip in chosen.clips:
        truth = drawn.corpus.load(clip.utterance)
        assert clip.values["length_error"] == abs(9 - len(truth.frames))
        assert clip.values["token_duration_error"] == pytest.approx(abs(truth.durations - 2).mean())
    silent = score(drawn, drawn.Parrot(), durations="predicted", metrics=timing)
    assert all(clip.missing == {"token_duration_error": "the system gives no durations"} for clip in silent.clips)
    given = score(drawn, drawn.Parrot(durations=2), metrics=timing)
    assert given.not_measured == dict.fromkeys(timing, "the true durations were given")
    assert all(clip.values == {} for clip in given.clips)


def test_without_faces_what_needs_them_is_not_measured_and_the_rest_is(drawn):
    quality = control(drawn, "first_frame", metrics=[*FACES, "frechet_face_distance", "psnr"])
    assert set(quality.not_measured) == {*FACES, "frechet_face_distance"}
    assert all("no faces" in reason for reason in quality.not_measured.values())
    assert len(quality.values("psnr")) == 5
    assert {facts.name for facts in quality.metrics} == {*FACES, "frechet_face_distance", "psnr"}


@pytest.mark.parametrize("metric", ["lmd", "aperture_range_ratio", "landmark_failure_preds", "identity_similarity"])
def test_the_failure_rates_of_both_sides_come_with_every_metric_of_landmarks_or_faces(drawn, metric):
    quality = control(drawn, "blur", corpus=drawn.with_faces, metrics=[metric])
    assert {facts.name for facts in quality.metrics} == {metric, *RATES}
    assert all(len(quality.values(rate)) == 5 for rate in RATES)
    without = control(drawn, "blur", metrics=[metric])
    assert set(without.not_measured) == {metric, *RATES}
    assert {facts.name for facts in control(drawn, "blur", metrics=["psnr"]).metrics} == {"psnr"}


def test_equal_crops_have_equal_landmarks_whatever_the_predictor_says(drawn):
    truth = control(drawn, "ground_truth", corpus=drawn.with_faces, metrics=FACES)
    assert all(clip.values["lmd"] == 0 for clip in truth.clips)
    late = control(drawn, "shift_+2", corpus=drawn.with_faces, metrics=FACES)
    assert late.mean("lmd") > 0


def test_the_opening_of_the_lips_is_kept_for_each_frame_of_either_side(drawn):
    with Scorer(drawn.scoring(corpus=drawn.with_faces, metrics=["lmd"])) as scorer:
        longer = drawn.subject(drawn.Parrot(extra=2))
        clips = scorer.model(longer, durations="true", batch=2).clips
        still = scorer.control("first_frame", frame_size=(40, 80), durations="true").clips
    for clip in clips:
        assert (len(clip.aperture), len(clip.aperture_truth)) == (clip.generated_frames, clip.frames)
    for clip in still:
        assert len(set(clip.aperture)) == 1, "a mouth that stands still does not open"
        assert clip.aperture[0] == clip.aperture_truth[0]
        assert len(set(clip.aperture_truth)) > 1


def test_without_landmarks_there_is_no_opening_of_the_lips(drawn):
    with Scorer(drawn.scoring(metrics=["psnr"])) as scorer:
        clips = scorer.control("ground_truth", frame_size=(40, 80), durations="true").clips
    assert all(clip.aperture == clip.aperture_truth == [] for clip in clips)


def test_worker_processes_change_no_value(drawn):
    metrics = ["lmd", "identity_similarity"]
    here = control(drawn, "shift_+1", corpus=drawn.with_faces, metrics=metrics)
    there = control(drawn, "shift_+1", corpus=drawn.with_faces, metrics=metrics, workers=2)
    assert [clip.values for clip in here.clips] == [clip.values for clip in there.clips]


def test_the_real_side_is_looked_at_once(drawn, monkeypatch):
    from lipbench.corpora import faces

    looked = []
    find = faces.find_faces
    monkeypatch.setattr(faces, "find_faces", lambda job: looked.append(job) or find(job))
    with Scorer(drawn.scoring(corpus=drawn.with_faces, metrics=["lmd"])) as scorer:
        first = scorer.control("blur", frame_size=SIZE, durations="true")
        assert len(looked) == 10
        again = scorer.control("blur", frame_size=SIZE, durations="true")
        assert len(looked) == 15
    assert [clip.values for clip in first.clips] == [clip.values for clip in again.clips]


def test_each_picture_is_looked_at_once_and_no_value_changes(drawn, monkeypatch):
    from lipbench.benchmarks.scoring import faces as finder
    from lipbench.corpora import faces

    looked = []
    find = faces.find_faces
    monkeypatch.setattr(faces, "find_faces", lambda job: looked.append(job) or find(job))
    asked = {"corpus": drawn.with_faces, "metrics": [*FACES, "identity_similarity"]}

    def pictures(name):
        looked.clear()
        return control(drawn, name, **asked).clips, sum(len(job.crops) for job in looked)

    numbers = itertools.count()

    def all_unlike(pictures):
        return [str(next(numbers)).encode() for _ in pictures]

    real = sum(len(drawn.corpus.load(name).frames) for name in drawn.corpus.ids("test"))
    for name, new in (("shift_+2", 0), ("mean_frame", 5), ("blur", real)):
        once, count = pictures(name)
        described_anew = {"shift_+2": 5 * 5}.get(name, 0)
        assert real + new <= count <= real + new + described_anew
        with monkeypatch.context() as everywhere:
            everywhere.setattr(finder, "_digests", all_unlike)
            anew, count = pictures(name)
        assert count == 2 * real
        assert [clip.values for clip in once] == [clip.values for clip in anew]


def test_inception_without_weights_is_not_measured_and_names_the_way_out(drawn, tmp_path):
    quality = control(drawn, "first_frame", metrics=["fid", "psnr"], inception_weights=tmp_path / "none.pth")
    assert "no weights" in quality.not_measured["fid"]
    assert "inception_weights=FILE" in quality.not_measured["fid"]
    assert len(quality.values("psnr")) == 5


def test_samples_are_kept(drawn, tmp_path):
    quality = score(drawn, drawn.Parrot(extra=2), keep=SampleOptions(tmp_path, "parrot", clips=True))
    assert quality.strip == "strips/parrot.safetensors"
    assert quality.generated == "generated/parrot"
    assert (tmp_path / quality.strip).is_file()
    assert len(list((tmp_path / quality.generated).glob("*.mkv"))) == 5


def test_an_untrained_model_is_not_scored(drawn):
    untrained = loading.build_untrained("hh_t2l", "tiny", options={}, device=torch.device("cpu"))
    with Scorer(drawn.scoring()) as scorer, pytest.raises(UserError, match="not trained"):
        scorer.model(untrained, durations="true", batch=1)


def test_the_record_says_how_the_corpus_was_made_and_what_was_asked(drawn):
    options = control(drawn, "first_frame", corpus_options={"store": "here"}).corpus.options
    assert options["speakers"] == 2
    assert options["store"] == "here"


def test_a_control_has_the_truths_timing_so_it_is_not_scored_for_it(drawn):
    still = control(drawn, "first_frame", durations="predicted", metrics=["length_error", "psnr"])
    assert still.not_measured == {"length_error": "a control has the truth's own timing"}
    assert still.durations == "predicted"
    assert len(still.values("psnr")) == 5
