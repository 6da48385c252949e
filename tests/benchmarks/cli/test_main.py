"""The command line as a person meets it. Runs in this process: only exit codes, output and files count."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from lipbench import models
from lipbench.benchmarks.cli import main as cli
from lipbench.benchmarks.cli import verbs
from lipbench.benchmarks.cli.main import main
from lipbench.corpora.video import read_video
from lipbench.records.files import load_records

CORPUS = ["corpus.train=4", "corpus.test=2", "corpus.speakers=2", "corpus.seconds=[0.6,0.9]"]
RECIPE = ["training.steps=2", "training.clips=2", "training.frames_per_clip=1", "training.checkpoint_steps=1"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run's folder with a trained tiny HH-T2L in it."""
    out = tmp_path_factory.mktemp("run")
    assert main(["train", "preset=tiny", f"out={out}", *CORPUS, *RECIPE]) == 0
    return out


@pytest.fixture
def mouth(tmp_path):
    path = tmp_path / "my mouth.png"
    cv2.imwrite(str(path), np.full((80, 160, 3), 128, np.uint8))
    return path


def fails(words, capsys, says):
    assert main(words) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("lipbench: ")
    assert says in error


def test_no_word_at_all_shows_the_verbs(capsys):
    assert main([]) == 2
    shown = capsys.readouterr().out
    assert all(f"  {verb} " in shown for verb in verbs.verbs())


@pytest.mark.parametrize("verb", verbs.verbs())
def test_every_verbs_help_has_examples_and_options(verb, capsys):
    assert main([verb, "--help"]) == 0
    shown = capsys.readouterr().out
    assert verbs.get(verb).summary in shown
    assert "lipbench " + verb in shown
    assert "options" in shown


def test_list_shows_every_kind(capsys):
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*models.names(), "first_frame", "grid", "psnr", "paper"))


def test_list_describes_a_model(capsys):
    assert main(["list", "model=hh_t2l", "preset=paper"]) == 0
    shown = capsys.readouterr().out
    assert "35,136,237" in shown
    assert "image_decoder" in shown


def test_evaluate_then_report(run, capsys):
    assert main(["evaluate", "preset=tiny", f"out={run}", *CORPUS]) == 0
    shown = capsys.readouterr().out
    # one model and three controls, predicted and true durations; of the model what is not plainly scored is said too
    assert sum("   PSNR" in line and "2 clips" in line for line in shown.splitlines()) == 8
    assert shown.count("not measured, as the true durations were given: length_error") == 1
    assert shown.count("other lengths: ") == 1
    assert main(["report", str(run)]) == 0
    assert (run / "report" / "report.md").read_text().count("HH-T2L") > 1


def test_a_model_from_another_corpus_is_scored_and_that_is_said(run, caplog):
    words = ["evaluate", "preset=tiny", f"out={run}", *CORPUS, "metrics=psnr", "controls=[]", "durations=true"]
    assert main(words) == 0
    assert "another corpus" not in caplog.text
    assert main([*words, "corpus.seed=1"]) == 0
    assert "hh_t2l has learned from another corpus than it is scored on: from synthetic" in caplog.text


def test_a_training_with_other_losses_lies_beside_and_is_scored_by_its_name(run, capsys):
    usual = (run / "train" / "hh_t2l-tiny" / "last.ckpt").read_bytes()
    assert main(["train", "preset=tiny", "losses=adv", f"out={run}", *CORPUS, *RECIPE]) == 0
    assert (run / "train" / "hh_t2l-tiny" / "last.ckpt").read_bytes() == usual
    words = ["evaluate", "preset=tiny", "name=hh_t2l-tiny-adv", f"out={run}", *CORPUS, "metrics=psnr", "controls=[]"]
    assert main([*words, "durations=true"]) == 0
    found = [record for record in load_records(run) if record.cell.checkpoint]
    assert [Path(record.cell.checkpoint).parent.name for record in found] == ["hh_t2l-tiny-adv"]
    assert found[0].result.system.title == "HH-T2L +ADV"
    fails(["evaluate", "preset=tiny", "name=nothing", f"out={run}", *CORPUS], capsys, "no checkpoint")


def test_generate_says_a_text_with_a_mouth(run, mouth, tmp_path, capsys):
    clip = tmp_path / "clip.mp4"
    words = ["text=bin blue", f"identity={mouth}", "preset=tiny", f"runs={run}", f"out={clip}", "frames=7"]
    assert main(["generate", *words]) == 0
    assert "7 frames" in capsys.readouterr().out
    assert read_video(clip).frames.shape == (7, 20, 40, 3)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["trian"], "Did you mean 'train'"),
        (["train", "model=hh_t2"], "no model named 'hh_t2'. Did you mean 'hh_t2l'"),
        (["train", "preset=smal"], "Did you mean 'small'"),
        (["train", "options.hiden=3"], "Did you mean 'hidden'"),
        (["list", "modles"], "Did you mean 'models'"),
        (["prepare", "corpus=grid", "root=no/such/folder"], "no/such/folder"),
        (["prepare", "corpus=grid"], "prepare needs root"),
        (["prepare", "corpus=synthetic", "root=x"], "preparing synthetic takes no root="),
        (["prepare", "corpus=tcd_timit", "root=x", "durations=textgrid"], "preparing tcd_timit takes no durations="),
        (["prepare", "corpus=grid", "root=x", "split=publik"], "no split named 'publik'. Did you mean 'public'"),
        (["train", "--dry-run"], "train has no option 'dry_run'"),
        (["train", "corpus=grid", "corpus.store=no/such/store"], "lipbench prepare corpus=grid"),
        (["evaluate", "checkpoint=no.ckpt"], "no checkpoint at no.ckpt"),
        (["generate", "text= ", "identity=no.png"], "the text is empty"),
        (["report", "no/such/run"], "no run at no/such/run"),
        (["bench", "models=hht2l"], "Did you mean 'hh_t2l'"),
    ],
)
def test_bad_input_is_one_line_that_names_the_way_out(words, says, capsys, tmp_path):
    out = [f"out={tmp_path}"] if words[0] in ("train", "evaluate", "bench") else []
    fails([*words, *out], capsys, says)


def test_a_checkpoint_of_another_model_or_preset_is_named(run, capsys):
    path = run / "train" / "hh_t2l-tiny" / "last.ckpt"
    fails(["evaluate", "model=dual_lip", "preset=tiny", f"checkpoint={path}"], capsys, "holds the model 'hh_t2l'")
    fails(["evaluate", "preset=small", f"checkpoint={path}"], capsys, "holds the preset 'tiny'")


@pytest.mark.parametrize(
    ("text", "says"), [("", "the text is empty"), ("   ", "the text is empty"), ("café 5", "never seen '5', 'é'")]
)
def test_text_that_cannot_be_said_is_named(run, mouth, text, says, capsys):
    fails(["generate", f"text={text}", f"identity={mouth}", "preset=tiny", f"runs={run}"], capsys, says)


def test_a_picture_that_is_no_mouth_is_named(run, tmp_path, capsys):
    square = tmp_path / "square.png"
    cv2.imwrite(str(square), np.zeros((50, 50, 3), np.uint8))
    for picture, says in ((square, "50 x 50"), (tmp_path / "none.png", "no picture")):
        fails(["generate", "text=hi", f"identity={picture}", "preset=tiny", f"runs={run}"], capsys, says)


@pytest.mark.parametrize("words", [["--what", "models"], ["--what=models"], ["what=models"]])
def test_options_may_be_written_as_other_programs_have_them(words, capsys):
    assert main(["list", *words]) == 0
    assert "hh_t2l" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["gate", "--base-records", "/none/*", "--head-records=/none/*"], "/none/*"),
        (["gate", "--base"], "'--base' is not understood"),
        (["gate", "--base", "--strict"], "'--base' is not understood"),
        (["gate", "--bass", "HEAD"], "bass"),
    ],
)
def test_dashes_need_a_value_and_a_name_that_is_known(words, says, capsys):
    assert main(words) == 2
    assert says in capsys.readouterr().err


def test_a_traceback_only_when_asked(capsys):
    assert main(["trian"]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert main(["trian", "--traceback"]) == 2, "whatever is shown, it is the same error"
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_says_that_nothing_is_lost(monkeypatch, capsys):
    def interrupted(_words):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_dispatch", interrupted)
    assert main(["train"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["gate", "list"])
def test_an_error_of_lipbench_itself_is_no_verdict(verb, monkeypatch, capsys):
    def broken(_words):
        raise ZeroDivisionError("in the middle")

    monkeypatch.setattr(cli, "_dispatch", broken)
    assert main([verb]) == 70, "1 would be a regression that was shown"
    said = capsys.readouterr().err
    assert "ZeroDivisionError: in the middle" in said
    assert "an error of lipbench itself" in said


@pytest.mark.parametrize(("words", "code"), [(["gate"], 70), (["gate", "--help"], 0), (["doctor"], 70), (["list"], 0)])
def test_a_verdict_that_nobody_reads_is_not_good(words, code):
    # in a process of its own: what is printed meets the closed pipe only when the buffer is written out
    script = (
        "from lipbench.benchmarks.cli import main as cli;"
        "cli._dispatch = lambda _: print('verdict') or 0; raise SystemExit(cli.main())"
    )
    process = subprocess.Popen([sys.executable, "-c", script, *words], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait() == code


def test_a_dry_run_of_prepare_says_what_it_found_and_writes_nothing(tmp_path, capsys, caplog):
    talker = tmp_path / "grid" / "s1"
    talker.mkdir(parents=True)
    (talker / "bbaf2n.mpg").touch()
    store = tmp_path / "store"
    words = ["corpus=grid", f"root={tmp_path / 'grid'}", f"corpus.store={store}", "split=random", "--dry-run"]
    assert main(["prepare", *words]) == 0
    shown = capsys.readouterr().out
    assert "1 clips of 1 speaker (s1)" in shown
    assert "1 without an alignment: s1/bbaf2n" in shown
    assert "a run would prepare 1 clips" in shown
    assert "nothing was written" in shown
    assert "sN/*.mpg with alignments/sN/*.align" in caplog.text
    assert not store.exists()
