"""What is read of the logs that trainings leave."""

from lipbench.reports.inputs.training_logs import load_training_logs


def write(root, name, start, text):
    file = root / "train" / name / "csv" / f"from_step_{start:06d}" / "metrics.csv"
    file.parent.mkdir(parents=True)
    file.write_text(text)


def test_losses_are_read_without_their_sum_and_counted_in_updates_taken(tmp_path):
    write(tmp_path, "one", 0, "epoch,loss/l1,loss/total,step\n0,0.5,1.5,9\n0,0.25,1.0,19\n")
    (log,), unread = load_training_logs(tmp_path)
    assert log.name == "one"
    assert set(log.losses) == {"l1"}
    assert log.losses["l1"].to_dict() == {10: 0.5, 20: 0.25}
    assert unread == []


def test_a_training_taken_up_again_is_one_line_and_what_was_lost_by_the_kill_is_not_in_it(tmp_path):
    write(tmp_path, "one", 0, "loss/l1,step\n0.5,9\n0.4,19\n9.0,29\n")
    write(tmp_path, "one", 20, "loss/l1,step\n0.3,29\n0.2,39\n")
    losses = load_training_logs(tmp_path).logs[0].losses
    assert losses["l1"].to_dict() == {10: 0.5, 20: 0.4, 30: 0.3, 40: 0.2}


def test_what_is_logged_at_some_steps_only_is_read_there(tmp_path):
    write(tmp_path, "one", 0, "loss/l1,loss/discriminator,step\n0.5,,9\n,0.7,9\n0.4,,19\n")
    losses = load_training_logs(tmp_path).logs[0].losses
    assert losses["l1"].to_dict() == {10: 0.5, 20: 0.4}
    assert losses["discriminator"].to_dict() == {10: 0.7}


def test_files_that_are_no_logs_are_named_and_cost_nothing_else(tmp_path):
    write(tmp_path, "broken", 0, "nothing of the kind\n")
    write(tmp_path, "empty", 0, "")
    write(tmp_path, "words", 0, "loss/l1,step\nmuch,9\n")
    write(tmp_path, "whole", 0, "loss/l1,step\n0.5,9\n")
    logs, unread = load_training_logs(tmp_path)
    assert [log.name for log in logs] == ["whole"]
    assert unread == [f"train/{name}/csv/from_step_000000/metrics.csv" for name in ("broken", "empty", "words")]


def test_a_run_without_trainings_has_none(tmp_path):
    assert load_training_logs(tmp_path) == ([], [])
