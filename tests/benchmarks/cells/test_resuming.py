"""When a record stands for scoring a cell again, and when it does not."""

from __future__ import annotations

import pytest

from lipbench.benchmarks.cells import environment
from lipbench.benchmarks.cells.runner import reusable_record, run_cell
from lipbench.records.files import load_record, save_record
from lipbench.records.quality import CorpusFacts, MetricFacts, ProtocolFacts, Quality
from lipbench.records.record import Cell, Failure
from lipbench.records.system import System

CELL = Cell(kind="quality", system="blur", role="control", corpus="grid", metrics=["psnr"])
ASKED = {"metrics": ["psnr"], "height": 80, "inception_weights": None, "out": "here", "workers": None}


def quality(metric="psnr", title="PSNR"):
    return Quality(
        system=System(name="blur", title="Truth, blurred", kind="control"),
        corpus=CorpusFacts(name="grid", fingerprint="c", split="test", clips=0),
        protocol=ProtocolFacts(name="paper", fingerprint="p", summary=""),
        durations="true",
        device="cpu",
        metrics=[MetricFacts(name=metric, title=title, unit="dB", higher_is_better=True)],
        clips=[],
    )


@pytest.fixture
def kept(tmp_path):
    run_cell(CELL, tmp_path, quality, request=ASKED)
    return tmp_path


def ask(run, cell=CELL, *, corpus="c", protocol="p", **changes):
    return reusable_record(cell, run, request=ASKED | changes, corpus=corpus, protocol=protocol)


def path_of(run):
    (path,) = (run / "records").iterdir()
    return path


def test_a_measured_cell_is_finished_wherever_and_however_fast_it_is_asked_for(kept):
    record = load_record(path_of(kept))
    assert ask(kept) == record
    assert ask(kept, out="there", workers=0) == record


@pytest.mark.parametrize("change", [{"corpus": "d"}, {"protocol": "q"}, {"inception_weights": "w.pth"}, {"height": 40}])
def test_a_cell_that_would_score_otherwise_is_not_finished(kept, change):
    assert ask(kept, **change) is None


def test_another_cell_is_not_finished(kept):
    assert ask(kept, CELL.model_copy(update={"limit": 3})) is None


@pytest.mark.parametrize("change", [{"source": "0" * 16}, {"source": None}, {"packages": {"torch": "2"}}])
def test_what_other_code_scored_is_not_finished(kept, change):
    record = load_record(path_of(kept))
    save_record(record.model_copy(update={"software": record.software.model_copy(update=change)}), kept)
    assert ask(kept) is None


def test_a_commit_that_leaves_the_source_as_it_is_changes_nothing(kept):
    record = load_record(path_of(kept))
    software = record.software.model_copy(update={"commit": "f" * 40, "dirty": True})
    save_record(record.model_copy(update={"software": software}), kept)
    assert ask(kept) is not None


def test_a_failure_is_not_finished(kept):
    failure = Failure(type="MemoryError", message="no memory")
    failed = load_record(path_of(kept)).model_copy(update={"status": "failed", "result": None, "failure": failure})
    save_record(failed, kept)
    assert ask(kept) is None


def test_a_damaged_record_is_not_finished_and_is_named(kept, caplog):
    path = path_of(kept)
    path.write_text(path.read_text()[:200])
    assert ask(kept) is None
    assert path.name in caplog.text


def test_a_metric_of_others_may_have_changed(kept):
    cell = CELL.model_copy(update={"metrics": ["mine.py:Mine"]})
    run_cell(cell, kept, lambda: quality("mine.py:Mine"), request=ASKED)
    assert ask(kept, cell) is None


def test_the_digest_of_the_source_follows_every_file_and_name(tmp_path, monkeypatch):
    def digest():
        environment.software.cache_clear()
        return environment.software().source

    monkeypatch.setattr(environment, "PACKAGE", tmp_path)
    (tmp_path / "metrics").mkdir()
    file = tmp_path / "metrics" / "ssim.py"
    seen = [digest()]
    for text in ("a = 1", "a = 2"):
        file.write_text(text)
        seen.append(digest())
    file.rename(file.with_name("psnr.py"))
    seen.append(digest())
    environment.software.cache_clear()
    assert len(set(seen)) == 4
