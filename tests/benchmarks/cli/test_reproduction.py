import json
from pathlib import Path

import pytest

from lipbench.benchmarks.cli import verbs
from lipbench.benchmarks.cli.launchers import INTERRUPTED, start_command
from lipbench.benchmarks.cli.main import main
from lipbench.benchmarks.cli.reproduction import Journal, PaperRow, PlanOptions, PlanStep, plan, run_all, stages
from lipbench.benchmarks.config.composition import CONF
from lipbench.errors import UserError

ROWS = {"hh_t2l": PaperRow(model="hh_t2l", losses="ssim"), "hh_t2l_adv": PaperRow(model="hh_t2l", losses="adv")}


def choices(out: Path, **changes) -> PlanOptions:
    values = {
        "corpus": ("corpus=synthetic",),
        "root": None,
        "preset": "tiny",
        "recipe": "quick",
        "steps": 3,
        "frames": (5, 7),
        "protocol": "paper",
        "limit": 2,
        "out": out,
        "device": "cpu",
    }
    return PlanOptions(**{**values, **changes})


class Starter:
    """Stands in for processes: notes the words, and ends with the code that was set for a verb."""

    def __init__(self, **codes: int) -> None:
        self.codes = codes
        self.started: list[str] = []

    def __call__(self, words) -> int:
        self.started.append(" ".join(words))
        return self.codes.get(words[0], 0)


def said(_line: str) -> None:
    pass


def test_every_step_is_a_command_that_the_command_line_takes(tmp_path):
    for step in plan(ROWS, choices(tmp_path, root=tmp_path)):
        verb, *words = step.words
        if step.key == "prepare":
            assert f"root={tmp_path}" in words
        verbs.request(verb, words)


def test_the_recipe_of_all_rows_can_be_chosen(tmp_path, capsys):
    assert main(["reproduce", "recipe=paper", "preset=paper", "--dry-run", f"out={tmp_path}"]) == 0
    trainings = [line for line in capsys.readouterr().out.splitlines() if line.startswith("train ")]
    assert len(trainings) == 6
    assert all(" training=paper " in line for line in trainings)


def test_rows_train_apart_and_are_scored_from_their_own_training(tmp_path):
    steps = {step.key: step for step in plan(ROWS, choices(tmp_path))}
    assert "losses=adv" in steps["train hh_t2l_adv"].words
    names = {
        key: next(word for word in step.words if word.startswith("name=")) for key, step in steps.items() if " " in key
    }
    assert names["train hh_t2l_adv"] == names["evaluate hh_t2l_adv"] != names["train hh_t2l"]


def test_controls_are_scored_once_and_a_model_is_timed_once(tmp_path):
    steps = plan(ROWS, choices(tmp_path))
    scored = [step for step in steps if step.words[0] == "evaluate"]
    assert ["controls=[]" in step.words for step in scored] == [False, True]
    assert [word for step in steps for word in step.words if word.startswith("models=")] == ["models=[hh_t2l]"]


def test_only_rows_run_side_by_side_and_each_is_scored_after_its_own_training(tmp_path):
    found = stages(plan(ROWS, choices(tmp_path, root=tmp_path)))
    assert [list(stage) for stage in found] == [["prepare"], ["hh_t2l", "hh_t2l_adv"], ["bench"], ["report"]]
    assert [step.key for step in found[1]["hh_t2l"]] == ["train hh_t2l", "evaluate hh_t2l"]


def test_what_failed_before_costs_what_needs_it(tmp_path):
    steps = plan(ROWS, choices(tmp_path, root=tmp_path))
    row = stages(steps)[1]["hh_t2l"]
    starter = Starter()
    lost = run_all(row, Journal(tmp_path, "code"), start=starter, say=said, earlier_failures={"prepare": "exit code 2"})
    assert starter.started == []
    assert lost == {
        "train hh_t2l": "left out: 'prepare' failed",
        "evaluate hh_t2l": "left out: 'train hh_t2l' failed",
    }


def test_what_is_done_is_not_done_again_but_the_report_is(tmp_path):
    steps = plan(ROWS, choices(tmp_path))
    assert run_all(steps, Journal(tmp_path, "code"), start=Starter(), say=said) == {}
    again = Starter()
    run_all(steps, Journal(tmp_path, "code"), start=again, say=said)
    assert again.started == [" ".join(steps[-1].words)]


def test_a_step_with_other_words_runs_again(tmp_path):
    run_all(plan(ROWS, choices(tmp_path)), Journal(tmp_path, "code"), start=Starter(), say=said)
    again = Starter()
    run_all(plan(ROWS, choices(tmp_path, limit=None)), Journal(tmp_path, "code"), start=again, say=said)
    assert {words.split()[0] for words in again.started} == {"evaluate", "report"}


def test_what_other_code_did_runs_again(tmp_path):
    steps = plan(ROWS, choices(tmp_path))
    run_all(steps, Journal(tmp_path, "code"), start=Starter(), say=said)
    again = Starter()
    run_all(steps, Journal(tmp_path, "newer code"), start=again, say=said)
    assert len(again.started) == len(steps)


def test_a_failure_costs_what_needs_it_and_nothing_else(tmp_path):
    starter = Starter(train=2)
    lost = run_all(plan(ROWS, choices(tmp_path)), Journal(tmp_path, "code"), start=starter, say=said)
    assert set(lost) == {"train hh_t2l", "evaluate hh_t2l", "train hh_t2l_adv", "evaluate hh_t2l_adv"}
    assert [words.split()[0] for words in starter.started] == ["train", "train", "bench", "report"]
    assert Journal(tmp_path, "code").find(PlanStep("train hh_t2l", ())) is None


def test_an_interrupt_stops_the_plan_and_keeps_what_is_done(tmp_path):
    steps = plan(ROWS, choices(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        run_all(steps, Journal(tmp_path, "code"), start=Starter(evaluate=INTERRUPTED), say=said)
    assert Journal(tmp_path, "code").find(steps[0]) is not None
    assert Journal(tmp_path, "code").find(steps[1]) is None


@pytest.mark.parametrize("content", ["{", "[]", "3", '{"words": []}'])
def test_a_journal_that_is_none_is_one_clear_error(tmp_path, content):
    step = plan(ROWS, choices(tmp_path))[0]
    path = Journal(tmp_path, "code").path(step)
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(UserError, match=r"does not say how a step was done"):
        Journal(tmp_path, "code").find(step)


def test_the_journal_is_plain_json_with_the_time_that_each_step_took(tmp_path):
    run_all(plan(ROWS, choices(tmp_path))[:1], Journal(tmp_path, "code"), start=Starter(), say=said)
    entry = json.loads((tmp_path / "reproduction" / "train-hh_t2l.json").read_text())
    assert entry["seconds"] >= 0
    assert entry["words"][0] == "train"


def test_a_step_runs_in_a_process_of_its_own_and_its_code_comes_back(capfd):
    assert start_command(["no_such_verb"]) == 2
    assert "no_such_verb" in capfd.readouterr().err


def test_a_dry_run_names_all_steps_and_writes_nothing(tmp_path, capsys):
    out = tmp_path / "run"
    assert main(["reproduce", "corpus=synthetic", "corpus.train=8", "--dry-run", f"out={out}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 * 6 + 2
    assert all("to do" in line for line in lines)
    assert "corpus=synthetic corpus.train=8 " in lines[0]
    assert not out.exists()


def test_an_unknown_row_names_the_nearest(capsys):
    assert main(["reproduce", "rows=hh_t2l_advv", "--dry-run"]) == 2
    assert "Did you mean 'hh_t2l_adv'?" in capsys.readouterr().err


def test_every_row_that_is_a_file_is_run_by_default():
    files = {file.stem for file in (CONF / "row").glob("*.yaml")}
    assert files == set(verbs.request("reproduce", []).rows)
