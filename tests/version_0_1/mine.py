"""A model as the documents of version 0.1 ask for it; it imports nothing of lipbench."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import nn


@dataclass
class Card:
    title: str = "Mine"
    paper: str = ""
    origin: str = ""
    licence: str = ""
    autoregressive: bool = False
    predicts_durations: bool = True
    fps: float = 25.0


class Answer(NamedTuple):
    frames: torch.Tensor
    durations: torch.Tensor | None = None
    stop_logits: torch.Tensor | None = None
    attention: torch.Tensor | None = None


class Mine(nn.Module):
    """Repeats the picture, brighter or darker by what it has learned, as long as the text is."""

    frame_size = (20, 40)
    card = Card()

    def __init__(self, vocabulary_size=40):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))
        self.length = nn.Embedding(vocabulary_size, 1)

    def forward(self, lesson):
        drawn = lesson.picked.shape[1]
        frames = (lesson.identity * self.gain)[:, None].expand(-1, drawn, -1, -1, -1)
        return Answer(frames, durations=self.length(lesson.tokens)[..., 0].exp())

    def generate(self, request):
        if request.n_frames is not None:
            lengths = request.n_frames
        elif request.durations is not None:
            lengths = request.durations.sum(dim=1)
        else:
            lengths = 2 * request.token_lengths
        frames = (request.identity * self.gain).clamp(0, 1)[:, None].expand(-1, int(lengths.max()), -1, -1, -1)
        return SimpleNamespace(frames=frames, lengths=lengths, durations=request.durations)
