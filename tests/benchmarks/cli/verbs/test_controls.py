"""`lipbench controls` on the synthetic corpus, and what it says of a metric that is blind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lipbench.benchmarks.cli.main import main
from lipbench.benchmarks.cli.verbs.controls import work as controls
from lipbench.benchmarks.scoring.scorer import Scorer
from lipbench.metrics import inception
from lipbench.metrics.corpus_metric import NotMeasuredError
from lipbench.metrics.psnr import PSNR
from lipbench.records.calibration import load_calibration
from lipbench.records.files import load_records

ROOT = Path(__file__).parents[4]
WORDS = ["controls", "corpus=synthetic", "corpus.train=1", "corpus.test=6", "corpus.speakers=2",
         "corpus.seconds=[1.0,1.4]", "height=40", "workers=0"]  # fmt: skip


def without_calibration(monkeypatch):
    """It is the same in every run, and one of them makes it."""
    for part in ("calibrate", "calibrate_faces"):
        monkeypatch.setattr(controls, part, lambda: ([], []))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("controls")
    assert main([*WORDS, f"out={out}", "metrics=[psnr,ssim,motion_energy_ratio]"]) == 0
    return out


def test_every_control_that_the_corpus_can_give_has_a_record(run):
    scored = {record.cell.system for record in load_records(run)}
    assert {"ground_truth", "shift_-5", "shift_+5", "other_sentence", "blur"} <= scored
    assert "crop_round_trip" not in scored, "drawn mouths were cut from no video"


def test_the_calibration_is_kept(run):
    found = load_calibration(run)
    assert found is not None
    assert {row.metric for row in found.rows} >= {"PSNR", "SSIM"}
    assert {row.metric for row in found.rows if row.source.startswith("dlib")} == {"LMD"}
    assert found.absent == []


def test_a_metric_that_does_not_see_time_is_refused(tmp_path, capsys, monkeypatch):
    def blind(self, preds, target):
        """Finds every frame perfect, those of a late clip too."""
        return preds.new_full((len(preds),), 100.0, dtype=torch.float64)

    monkeypatch.setattr(PSNR, "_frame_values", blind)
    without_calibration(monkeypatch)
    assert main([*WORDS, f"out={tmp_path}", "metrics=[psnr]", "limit=3"]) == 2
    shown = capsys.readouterr()
    assert "psnr cannot be trusted here" in shown.err
    assert "psnr: ground_truth (100) is no better than shift_+1 (100), but a shift is no perfect clip" in shown.out


def test_a_killed_run_goes_on_after_the_controls_that_it_has_recorded(tmp_path, monkeypatch, capsys):
    words = [*WORDS, f"out={tmp_path}", "metrics=[psnr]", "limit=3"]
    killed = subprocess.Popen(
        [sys.executable, "-m", "lipbench", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert killed.stdout is not None
    first = killed.stdout.readline().split()  # says what was left out
    assert first[0] == b"without"
    assert killed.stdout.readline().startswith(b"ground_truth"), "a line stands for a record on the disk"
    killed.kill()
    killed.wait()
    killed.stdout.close()
    before = {path.name: path.read_bytes() for path in (tmp_path / "records").glob("*.json")}
    assert len(before) < 10, "it was killed in the middle"

    scored = []
    score = Scorer.control

    def counted(self, name, **options):
        scored.append(name)
        return score(self, name, **options)

    monkeypatch.setattr(Scorer, "control", counted)
    without_calibration(monkeypatch)
    assert main(words) == 0
    after = {path.name: path.read_bytes() for path in (tmp_path / "records").glob("*.json")}
    assert before.items() <= after.items()
    assert len(scored) == len(after) - len(before)
    assert "ground_truth" not in scored
    assert "expectations" in capsys.readouterr().out


def test_controls_without_fid_are_scored_again_once_there_are_weights(tmp_path, monkeypatch):
    def absent(_given=None):
        raise NotMeasuredError("not measured: no weights", remedy="Fetch them")

    monkeypatch.setattr(inception, "find_weights", absent)
    monkeypatch.setattr(controls, "find_weights", absent)
    without_calibration(monkeypatch)
    words = [*WORDS, f"out={tmp_path}", "metrics=[psnr,fid]", "limit=1", "controls=[ground_truth]"]
    assert main(words) == 0
    monkeypatch.setattr(Scorer, "control", lambda *_, **__: pytest.fail("scored again"))
    assert main(words) == 0
    monkeypatch.setattr(controls, "find_weights", lambda _given=None: tmp_path / "weights.pth")
    with pytest.raises(pytest.fail.Exception, match="scored again"):
        main(words)
