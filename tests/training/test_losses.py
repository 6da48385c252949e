from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from lipbench.training import losses


def test_reconstruction_is_the_mean_absolute_difference():
    preds, target = torch.rand(2, 3, 12, 14), torch.rand(2, 3, 12, 14)
    assert losses.reconstruction_loss(preds, target).item() == pytest.approx(
        sum(abs(a - b) for a, b in zip(preds.flatten().tolist(), target.flatten().tolist(), strict=True))
        / preds.numel()
    )


def test_the_ssim_loss_is_one_minus_scikit_images_ssim():
    preds, target = torch.rand(3, 12, 14), torch.rand(3, 12, 14)
    _, full = structural_similarity(
        preds.numpy(), target.numpy(), channel_axis=0, data_range=1.0, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, full=True,
    )  # fmt: skip
    expected = 1 - full[:, 5:-5, 5:-5].mean()
    assert losses.ssim_loss(preds[None], target[None]).item() == pytest.approx(expected, abs=1e-5)


def test_the_duration_loss_is_equation_four_per_token():
    # tokens: |1-2| + |4-3|, sum: |5-5|; one clip of two tokens, the third is padding
    preds, target = torch.tensor([[1.0, 4.0, 9.0]]), torch.tensor([[2, 3, 0]])
    assert losses.duration_loss(preds, target, torch.tensor([2])).item() == pytest.approx((1 + 1 + 0) / 2)
    # both too long: the sum adds its own part
    preds = torch.tensor([[3.0, 4.0, 9.0]])
    assert losses.duration_loss(preds, target, torch.tensor([2])).item() == pytest.approx((1 + 1 + 2) / 2)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8))
def test_the_duration_loss_of_the_truth_is_nothing(row):
    truth = torch.tensor([row])
    assert losses.duration_loss(truth.float(), truth, torch.tensor([len(row)])).item() == 0


def test_the_stop_loss_is_the_mean_cross_entropy_of_the_real_frames():
    logits = torch.tensor([[-2.0, -1.0, 3.0, 50.0]])  # the last is padding
    expected = (F.softplus(torch.tensor(-2.0)) + F.softplus(torch.tensor(-1.0)) + F.softplus(torch.tensor(-3.0))) / 3
    assert losses.stop_loss(logits, torch.tensor([3])).item() == pytest.approx(expected.item())


def test_the_stop_loss_of_a_single_frame_is_finite():
    assert math.isfinite(losses.stop_loss(torch.zeros(1, 1), torch.tensor([1])).item())


def test_guided_attention_costs_nothing_on_the_diagonal_and_something_off_it():
    diagonal = torch.eye(6)[None]
    lengths = torch.tensor([6])
    assert losses.guided_attention_loss(diagonal, lengths, lengths).item() == 0
    assert losses.guided_attention_loss(diagonal.flip(2), lengths, lengths).item() > 0.5


def test_guided_attention_ignores_padding():
    attention = torch.eye(4)[None]
    base = losses.guided_attention_loss(attention, torch.tensor([4]), torch.tensor([4]))
    padded = torch.nn.functional.pad(attention, (0, 3, 0, 2), value=0.0)
    padded[:, 4:, 0] = 1
    assert torch.equal(losses.guided_attention_loss(padded, torch.tensor([4]), torch.tensor([4])), base)


def test_the_log_duration_loss_is_the_public_codes():
    preds, target = torch.tensor([[1.5, 0.0, 9.0], [4.0, 7.0, 7.0]]), torch.tensor([[2, 1, 0], [3, 0, 0]])
    lengths = torch.tensor([2, 1])
    first = ((math.log(2.5) - math.log(3)) ** 2 + (math.log(1) - math.log(2)) ** 2) / 2
    second = (math.log(5) - math.log(4)) ** 2
    assert losses.log_duration_loss(preds, target, lengths).item() == pytest.approx((first + second) / 2)
