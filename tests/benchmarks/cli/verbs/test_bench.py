"""`lipbench bench` as a person meets it, with tiny models."""

from __future__ import annotations

from lipbench.benchmarks.cli.main import main
from lipbench.records.files import load_records
from lipbench.records.latency import UtteranceLatency

WORDS = [
    *("preset=tiny", "corpus=synthetic", "corpus.train=4", "corpus.test=2", "corpus.speakers=2"),
    *("corpus.seconds=[0.6,0.9]", "training.steps=2", "training.clips=2", "training.frames_per_clip=1"),
    *("training.checkpoint_steps=1", "seconds=0.01", "least_rounds=2", "models=hh_t2l", "frames=[6]"),
    *("metrics=[psnr]", "controls=[]", "device=cpu"),
]


def test_clips_of_the_natural_timing_are_held_against_those_that_were_scored(tmp_path):
    assert main(["bench", *WORDS, "natural=[synchronised]", f"out={tmp_path}"]) == 0
    (natural,) = (r.result for r in load_records(tmp_path) if isinstance(r.result, UtteranceLatency))
    assert natural.scored is not None, "nothing was compared"
    assert len(natural.clips) == 2


def test_clips_are_kept_only_where_they_are_compared(tmp_path):
    assert main(["bench", *WORDS, f"out={tmp_path}"]) == 0
    assert not (tmp_path / "generated").exists()


def test_a_gpu_that_is_not_there_is_one_clear_error(tmp_path, capsys, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["bench", "sweep=gpu", f"out={tmp_path}"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("lipbench: there is no CUDA device here")
    assert not list(tmp_path.iterdir())
