"""The rows of `lipbench reproduce` in processes of two launchers: a failure, then the same plan again."""

from __future__ import annotations

import json

from lipbench.benchmarks.cli.launchers import find_launcher
from lipbench.benchmarks.cli.main import main
from lipbench.benchmarks.cli.reproduction import Journal, PaperRow, PlanOptions, plan, run_stages
from lipbench.records.files import load_records

ROWS = ("hh_t2l", "dual_lip")
SMALL = ("corpus=synthetic", "corpus.train=4", "corpus.test=2", "corpus.speakers=2", "corpus.seconds=[0.6,0.9]")


def done(out) -> dict[str, str]:
    return {path.stem: json.loads(path.read_text())["finished"] for path in (out / "reproduction").glob("*.json")}


def test_two_processes_train_and_score_two_rows_and_what_failed_is_mended_by_the_same_command(tmp_path):
    choices = PlanOptions(
        corpus=SMALL,
        root=None,
        preset="tiny",
        recipe="quick",
        steps=2,
        frames=(5,),
        protocol="paper",
        limit=2,
        out=tmp_path,
        device="cpu",
    )
    steps = [step for step in plan({name: PaperRow(model=name, losses="ssim") for name in ROWS}, choices) if step.row]
    journal = Journal(tmp_path, "code")
    broken = tmp_path / "train" / "dual_lip-tiny" / "last.ckpt"
    broken.parent.mkdir(parents=True)
    broken.write_text("no checkpoint")
    lost = run_stages(steps, journal, find_launcher(["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]))
    assert lost == {"train dual_lip": "exit code 2", "evaluate dual_lip": "left out: 'train dual_lip' failed"}
    first = done(tmp_path)
    assert set(first) == {"train-hh_t2l", "evaluate-hh_t2l"}
    assert "no checkpoint" in (tmp_path / "jobs" / "dual_lip" / "log.txt").read_text()

    broken.unlink()
    launcher = find_launcher(["hydra/launcher=submitit_local", "hydra.launcher.timeout_min=20"])
    assert run_stages(steps, journal, launcher) == {}
    second = done(tmp_path)
    assert set(second) == {*first, "train-dual_lip", "evaluate-dual_lip"}
    assert first.items() <= second.items(), "what was done is not done again"
    scored = {record.cell.system for record in load_records(tmp_path) if record.cell.role == "model"}
    assert scored == set(ROWS)


def test_a_launcher_that_is_none_is_named_before_anything_starts(tmp_path, capsys):
    assert main(["reproduce", "corpus=synthetic", f"out={tmp_path / 'run'}", "hydra/launcher=jobilb"]) == 2
    assert "Did you mean 'joblib'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
