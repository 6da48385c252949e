from __future__ import annotations

import pytest
import torch
from torch import nn

from lipbench import models
from lipbench.benchmarks.timing.operations import ELSEWHERE, count
from lipbench.models.contract import LipClip, LipRequest

REQUEST = LipRequest(torch.ones(1, 1, dtype=torch.long), torch.tensor([1]), torch.zeros(1, 3, 2, 4))


class Counted(nn.Module):
    """Calls one part as a whole, one past its parent, and multiplies once by itself."""

    def __init__(self):
        super().__init__()
        self.whole = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 6))
        self.past = nn.ModuleList([nn.Linear(6, 7)])
        self.idle = nn.Linear(2, 2)

    def generate(self, request):
        x = self.past[0](self.whole(torch.ones(3, 4)))
        return LipClip((x @ x.T).expand(1, 1, 3, 3, 3), torch.tensor([1]))


def test_each_part_has_its_own_products_and_they_sum_to_the_total():
    made = count(Counted().eval(), REQUEST)
    # a product of (3, a) and (a, b) is 3ab multiplications and as many additions
    expected = {"whole": 2 * 3 * (4 * 5 + 5 * 6), "past": 2 * 3 * 6 * 7, "idle": 0, ELSEWHERE: 2 * 3 * 7 * 3}
    assert made.by_module == expected
    assert made.total == sum(expected.values())


def test_counting_leaves_no_hook_behind():
    model = Counted().eval()
    first = count(model, REQUEST)
    assert count(model, REQUEST) == first
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_the_paper_presets_drawing_costs_what_its_layers_multiply():
    """By hand, from the shapes: (channels of the level below and of the identity's) x (channels made) x pixels."""
    frames = 3
    levels = [(256 + 128, 196, 5 * 10), (196 + 64, 128, 10 * 20), (128 + 32, 80, 20 * 40), (80 + 16, 48, 40 * 80)]
    last = [(48, 16, 80 * 160), (16, 3, 80 * 160)]
    convolutions = sum(5 * 5 * inputs * outputs * pixels for inputs, outputs, pixels in [*levels, *last])
    projection = (256 + 256) * 256 * 5 * 10
    model = models.create("hh_t2l", "paper", drawing="plain").eval()
    request = LipRequest(
        torch.ones(1, 4, dtype=torch.long),
        torch.tensor([4]),
        torch.zeros(1, 3, 80, 160),
        n_frames=torch.tensor([frames]),
    )
    assert count(model, request).by_module["image_decoder"] == 2 * frames * (projection + convolutions)


class Layers(nn.Module):
    """One layer of each kind whose operations can be worked out by hand."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2)
        self.gru = nn.GRU(4, 5, bidirectional=True)
        self.conv = nn.Conv2d(2, 6, (3, 5), padding=(1, 2))

    def generate(self, request):
        steps, _ = self.lstm(torch.ones(7, 2, 3))
        self.gru(steps)
        frames = self.conv(torch.ones(1, 2, 8, 9))
        return LipClip(frames.expand(1, 1, 6, 8, 9), torch.tensor([1]))


@torch.no_grad()
def test_recurrent_layers_and_convolutions_cost_what_they_multiply():
    steps = 7 * 2
    assert count(Layers().eval(), REQUEST).by_module == {
        "lstm": 2 * steps * 4 * 4 * ((3 + 4) + (4 + 4)),
        "gru": 2 * steps * 2 * 3 * 5 * (4 + 5),
        "conv": 2 * (2 * 3 * 5) * 6 * (8 * 9),
    }


@pytest.mark.parametrize("tokens", [1, 6])
def test_the_recurrent_text_encoder_of_dual_lip_is_counted(tokens):
    model = models.create("dual_lip", "tiny").eval()
    request = LipRequest(
        torch.ones(1, tokens, dtype=torch.long),
        torch.tensor([tokens]),
        torch.zeros(1, 3, *model.frame_size),
        n_frames=torch.tensor([2]),
    )
    matrices = sum(weight.numel() for weight in model.text_rnn.parameters() if weight.ndim == 2)
    assert count(model, request).by_module["text_rnn"] == 2 * tokens * matrices
