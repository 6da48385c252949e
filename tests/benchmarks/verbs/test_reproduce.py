"""`lipbench reproduce` with two rows, each in processes of a launcher's: a failure, then the same command again."""

from __future__ import annotations

import json

import pytest

from benchmarks.cli import main
from benchmarks.record_files import load_records

ROWS = ("hh_t2l", "dual_lip")
SMALL = ["corpus=synthetic", "corpus.train=4", "corpus.test=2", "corpus.speakers=2", "corpus.seconds=[0.6,0.9]"]
WORDS = ["preset=tiny", "recipe=quick", "steps=2", "frames=[5]", "limit=2", f"rows=[{','.join(ROWS)}]", "device=cpu"]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("reproduce") / "run"


def done(out) -> dict[str, str]:
    return {path.stem: json.loads(path.read_text())["finished"] for path in (out / "reproduction").glob("*.json")}


def test_two_processes_train_and_score_two_rows_and_what_failed_is_mended_by_the_same_command(out, capfd):
    broken = out / "train" / "dual_lip-tiny" / "last.ckpt"
    broken.parent.mkdir(parents=True)
    broken.write_text("no checkpoint")
    command = ["reproduce", *SMALL, *WORDS, f"out={out}"]
    assert main([*command, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]) == 2
    assert "train dual_lip: exit code 2; evaluate dual_lip: left out" in capfd.readouterr().err
    first = done(out)
    assert set(first) == {"train-hh_t2l", "evaluate-hh_t2l", "bench", "report"}
    assert "no checkpoint" in (out / "jobs" / "dual_lip" / "log.txt").read_text()

    broken.unlink()
    assert main([*command, "hydra/launcher=submitit_local", "hydra.launcher.timeout_min=20"]) == 0
    second = done(out)
    assert set(second) == {*first, "train-dual_lip", "evaluate-dual_lip"}
    assert all(second[key] == first[key] for key in set(first) - {"report"})
    scored = {record.cell.system for record in load_records(out) if record.cell.kind == "quality"}
    assert {*ROWS, "ground_truth"} <= scored
    assert (out / "report" / "report.md").is_file()


def test_a_launcher_that_is_none_is_named_before_anything_starts(tmp_path, capsys):
    assert main(["reproduce", *SMALL, *WORDS, f"out={tmp_path / 'run'}", "hydra/launcher=jobilb"]) == 2
    assert "Did you mean 'joblib'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
