"""Costs are exact: they are checked against what can be worked out by hand, and against themselves."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lipbench import models
from lipbench.benchmarks import latency
from lipbench.benchmarks.cells import loading
from lipbench.benchmarks.timing import costs
from lipbench.models.contract import LipClip, LipRequest

CPU = torch.device("cpu")
REQUEST = LipRequest(torch.ones(1, 1, dtype=torch.long), torch.tensor([1]), torch.zeros(1, 3, 2, 4))


def test_a_matrix_product_costs_two_operations_per_multiply_add_and_its_output():
    left, right = torch.rand(3, 5), torch.rand(5, 7)
    counted = costs.count_costs(None, lambda: left @ right)
    assert (counted.operations, counted.launches, counted.activation_bytes) == (2 * 3 * 5 * 7, 1, 3 * 7 * 4)
    assert counted.parameters == 0


def test_the_peak_is_of_what_lives_at_once():
    given_ = torch.zeros(1000)

    def one_after_the_other():
        for _ in range(10):
            given_ + 1

    def side_by_side():
        return [given_ + 1 for _ in range(10)]

    def in_place():
        made = given_ + 1
        for _ in range(10):
            made.add_(1)

    assert costs.count_costs(None, one_after_the_other).activation_bytes == 4000
    assert costs.count_costs(None, side_by_side).activation_bytes == 40000
    assert costs.count_costs(None, in_place).activation_bytes == 4000


def test_a_view_of_a_weight_is_no_activation():
    weight = nn.Parameter(torch.zeros(8, 8))
    assert costs.count_costs(None, lambda: weight.t().contiguous()[:4]).activation_bytes == 8 * 8 * 4
    assert costs.count_costs(None, lambda: weight.view(64)).activation_bytes == 0


@settings(max_examples=10, deadline=None)
@given(steps=st.integers(1, 9), features=st.integers(1, 6), hidden=st.integers(1, 6))
def test_a_recurrent_layer_costs_its_matrix_products_in_both_directions(steps, features, hidden):
    layer = nn.LSTM(features, hidden, bidirectional=True).eval()
    inputs = torch.rand(steps, 2, features)
    with torch.no_grad():
        counted = costs.count_costs(layer, lambda: layer(inputs))
    assert counted.operations == 2 * (2 * steps * 2) * 4 * hidden * (features + hidden)
    assert counted.parameters == 2 * 4 * hidden * (features + hidden + 2)


def test_attention_on_a_cpu_is_counted():
    query = torch.rand(1, 2, 6, 4)
    with torch.no_grad():
        counted = costs.count_costs(None, lambda: nn.functional.scaled_dot_product_attention(query, query, query))
    assert counted.operations == 2 * (2 * 6 * 6 * 4) * 2


@pytest.mark.parametrize("name", models.names())
def test_the_same_model_at_the_same_length_always_costs_the_same_and_a_longer_clip_more(name):
    def of(frames):
        subject = loading.build_untrained(name, "tiny", options={}, device=CPU)
        request = latency.random_request(frames, 1, frame_size=subject.frame_size, symbols=29, device=CPU)
        return costs.count_costs(subject.model, lambda: subject.model.generate(request))

    assert of(4) == of(4)
    short, long = of(4), of(8)
    assert long.operations > short.operations
    assert long.activation_bytes > short.activation_bytes
    assert long.parameters == short.parameters > 0


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
    made = costs.count_by_module(Counted().eval(), REQUEST)
    # a product of (3, a) and (a, b) is 3ab multiplications and as many additions
    expected = {"whole": 2 * 3 * (4 * 5 + 5 * 6), "past": 2 * 3 * 6 * 7, "idle": 0, costs.OTHER_MODULES: 2 * 3 * 7 * 3}
    assert made.by_module == expected
    assert made.total == sum(expected.values())


def test_counting_leaves_no_hook_behind():
    model = Counted().eval()
    first = costs.count_by_module(model, REQUEST)
    assert costs.count_by_module(model, REQUEST) == first
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
    assert costs.count_by_module(model, request).by_module["image_decoder"] == 2 * frames * (projection + convolutions)


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
    assert costs.count_by_module(Layers().eval(), REQUEST).by_module == {
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
    assert costs.count_by_module(model, request).by_module["text_rnn"] == 2 * tokens * matrices
