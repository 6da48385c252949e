"""A small corpus of drawn mouths, with and without faces around them, and a model that repeats what it is shown."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lipbench.benchmarks.cells.loading import LoadedModel
from lipbench.benchmarks.scoring.scorer import Scoring
from lipbench.corpora.placement import Placement
from lipbench.corpora.synthetic.corpus import SyntheticCorpus
from lipbench.models.contract import LipClip
from lipbench.models.text import Vocabulary
from lipbench.records.system import System


class WithFaces(SyntheticCorpus):
    """Drawn mouths that are said to come from a grey face: the predictor answers something, always the same."""

    def placement(self, utterance_id):
        n_frames = len(self.load(utterance_id).frames)
        face = np.full((256, 256, 3), 128, np.uint8)
        face[60:100, 40:216] = 60
        affines = np.tile(np.array([[1.5, 0.0, -30.0], [0.0, 1.5, -90.0]]), (n_frames, 1, 1))
        return Placement(face=face, corner=(48, 150), box=(-13.0, -41.0, 170.0), affines=affines)


class Parrot:
    """Repeats the identity for a number of frames that it chooses; remembers what it was asked."""

    def __init__(self, extra=0, durations=None):
        self.extra = extra
        self.durations = durations
        self.requests = []

    def generate(self, request):
        self.requests.append(request)
        wanted = (
            request.durations.sum(dim=1) if request.durations is not None else torch.full((len(request.tokens),), 9)
        )
        lengths = wanted + self.extra
        longest = int(lengths.max())
        # padding that would ruin the score if it were scored
        frames = request.identity[:, None].repeat(1, longest + 3, 1, 1, 1)
        frames[torch.arange(longest + 3) >= lengths[:, None]] = 0
        per_token = None if self.durations is None else torch.full_like(request.tokens, self.durations)
        return LipClip(frames, lengths, per_token)


OPTIONS = {"train": 1, "test": 5, "speakers": 2, "seconds": (0.6, 1.0)}


@pytest.fixture(scope="session")
def drawn():
    """Helpers that tests of this folder share."""
    corpus = SyntheticCorpus(**OPTIONS)

    def scoring(corpus=corpus, **changes):
        facts = {
            "corpus": corpus,
            "corpus_options": {"seed": 0},
            "ids": corpus.ids("test"),
            "split": "test",
            "protocol": "paper",
            "metrics": ["psnr", "ssim"],
            "workers": 0,
        }
        return Scoring(**(facts | changes))

    def subject(model):
        system = System(name="parrot", title="Parrot", kind="model", frame_size=(40, 80))
        return LoadedModel(model, system, Vocabulary(corpus.symbols), (40, 80))

    return SimpleNamespace(
        corpus=corpus, with_faces=WithFaces(**OPTIONS), scoring=scoring, subject=subject, Parrot=Parrot
    )
