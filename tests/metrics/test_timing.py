"""Durations and lengths."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipbench import metrics
from lipbench.metrics.functional import token_duration_error

counts = st.lists(st.integers(0, 40), min_size=4, max_size=4)


@settings(max_examples=30, deadline=None)
@given(counts, counts)
def test_the_token_error_is_the_mean_difference(a, b):
    expected = sum(abs(x - y) for x, y in zip(a, b, strict=True)) / 4
    assert token_duration_error(torch.tensor(a), torch.tensor(b)).item() == expected
    assert metrics.create("token_duration_error").per_clip(torch.tensor(a), torch.tensor(b)).item() == expected


def test_frames_shifted_between_tokens_are_an_error_though_the_length_is_right():
    right, wrong = torch.tensor([5, 5, 5]), torch.tensor([8, 4, 3])
    assert metrics.create("length_error").per_clip(wrong.sum(), right.sum()).item() == 0
    assert metrics.create("token_duration_error").per_clip(wrong, right).item() == 2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 300), st.integers(1, 300))
def test_the_length_error_and_its_share(made, real):
    assert metrics.create("length_error").per_clip(made, real).item() == abs(made - real)
    assert metrics.create("length_error_share").per_clip(made, real).item() == pytest.approx(
        100 * abs(made - real) / real
    )


def test_too_long_and_too_short_do_not_cancel():
    metric = metrics.create("length_error")
    metric.update(70, 75)
    metric.update(80, 75)
    assert metric.compute().item() == 5


def test_a_real_clip_without_frames_is_refused():
    with pytest.raises(ValueError, match="target has no frame"):
        metrics.create("length_error_share").update(5, 0)


@pytest.mark.parametrize(("preds", "target"), [((3,), (2,)), ((0,), (0,)), ((2, 2), (2, 2))])
def test_misuse_of_the_function_is_named(preds, target):
    with pytest.raises(ValueError, match="at least one token"):
        token_duration_error(torch.zeros(preds), torch.zeros(target))
