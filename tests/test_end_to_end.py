"""The main job, as `make bench` does it, on the smallest sizes: pytest door, command-line door, report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lipbench import models
from lipbench.benchmarks.cli.main import main
from lipbench.records.files import load_records
from lipbench.records.latency import Latency
from lipbench.records.quality import Quality

ROOT = Path(__file__).resolve().parents[1]
SIZES = [
    "preset=tiny", "corpus.train=4", "corpus.test=2", "corpus.speakers=2", "corpus.seconds=[0.6,0.9]",
    "training.steps=2", "training.clips=2", "training.frames_per_clip=1", "training.checkpoint_steps=1",
    "frames=[4,8]", "seconds=0.05", "least_rounds=2",
]  # fmt: skip


def pytest_door(run: Path, *words: str) -> subprocess.CompletedProcess[str]:
    options = [part for word in (*SIZES, f"out={run}", *words) for part in ("--lipbench", word)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "benchmarks/", f"--benchmark-json={run / 'benchmark.json'}", *options],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    done = pytest_door(folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return folder


def test_every_cell_has_its_record(run):
    records = load_records(run)
    assert {record.status for record in records} == {"measured"}
    timed = {(r.result.system.name, r.result.frames) for r in records if isinstance(r.result, Latency)}
    assert timed == {(name, frames) for name in models.names() for frames in (4, 8)}
    scored = {r.result.system.name for r in records if isinstance(r.result, Quality)}
    assert scored == {*models.names(), "ground_truth", "first_frame", "mean_frame"}


def test_pytest_benchmark_shows_the_timing_rooms_own_samples(run):
    shown = json.loads((run / "benchmark.json").read_text())["benchmarks"]
    by_cell = {(b["extra_info"]["model"], b["extra_info"]["frames"]): b for b in shown if "frames" in b["extra_info"]}
    for record in load_records(run):
        if isinstance(record.result, Latency):
            data = by_cell[record.result.system.name, record.result.frames]["stats"]["data"]
            assert data == pytest.approx([sample.wall_s for sample in record.result.samples], rel=1e-6)


def test_the_report_is_made_from_the_records_alone(run, capsys):
    assert main(["report", str(run)]) == 0
    printed = capsys.readouterr().out
    assert str(run / "report" / "report.md") in printed
    text = (run / "report" / "report.md").read_text()
    for title in ("HH-T2L", "DualLip", "TransformerT2L", "First frame repeated", "PSNR", "SSIM"):
        assert title in text
    assert "Speed-up over DualLip" in text


def test_trained_models_are_kept_for_the_next_time(run):
    kept = {path: path.stat().st_mtime_ns for path in run.glob("train/*/last.ckpt")}
    assert len(kept) == len(models.names())
    again = pytest_door(run, "models=hh_t2l", "frames=[4]", "controls=[]")
    assert again.returncode == 0, again.stdout[-3000:]
    assert {path: path.stat().st_mtime_ns for path in run.glob("train/*/last.ckpt")} == kept


def test_a_model_that_does_not_learn_is_timed_and_scored_as_it_is(tmp_path, capsys):
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from types import SimpleNamespace\n"
        "import torch\n"
        "class Still:\n"
        "    frame_size = (20, 40)\n"
        "    def generate(self, request):\n"
        "        n = request.n_frames if request.n_frames is not None else torch.full((len(request.tokens),), 9)\n"
        "        frames = request.identity[:, None].repeat(1, int(n.max()), 1, 1, 1)\n"
        "        return SimpleNamespace(frames=frames, lengths=n, durations=None)\n"
    )
    words = [f"models={mine}:Still", "controls=[first_frame]"]
    assert main(["bench", *SIZES, f"out={tmp_path / 'run'}", *words]) == 0
    records = {record.cell.system: record for record in load_records(tmp_path / "run")}
    assert set(records) == {"Still", "first_frame"}
    assert not (tmp_path / "run" / "train").exists()
    evaluated = ["evaluate", *SIZES[1:5], f"out={tmp_path / 'run'}", f"model={mine}:Still", "durations=predicted"]
    assert main(evaluated) == 0
    assert "Still" in capsys.readouterr().out


def test_a_cell_that_fails_is_a_record_a_failed_test_and_a_row_of_the_report(tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text(
        "from lipbench.models.hh_t2l.model import HHT2L\n"
        "class Broken(HHT2L):\n"
        "    def generate(self, request):\n"
        "        if request.n_frames is not None and int(request.n_frames.max()) > 4:\n"
        "            raise MemoryError('no room for that many frames')\n"
        "        return super().generate(request)\n"
    )
    out = tmp_path / "run"
    out.mkdir()
    done = pytest_door(out, f"models={broken}:Broken", "controls=[]")
    assert done.returncode == 1
    assert "MemoryError: no room for that many frames" in done.stdout
    states = {r.cell.frames: r.status for r in load_records(out) if r.cell.kind == "latency"}
    assert states == {4: "measured", 8: "failed"}
    assert main(["report", str(out)]) == 0
    assert "no room for that many frames" in (out / "report" / "report.md").read_text()


@pytest.mark.parametrize(
    ("word", "says"), [("modles=x", "Did you mean 'models'"), ("models=hht2l", "Did you mean 'hh_t2l'")]
)
def test_a_wrong_word_ends_the_pytest_door_before_anything_runs(tmp_path, word, says):
    done = pytest_door(tmp_path, word)
    assert done.returncode != 0
    assert says in done.stdout + done.stderr
    assert not list(tmp_path.iterdir())


def test_both_doors_make_the_same_records(run, tmp_path):
    out = tmp_path / "cli"
    assert main(["bench", *SIZES, f"out={out}", "models=hh_t2l", "controls=[first_frame]"]) == 0
    ours = {record.cell.key: record for record in load_records(out)}
    theirs = {record.cell.key: record for record in load_records(run)}
    assert set(ours) < set(theirs)
    for key, record in ours.items():
        if isinstance(record.result, Quality):
            other = theirs[key].result
            assert isinstance(other, Quality)
            assert record.result.clips == other.clips, "training and scoring repeat exactly"
