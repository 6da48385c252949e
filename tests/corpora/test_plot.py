"""The picture of an utterance: what it shows, checked on the figure's own numbers and on pixels."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from lipbench.benchmarks.cli.main import main
from lipbench.corpora.plot import lip_opening, plot_utterance
from lipbench.corpora.synthetic.corpus import SyntheticCorpus
from lipbench.metrics.functional.aperture_correlation import aperture

OPTIONS = ["corpus.train=2", "corpus.test=1", "corpus.speakers=1", "corpus.seconds=[0.6,0.6]"]


@pytest.fixture(scope="module")
def utterance():
    corpus = SyntheticCorpus(train=2, test=1, speakers=1, seconds=(0.6, 0.6))
    return corpus.load(corpus.ids("test")[0])


def picture(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)


def test_the_opening_is_that_of_the_inner_lips():
    points = np.zeros((3, 20, 2), np.float32)
    points[:, 13:16, 1] = 10
    points[:, 17:20, 1] = np.array([10, 14, 30])[:, None]
    # the outer lips do not count
    points[:, :12] = 99
    assert lip_opening(points).tolist() == [0, 4, 20]


def test_the_opening_is_that_of_the_metrics():
    points = np.random.default_rng(0).normal(40, 15, (50, 20, 2)).astype(np.float32)
    expected = aperture(torch.from_numpy(points).double()).numpy()
    np.testing.assert_allclose(lip_opening(points), expected, rtol=1e-5)


def test_the_same_utterance_gives_the_same_picture(utterance):
    assert plot_utterance(utterance) == plot_utterance(utterance)


@pytest.mark.parametrize(
    "change",
    [
        lambda u: {"frames": 255 - u.frames},
        lambda u: {"landmarks": u.landmarks + np.float32([0, 9])},
        lambda u: {"durations": np.roll(u.durations, 1)},
        lambda u: {"text": "something else"},
        lambda u: {"duration_source": "made up"},
        lambda u: {"seen": True},
    ],
)
def test_everything_about_it_shows(utterance, change):
    changed = replace(utterance, **change(utterance))
    assert picture(plot_utterance(changed)).shape == picture(plot_utterance(utterance)).shape
    assert (picture(plot_utterance(changed)) != picture(plot_utterance(utterance))).any()


@pytest.mark.parametrize("n_frames", [1, 400])
def test_clips_of_any_length_can_be_drawn(utterance, n_frames):
    durations = np.zeros_like(utterance.durations)
    durations[1] = n_frames
    clip = replace(
        utterance,
        frames=np.resize(utterance.frames, (n_frames, 80, 160, 3)),
        landmarks=np.resize(utterance.landmarks, (n_frames, 20, 2)),
        durations=durations,
    )
    assert picture(plot_utterance(clip)).shape[1] == {1: 1800, 400: 4500}[n_frames]


def test_show_writes_a_picture(utterance, tmp_path, capsys):
    out = tmp_path / "deep" / "it.png"
    assert main(["show", f"utterance={utterance.id}", f"out={out}", *OPTIONS]) == 0
    assert str(out) in capsys.readouterr().out
    assert out.read_bytes() == plot_utterance(utterance)
    # without an id, the first one for testing
    assert main(["show", f"out={out}", *OPTIONS]) == 0
    assert utterance.id in capsys.readouterr().out


def test_what_cannot_be_shown_is_one_line(tmp_path, capsys):
    (tmp_path / "file").touch()
    for words, says in (
        (["utterance=f00/999999"], "no utterance 'f00/999999'"),
        ([f"out={tmp_path / 'file' / 'it.png'}"], "cannot be written"),
        (["corpus=grid", "corpus.store=no/such/store"], "no prepared grid in no/such/store"),
    ):
        assert main(["show", *words, *(OPTIONS if "corpus=grid" not in words else [])]) == 2
        assert says in capsys.readouterr().err
