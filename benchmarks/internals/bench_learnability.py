"""Whether the synthetic corpus tells a mouth that speaks from one that stands still: a model against the controls.

It takes about five minutes for each kind of token on two idle cores, so it runs only when asked for: ``pytest
benchmarks/internals/bench_learnability.py --lipbench-learn``. A drawn mouth has no face around it in which dlib could
find landmarks. Its opening is therefore read from the pixels, by a linear map per speaker that was fitted to the known
openings of training clips; the row `ground_truth` says how well that reads.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from lipbench.benchmarks.cells.loading import load_trained
from lipbench.benchmarks.scoring.clips import ClipPair, generate_clips, load_reference, make_control_clips
from lipbench.corpora.synthetic.corpus import SyntheticCorpus, Tokens
from lipbench.corpora.utterance import Utterance
from lipbench.metrics.functional.aperture_correlation import MOTIONLESS_PX, aperture
from lipbench.metrics.functional.psnr import psnr
from lipbench.metrics.functional.ssim import ssim
from lipbench.training.config import TrainingConfig
from lipbench.training.fit import train

MODEL, PRESET = "hh_t2l", "small"
STEPS = 530
"""Updates of 12 clips, 4 frames each: about five minutes at the 1.77 a second that two idle cores do."""
CLEARLY_DB, CLEARLY_R = 1.0, 0.5
"""How much better than the best motionless control a mouth that has learned to speak must be."""
PSNR_CAP_DB = 100.0
"""Of a frame without error, as the protocol "paper" has it; a repeated first frame has one in every clip."""
FIT_CLIPS = 10
"""Training clips of each speaker that the reader is fitted to: about 800 frames."""
GRID = (10, 20)
"""The reader sees the mean colour in so many rows and columns."""
RIDGE = 1e-2


class OpeningReader:
    """Reads how far drawn lips are apart from the pixels.

    Args:
        corpus: whose training clips it is fitted to.
        frame_size: (H, W) of the frames that it will see.
    """

    def __init__(self, corpus: SyntheticCorpus, frame_size: tuple[int, int]) -> None:
        clips: dict[str, list[str]] = {}
        for name in corpus.ids("train"):
            clips.setdefault(name.partition("/")[0], []).append(name)
        self._maps: dict[str, NDArray[np.float64]] = {}
        for speaker, names in clips.items():
            references = [load_reference(corpus, name, frame_size) for name in names[:FIT_CLIPS]]
            features = np.concatenate([_features(reference.frames) for reference in references])
            openings = np.concatenate([true_opening(corpus.load(reference.utterance.id)) for reference in references])
            gram = features.T @ features + RIDGE * len(features) * np.eye(features.shape[1])
            self._maps[speaker] = np.linalg.solve(gram, features.T @ openings).astype(np.float64)

    def read(self, speaker: str, frames: Tensor) -> NDArray[np.float64]:
        """The opening in every frame, float (T,) in pixels of the full-size crop.

        Args:
            speaker: who speaks.
            frames: float (T, 3, H, W) in [0, 1].
        """
        return _features(frames) @ self._maps[speaker]


def _features(frames: Tensor) -> NDArray[np.float64]:
    """Float (T, k): mean colours, against those of the clip as its light changes from one to the next, and a one."""
    cells = adaptive_avg_pool2d(frames, GRID).flatten(1).double().numpy()
    return np.column_stack([cells - cells[:1], np.ones(len(cells))])


def true_opening(utterance: Utterance) -> NDArray[np.float64]:
    """Mean distance of the inner lips in every frame, float (T,), from the landmarks."""
    return aperture(torch.from_numpy(utterance.landmarks).double()).numpy()


def correlation(predicted: NDArray[np.float64], true: NDArray[np.float64]) -> float:
    """Pearson's r of two openings (T,); 0 if the first does not change, as `aperture_correlation` has it."""
    return 0.0 if np.ptp(predicted) < MOTIONLESS_PX else float(np.corrcoef(predicted, true)[0, 1])


def score(pairs: Iterable[ClipPair], corpus: SyntheticCorpus, reader: OpeningReader) -> dict[str, float]:
    """Means over clips of one system's PSNR (dB), SSIM and correlation of the opening; lengths agree."""
    rows = []
    for reference, generated_clip in pairs:
        opening = reader.read(reference.utterance.speaker, generated_clip.frames)
        rows.append(
            (
                psnr(generated_clip.frames, reference.frames).clamp(max=PSNR_CAP_DB).mean().item(),
                ssim(generated_clip.frames, reference.frames).mean().item(),
                correlation(opening, true_opening(corpus.load(reference.utterance.id))),
            )
        )
    return dict(zip(("psnr", "ssim", "aperture_r"), map(statistics.fmean, zip(*rows, strict=True)), strict=True))


def compare(checkpoint: Path, corpus: SyntheticCorpus) -> dict[str, dict[str, float]]:
    """Scores of a trained model, given true durations, and of the controls on the test clips, by system."""
    device = torch.device("cpu")
    loaded_model = load_trained(checkpoint, model=MODEL, preset=PRESET, device=device)
    size, ids = loaded_model.frame_size, corpus.ids("test")
    reader = OpeningReader(corpus, size)
    systems = {MODEL: generate_clips(loaded_model, corpus, ids, durations="true", batch=8, device=device)}
    for name in ("ground_truth", "first_frame", "mean_frame"):
        systems[name] = make_control_clips(name, corpus, ids, frame_size=size)
    return {name: score(pairs, corpus, reader) for name, pairs in systems.items()}


@pytest.mark.benchmark(group="learnability", warmup=False)
@pytest.mark.parametrize("tokens", ["characters", "phones"])
def bench_learnability(
    benchmark: BenchmarkFixture, request: pytest.FixtureRequest, tmp_path: Path, tokens: Tokens
) -> None:
    """Train on the corpus' defaults; what is timed is the training."""
    if not request.config.getoption("--lipbench-learn"):
        pytest.skip("trains for five minutes: ask for it with --lipbench-learn")
    corpus = SyntheticCorpus(tokens=tokens)
    checkpoint = benchmark.pedantic(
        lambda: train(
            MODEL,
            PRESET,
            options={},
            corpus=corpus,
            config=TrainingConfig(steps=STEPS),
            folder=tmp_path / "train",
            progress=False,
            device="cpu",
        ),
        rounds=1,
    )
    scores = compare(checkpoint, corpus)
    benchmark.extra_info.update(steps=STEPS, fingerprint=corpus.fingerprint, systems=scores)
    for name in ("first_frame", "mean_frame"):
        assert scores[MODEL]["psnr"] > scores[name]["psnr"] + CLEARLY_DB, scores
        assert scores[MODEL]["ssim"] > scores[name]["ssim"], scores
        assert scores[MODEL]["aperture_r"] > scores[name]["aperture_r"] + CLEARLY_R, scores
