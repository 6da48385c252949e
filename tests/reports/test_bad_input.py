"""Records that cannot be read, or only in part: each is one clear error or a note, and hides no other."""

import json
from pathlib import Path

import pytest

from lipbench.errors import UserError
from lipbench.records.files import save_record
from lipbench.records.run_folder import CALIBRATION
from lipbench.reports.files import SummaryTarget
from lipbench.reports.inputs.run import read_run
from lipbench.reports.render import render


def older(text):
    return json.dumps(json.loads(text) | {"version": 0})


def newer(text):
    return json.dumps(json.loads(text) | {"version": 2})


def with_a_newer_field(text):
    data = json.loads(text)
    data["result"]["aura"] = 3
    return json.dumps(data)


def truncated(text):
    return text[: len(text) // 2]


def wrong_type(text):
    return json.dumps(json.loads(text) | {"seconds": "many"})


SPOILT = {
    older: "is a record of version 0, this lipbench reads version 1",
    newer: "is a record of version 2, this lipbench reads version 1",
    with_a_newer_field: "has a field that this lipbench does not know: 'result.latency.aura'",
    truncated: "cannot be read as a record",
    wrong_type: "is not a valid record: Input should be a valid number",
    (lambda _: "[" * 100_000): "cannot be read as a record",
    (lambda _: "[]"): "is a record of version None",
    (lambda _: ""): "cannot be read as a record",
}


def spoil(path: Path, how):
    path.write_text(how(path.read_text(encoding="utf-8")), encoding="utf-8")


@pytest.mark.parametrize(("how", "said"), SPOILT.items(), ids=lambda part: getattr(part, "__name__", "")[:20])
def test_a_bad_record_is_named_and_the_others_stay(make, tmp_path, how, said):
    save_record(make.latency("hh_t2l", 75), tmp_path)
    bad = save_record(make.latency("dual_lip", 75), tmp_path)
    spoil(bad, how)
    intake = read_run(tmp_path)
    assert [record.cell.system for record in intake.records] == ["hh_t2l"]
    assert [one.name for one in intake.unread] == [bad.name]
    assert said in intake.unread[0].problem
    with pytest.raises(UserError, match=r"[Dd]elete|[Rr]ead it with"):
        read_run(bad)


def test_the_report_says_what_is_not_in_it_before_all_else(make, tmp_path):
    for name in ("hh_t2l", "transformer_t2l"):
        save_record(make.latency(name, 75), tmp_path)
    spoil(save_record(make.latency("dual_lip", 75), tmp_path), truncated)
    rendered = render(tmp_path)
    text = rendered.markdown.read_text(encoding="utf-8")
    assert "**1 of 3 records could not be read and are not in it.**" in text.split("\n## ")[0]
    assert "## Records that could not be read" in text
    assert len(rendered.unread) == 1
    assert "HH-T2L" in text


def test_a_run_of_bad_records_alone_is_one_error(make, tmp_path):
    for name in ("hh_t2l", "dual_lip"):
        spoil(save_record(make.latency(name, 75), tmp_path), newer)
    with pytest.raises(UserError, match=r"none of the 2 records .* can be read; the first: .* version 2"):
        render(tmp_path)
    assert not (tmp_path / "report").exists()


def test_no_record_is_one_error(tmp_path):
    (tmp_path / "records").mkdir()
    with pytest.raises(UserError, match="holds no records"):
        render(tmp_path)


def test_mixed_machines_are_said_before_all_else(make, tmp_path):
    other = make.MACHINE.model_copy(update={"cpu": "Another"})
    save_record(make.latency("hh_t2l", 75), tmp_path)
    save_record(make.latency("dual_lip", 75, machine=other), tmp_path)
    text = render(tmp_path).markdown.read_text(encoding="utf-8")
    assert "**The records come from 2 machines and 1 commit" in text.split("\n## ")[0]


def test_cells_that_were_not_attempted_are_no_failures(make, tmp_path):
    save_record(make.latency("hh_t2l", 75), tmp_path)
    failure = make.failed(make.latency_cell("dual_lip", 75)).failure
    skipped = make.record(make.latency_cell("dual_lip", 75, variant="cuda_graph"), status="not_attempted",
                          failure=failure.model_copy(update={"message": "no GPU | here"}))  # fmt: skip
    save_record(skipped, tmp_path)
    text = render(tmp_path).markdown.read_text(encoding="utf-8")
    assert "**1 cell measured** (1 of latency), none failed, 1 not attempted." in text
    assert "## Failed cells" not in text
    assert "no GPU \\| here" in text.split("## Cells not attempted")[1]


def test_a_summary_keeps_its_limit_with_what_was_there_before(make, tmp_path):
    for frames in range(10, 60):
        save_record(make.latency("hh_t2l", frames), tmp_path)
    summary = tmp_path / "summary.md"
    summary.write_text("another step\n", encoding="utf-8")
    render(tmp_path, summary=SummaryTarget(summary, 4000))
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("another step\n# Text-to-lip benchmark")
    assert len(text.encode()) <= 4000
    assert "Left out to keep within" in text
    assert "](figures/" not in text + str(render(tmp_path, summary=SummaryTarget(tmp_path / "other.md", 10**6)))
    assert "](figures/" not in (tmp_path / "other.md").read_text(encoding="utf-8")
    assert "](figures/" in (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    render(tmp_path, summary=SummaryTarget(summary, 100))
    assert summary.read_text(encoding="utf-8") == text, "there is no room left, and that is no error"


@pytest.mark.parametrize(("n", "said"), [(4, True), (30, False)])
def test_a_best_model_that_could_not_be_tested_is_no_plain_best(make, tmp_path, n, said):
    for name in ("hh_t2l", "dual_lip"):
        save_record(make.quality(name, n=n), tmp_path)
    text = render(tmp_path).markdown.read_text(encoding="utf-8")
    assert "Best on GRID" in text
    assert ("too few clips or speakers to test" in text.split("\n## ")[0]) is said


def test_a_damaged_calibration_costs_its_section_alone(make, tmp_path):
    save_record(make.latency("hh_t2l", 75), tmp_path)
    (tmp_path / CALIBRATION).write_text("{")
    text = render(tmp_path).markdown.read_text(encoding="utf-8")
    assert "is the only model timed" in text
    assert "is no calibration" in text.split("## Calibration that could not be read")[1]


def test_one_machine_with_other_threads_is_one_machine(make, tmp_path):
    for threads in (1, 2):
        one = make.latency("hh_t2l", 50 + threads)
        save_record(one.model_copy(update={"machine": one.machine.model_copy(update={"threads": threads})}), tmp_path)
    text = render(tmp_path).markdown.read_text(encoding="utf-8")
    assert "**The records come from 1 machine and 1 commit, with 1 and 2 threads: compare" in text


def test_a_title_with_a_comma_is_no_two_metrics_in_the_verdict(make, tmp_path):
    centred = make.METRICS[2].model_copy(update={"name": "lmd_centred", "title": "LMD, centred"})
    for name, by in (("hh_t2l", 0.0), ("dual_lip", 1.0)):
        clips = make.clips("hh_t2l", 12)
        scores = [c.model_copy(update={"values": c.values | {"lmd_centred": c.values["lmd"] + by}}) for c in clips]
        save_record(make.quality(name, scores=scores, metrics=[centred]), tmp_path)
    text = render(tmp_path).markdown.read_text(encoding="utf-8").split("\n## ")[0]
    assert "**HH-T2L** by LMD (centred)" in text
