"""What version 0.1 wrote or asked for still works: records, a checkpoint, a model in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from lipbench.benchmarks.cli.main import main
from lipbench.records.files import load_records
from lipbench.records.latency import Latency
from lipbench.records.quality import Quality
from lipbench.training import checkpoint

FILES = Path(__file__).parent / "version_0_1"
CORPUS = ["corpus.train=4", "corpus.test=2", "corpus.speakers=2", "corpus.seconds=[0.6,0.9]"]
RECIPE = ["training.steps=2", "training.clips=2", "training.frames_per_clip=1"]


def test_records_are_read_with_their_numbers():
    results = {record.cell.kind: record.result for record in load_records(FILES)}
    latency, quality = results["latency"], results["quality"]
    assert isinstance(latency, Latency)
    assert isinstance(quality, Quality)
    assert (latency.frames, len(latency.samples)) == (25, 7)
    assert len(quality.clips) == 6
    assert results["natural"] is not None


def test_records_are_reported(tmp_path):
    assert main(["report", str(FILES), f"out={tmp_path}"]) == 0
    assert "HH-T2L" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_checkpoint_is_loaded_with_its_weights():
    trained = checkpoint.load_checkpoint(FILES / "hh_t2l.ckpt", model="hh_t2l", preset="tiny")
    assert trained.steps == 1
    assert trained.digest.startswith("bb9502770bf6f4bf")


@pytest.mark.parametrize("durations", ["true", "predicted"])
def test_a_model_in_a_file_is_trained_and_scored(tmp_path, durations):
    model = f"model={FILES / 'mine.py'}:Mine"
    assert main(["train", model, *CORPUS, *RECIPE, f"out={tmp_path}"]) == 0
    (weights,) = tmp_path.glob("train/*/last.ckpt")
    words = [model, f"checkpoint={weights}", f"durations={durations}", "metrics=[psnr]", "controls=[]"]
    assert main(["evaluate", *words, *CORPUS, f"out={tmp_path}"]) == 0
    (record,) = load_records(tmp_path)
    assert isinstance(record.result, Quality)
    assert 20 < min(record.result.values("psnr")) < 60
