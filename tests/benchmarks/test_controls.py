"""`lipbench controls` on the synthetic corpus, and what it says of a metric that is blind."""

from __future__ import annotations

import pytest

from benchmarks import cli
from benchmarks.calibration import load_calibration
from benchmarks.record import load_records
from metrics.functional import psnr as exact
from metrics.psnr import PSNR

WORDS = ["controls", "corpus=synthetic", "corpus.train=1", "corpus.test=6", "corpus.speakers=2",
         "corpus.seconds=[1.0,1.4]", "height=40", "workers=0"]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("controls")
    assert cli.main([*WORDS, f"out={out}", "metrics=[psnr,ssim,motion_energy_ratio]"]) == 0
    return out


def test_every_control_that_the_corpus_can_give_has_a_record(run):
    scored = {record.cell.system for record in load_records(run)}
    assert {"ground_truth", "shift_-5", "shift_+5", "other_sentence", "blur"} <= scored
    assert "crop_round_trip" not in scored, "drawn mouths were cut from no video"


def test_the_calibration_is_kept(run):
    found = load_calibration(run)
    assert found is not None
    assert {row.metric for row in found.rows} >= {"PSNR", "SSIM"}


def test_a_metric_that_does_not_see_time_is_refused(tmp_path, capsys, monkeypatch):
    def blind(self, preds, target):
        """Looks at the first frame only, which a late clip has too."""
        return exact(preds[:1], target[:1]).clamp(max=100).expand(len(preds))

    monkeypatch.setattr(PSNR, "_frame_values", blind)
    assert cli.main([*WORDS, f"out={tmp_path}", "metrics=[psnr]", "limit=3"]) == 2
    shown = capsys.readouterr()
    assert "psnr cannot be trusted here" in shown.err
    assert "psnr: ground_truth (100) is no better than shift_+1 (100), but a shift is no perfect clip" in shown.out
