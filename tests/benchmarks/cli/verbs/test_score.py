"""`lipbench score` as a person meets it: on a run of the synthetic corpus, and on folders of video files."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from lipbench.benchmarks.cli.main import main
from lipbench.corpora.video import write_video
from lipbench.records.files import load_records

CORPUS = ["corpus.train=2", "corpus.test=3", "corpus.speakers=2", "corpus.seconds=[0.6,0.9]"]
PLAIN = ["metrics=[psnr,length_error]", "workers=0"]
LATE = """
from types import SimpleNamespace
import torch
class Late:
    frame_size = (20, 40)
    def generate(self, request):
        wanted = torch.full((len(request.tokens),), 9) if request.durations is None else request.durations.sum(dim=1)
        n = wanted + 2
        frames = request.identity[:, None].repeat(1, int(n.max()), 1, 1, 1) * 0.9
        return SimpleNamespace(frames=frames, lengths=n, durations=None)
"""


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """A run of a model that always ends late, with one control."""
    folder = tmp_path_factory.mktemp("evaluated")
    model = folder / "late.py"
    model.write_text(LATE)
    out = folder / "run"
    words = [f"model={model}:Late", "controls=[first_frame]", f"out={out}", *CORPUS, *PLAIN]
    assert main(["evaluate", *words]) == 0
    # from here on there is no model
    model.unlink()
    return out


@pytest.fixture
def run(evaluated, tmp_path):
    return shutil.copytree(evaluated, tmp_path / "run")


def of_protocol(run, protocol):
    records = load_records(run)
    return {(r.cell.system, r.cell.durations): r for r in records if r.cell.protocol == protocol}


def test_kept_clips_are_scored_under_another_protocol_into_the_same_run(run, capsys):
    assert main(["score", f"run={run}", "protocol=strict", *PLAIN]) == 0
    shown = capsys.readouterr().out
    assert shown.count("  3 clips   ") == 4
    assert shown.count("protocol strict (hold)") == 2
    before, after = of_protocol(run, "paper"), of_protocol(run, "strict")
    assert set(after) == set(before) == {(s, d) for s in ("Late", "first_frame") for d in ("predicted", "true")}
    for key, record in after.items():
        old = before[key]
        assert record.status == "measured"
        assert record.result.system == old.result.system
        assert record.result.durations == old.result.durations
        assert record.result.protocol.name == "strict"
        assert record.cell == old.cell.model_copy(update={"protocol": "strict"})
        assert (run / record.result.strip).is_file()
    late, truncated = after["Late", "true"].result, before["Late", "true"].result
    for clip, old in zip(late.clips, truncated.clips, strict=True):
        assert clip.utterance == old.utterance
        assert (clip.length.scored, old.length.scored) == (clip.frames + 2, clip.frames), "held, not truncated"
    assert main(["report", str(run)]) == 0
    assert "protocol **strict**" in (run / "report" / "report.md").read_text()


def test_scored_by_the_same_rules_the_values_are_the_same(run):
    before = of_protocol(run, "paper")
    assert main(["score", f"run={run}", *PLAIN]) == 0
    after = of_protocol(run, "paper")
    assert len(load_records(run)) == 4, "the records of the same cells are replaced"
    for key, record in after.items():
        assert record.result.clips == before[key].result.clips
        assert record.result.generated == before[key].result.generated


def test_a_run_that_was_scored_again_can_be_scored_again(run):
    for _ in range(2):
        assert main(["score", f"run={run}", "protocol=strict", "controls=[]", *PLAIN]) == 0
    assert len(of_protocol(run, "strict")) == 2


def test_another_folder_takes_the_records_and_the_run_stays_as_it_was(run, tmp_path):
    before = sorted(path.name for path in run.rglob("*"))
    out = tmp_path / "other"
    words = [f"run={run}", "metrics=[ssim]", "controls=[mean_frame]", "workers=0", f"out={out}"]
    assert main(["score", *words]) == 0
    found = of_protocol(out, "paper")
    assert {system for system, _ in found} == {"Late", "mean_frame"}
    assert all(record.result.generated is None for record in found.values())
    assert all(list(clip.values) == ["ssim"] for record in found.values() for clip in record.result.clips)
    assert sorted(path.name for path in run.rglob("*")) == before


def test_a_damaged_clip_is_a_failed_record_and_the_other_cells_are_scored(run, capsys):
    kept = of_protocol(run, "paper")["Late", "true"].result.generated
    next((run / kept).glob("*.mkv")).write_bytes(b"")
    assert main(["score", f"run={run}", "protocol=strict", *PLAIN]) == 2
    assert "1 of 4 cells failed" in capsys.readouterr().err
    states = {key: record.status for key, record in of_protocol(run, "strict").items()}
    assert states["Late", "true"] == "failed"
    assert states["Late", "predicted"] == "measured"


def fails(words, capsys, says):
    assert main(["score", *words]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("lipbench: ")
    assert says in error


def test_a_run_without_kept_clips_names_the_way_out(run, capsys):
    for path in (run / "records").glob("*.json"):
        data = json.loads(path.read_text())
        data["result"]["generated"] = None
        path.write_text(json.dumps(data))
    fails([f"run={run}"], capsys, "keep_clips=true")


def test_clips_of_a_corpus_that_has_changed_are_not_scored(run, capsys):
    for path in (run / "records").glob("*.json"):
        data = json.loads(path.read_text())
        data["result"]["corpus"]["fingerprint"] = "f" * 64
        path.write_text(json.dumps(data))
    fails([f"run={run}", "protocol=strict"], capsys, "is not what these clips were scored on")
    assert not of_protocol(run, "strict")


def test_a_folder_whose_clips_are_gone_is_named(run, capsys):
    shutil.rmtree(run / "generated")
    fails([f"run={run}", "protocol=strict"], capsys, "no complete set of generated clips")


@pytest.fixture
def videos(tmp_path):
    """Four real clips in one folder; theirs are one perfect, one too long, one of another size, and one not there."""
    real = {name: np.random.default_rng(n).integers(0, 255, (6, 24, 32, 3), np.uint8) for n, name in enumerate("abcd")}
    theirs = {"a": real["a"], "b": np.concatenate([real["b"], real["b"][:2]]), "c": real["c"][:, :, :28]}
    for folder, clips in (("real", real), ("theirs", theirs)):
        for name, frames in clips.items():
            write_video(frames, tmp_path / folder / f"{name}.mkv", 25, lossless=True)
    return [f"generated={tmp_path / 'theirs'}", f"reference={tmp_path / 'real'}", f"out={tmp_path / 'run'}", *PLAIN]


def test_videos_are_scored_with_an_account_of_what_is_left_out(videos, tmp_path, capsys):
    assert main(["score", *videos, "title=Their model"]) == 0
    shown = capsys.readouterr().out
    assert "2 of 4 clips" in shown
    assert "left out: 1, as the generated video has 28 x 24 pixels, the reference 32 x 24: c" in shown
    assert "left out: 1, as no generated video has this name: d" in shown
    assert "other lengths: 1 of 2 clips scored, by at most 2 frames" in shown
    assert "protocol paper (truncate): 2 generated frames left out" in shown
    (record,) = load_records(tmp_path / "run")
    result = record.result
    assert (result.system.name, result.system.title, result.system.kind) == ("theirs", "Their model", "model")
    assert result.system.frame_size == (24, 32)
    assert (result.corpus.name, result.corpus.split, result.corpus.clips) == ("videos", "all", 2)
    assert set(result.left_out) == {"c", "d"}
    assert result.asked == 4
    assert {clip.utterance: clip.values["psnr"] for clip in result.clips} == {"a": 100.0, "b": 100.0}
    assert [clip.length.preds_dropped for clip in result.clips if clip.length] == [2]
    assert main(["report", str(tmp_path / "run")]) == 0
    report = (tmp_path / "run" / "report" / "report.md").read_text()
    assert "| 2 of 4 |" in report
    assert "Left out of Their model: 2 of 4 clips" in report
    assert "speakers not known" in report
    assert "numbers are of random weights" not in report
    assert "untrained" not in report


def test_videos_smaller_than_the_window_have_no_ssim_and_all_else(tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (4, 8, 32, 3), np.uint8)
    for folder in ("real", "theirs"):
        write_video(frames, tmp_path / folder / "a.mkv", 25, lossless=True)
    words = [f"generated={tmp_path / 'theirs'}", f"reference={tmp_path / 'real'}", f"out={tmp_path / 'run'}"]
    assert main(["score", *words, "metrics=[psnr,ssim]", "workers=0"]) == 0
    (record,) = load_records(tmp_path / "run")
    assert record.result.not_measured == {"ssim": "frames of 32 x 8 are smaller than the SSIM window of 11"}
    assert [clip.values for clip in record.result.clips] == [{"psnr": 100.0}]
    assert "pasted" not in record.result.protocol.summary


def test_resized_videos_are_scored_and_the_record_says_so(videos, tmp_path):
    assert main(["score", *videos, "resize=true"]) == 0
    (record,) = load_records(tmp_path / "run")
    assert record.result.system.options == {"resize": True}
    assert set(record.result.left_out) == {"d"}


def test_controls_stand_on_the_same_clips(videos, tmp_path):
    assert main(["score", *videos, "controls=[ground_truth,first_frame]"]) == 0
    scored = {r.cell.system: r.result for r in load_records(tmp_path / "run")}
    assert set(scored) == {"theirs", "ground_truth", "first_frame"}
    assert all([clip.utterance for clip in result.clips] == ["a", "b"] for result in scored.values())
    assert {result.system.frame_size for result in scored.values()} == {(24, 32)}
    assert scored["ground_truth"].mean("psnr") == 100
    assert scored["first_frame"].mean("psnr") < 50


@pytest.mark.parametrize(
    ("name", "says"), [("other_sentence", "not known"), ("crop_round_trip", "cut from no larger video")]
)
def test_a_control_that_needs_more_than_videos_is_a_failed_cell(videos, tmp_path, capsys, name, says):
    fails([*videos, f"controls=[{name}]"], capsys, says)
    states = {r.cell.system: r.status for r in load_records(tmp_path / "run")}
    assert states == {"theirs": "measured", name: "failed"}


def test_true_timing_is_not_scored(videos, tmp_path):
    assert main(["score", *videos, "durations=true"]) == 0
    (record,) = load_records(tmp_path / "run")
    assert record.result.durations == "true"
    assert record.result.not_measured == {"length_error": "the true durations were given"}


def test_if_no_video_fits_the_cell_fails_and_says_why(videos, tmp_path, capsys):
    for name in "ab":
        write_video(np.zeros((6, 24, 32, 3), np.uint8), tmp_path / "theirs" / f"{name}.mkv", 30, lossless=True)
    fails(videos, capsys, "none of 4 clips can be scored: 2 because the generated video has 30 frames per second")
    (record,) = load_records(tmp_path / "run")
    assert record.status == "failed"
    assert main(["report", str(tmp_path / "run")]) == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "score needs run, or generated and reference"),
        (["generated=x"], "score needs run, or generated and reference"),
        (["run=no/such/run"], "no run at no/such/run"),
        (["run=x", "generated=y"], "takes no generated="),
        (["run=x", "resize=true"], "takes no resize="),
        (["run=x", "title=Y"], "takes no title="),
        (["run=x", "protocol=strikt"], "Did you mean 'strict'"),
        (["run=x", "metrics=[psnrr]"], "Did you mean 'psnr'"),
        (["run=x", "controls=[first_fame]"], "Did you mean 'first_frame'"),
        (["generated=no/such", "reference=folder"], "no folder no/such"),
        (["run=x", "durations=guessed"], "durations"),
    ],
)
def test_bad_input_is_one_line_that_names_the_way_out(words, says, capsys):
    fails(words, capsys, says)
