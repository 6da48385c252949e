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

CPU = torch.device("cpu")


def test_a_matrix_product_costs_two_operations_per_multiply_add_and_its_output():
    left, right = torch.rand(3, 5), torch.rand(5, 7)
    counted = costs.count(None, lambda: left @ right)
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

    assert costs.count(None, one_after_the_other).activation_bytes == 4000
    assert costs.count(None, side_by_side).activation_bytes == 40000
    assert costs.count(None, in_place).activation_bytes == 4000


def test_a_view_of_a_weight_is_no_activation():
    weight = nn.Parameter(torch.zeros(8, 8))
    assert costs.count(None, lambda: weight.t().contiguous()[:4]).activation_bytes == 8 * 8 * 4
    assert costs.count(None, lambda: weight.view(64)).activation_bytes == 0


@settings(max_examples=10, deadline=None)
@given(steps=st.integers(1, 9), features=st.integers(1, 6), hidden=st.integers(1, 6))
def test_a_recurrent_layer_costs_its_matrix_products_in_both_directions(steps, features, hidden):
    layer = nn.LSTM(features, hidden, bidirectional=True).eval()
    inputs = torch.rand(steps, 2, features)
    with torch.no_grad():
        counted = costs.count(layer, lambda: layer(inputs))
    assert counted.operations == 2 * (2 * steps * 2) * 4 * hidden * (features + hidden)
    assert counted.parameters == 2 * 4 * hidden * (features + hidden + 2)


def test_attention_on_a_cpu_is_counted():
    query = torch.rand(1, 2, 6, 4)
    with torch.no_grad():
        counted = costs.count(None, lambda: nn.functional.scaled_dot_product_attention(query, query, query))
    assert counted.operations == 2 * (2 * 6 * 6 * 4) * 2


@pytest.mark.parametrize("name", models.names())
def test_the_same_model_at_the_same_length_always_costs_the_same_and_a_longer_clip_more(name):
    def of(frames):
        subject = loading.untrained(name, "tiny", options={}, device=CPU)
        request = latency.request_of(frames, 1, frame_size=subject.frame_size, symbols=29, device=CPU)
        return costs.count(subject.model, lambda: subject.model.generate(request))

    assert of(4) == of(4)
    short, long = of(4), of(8)
    assert long.operations > short.operations
    assert long.activation_bytes > short.activation_bytes
    assert long.parameters == short.parameters > 0
