from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio
from torchmetrics.functional.image import peak_signal_noise_ratio as torchmetrics_psnr

from lipbench import metrics
from lipbench.metrics.functional import psnr, psnr_wrapping
from lipbench.metrics.protocols import Protocol


def pictures(seed: int, count: int = 3) -> torch.Tensor:
    return torch.rand(count, 3, 16, 20, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("data_range", [1.0, 255.0])
def test_agrees_with_scikit_image(data_range):
    preds, target = data_range * pictures(0), data_range * pictures(1)
    expected = [
        peak_signal_noise_ratio(b.numpy(), a.numpy(), data_range=data_range) for a, b in zip(preds, target, strict=True)
    ]
    np.testing.assert_allclose(psnr(preds, target, data_range=data_range), expected, rtol=1e-12)


def test_agrees_with_torchmetrics():
    preds, target = pictures(2), pictures(3)
    expected = torchmetrics_psnr(preds, target, data_range=1.0, dim=(1, 2, 3), reduction="none")
    torch.testing.assert_close(psnr(preds, target), expected)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.001, 0.9))
def test_a_constant_error_scores_what_the_formula_says(error):
    target = torch.zeros(1, 3, 4, 4, dtype=torch.float64)
    assert psnr(target + error, target).item() == pytest.approx(-20 * math.log10(error))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(1.1, 10.0))
def test_a_larger_error_scores_lower_and_sides_may_be_swapped(seed, factor):
    target, error = pictures(seed), pictures(seed + 1) - 0.5
    near, far = psnr(target + error / 20, target), psnr(target + factor * error / 20, target)
    torch.testing.assert_close(near - far, torch.full_like(near, 20 * math.log10(factor)))
    torch.testing.assert_close(psnr(target, target + error / 20), near)


def test_equal_pictures_are_infinitely_alike():
    assert psnr(pictures(4), pictures(4)).tolist() == [math.inf] * 3


def test_gradients_are_right():
    target, preds = pictures(5, 1)[..., :3, :3], pictures(6, 1)[..., :3, :3].requires_grad_()
    assert torch.autograd.gradcheck(lambda images: psnr(images, target), (preds,))


IMAGES = torch.zeros(2, 3, 16, 16)


@pytest.mark.parametrize(
    ("preds", "target", "options", "named"),
    [
        (IMAGES, IMAGES[..., :8], {}, r"\(2, 3, 16, 8\)"),
        (IMAGES[0], IMAGES[0], {}, r"\(3, 16, 16\)"),
        (IMAGES, IMAGES.to(torch.int64), {}, "int64"),
        (IMAGES, IMAGES, {"data_range": -1.0}, r"-1\.0"),
    ],
)
def test_misuse_is_named(preds, target, options, named):
    with pytest.raises(ValueError, match=named):
        psnr(preds, target, **options)


# --- the arithmetic of old scripts ------------------------------------------------------------------------------------


def test_wrapping_is_numpys_on_bytes():
    generator = torch.Generator().manual_seed(0)
    preds, target = (torch.randint(0, 256, (3, 1, 16, 20), generator=generator, dtype=torch.uint8) for _ in range(2))
    a, b = preds.numpy(), target.numpy()
    expected = 20 * np.log10(255 / np.sqrt(np.mean((a - b) ** 2, axis=(1, 2, 3))))
    np.testing.assert_allclose(psnr_wrapping(preds, target), expected, rtol=1e-12)
    assert (psnr_wrapping(preds, target) > psnr(preds.double(), target.double(), data_range=255.0) + 15).all()


def test_small_errors_do_not_wrap():
    target = torch.full((1, 1, 8, 8), 100, dtype=torch.uint8)
    honest = psnr(target.double() + 15, target.double(), data_range=255.0)
    torch.testing.assert_close(psnr_wrapping(target + 15, target), honest)


@pytest.mark.parametrize(
    ("preds", "target", "named"),
    [
        (IMAGES, IMAGES, "float32"),
        (IMAGES[0].to(torch.uint8), IMAGES[0].to(torch.uint8), r"\(3, 16, 16\)"),
        (IMAGES.to(torch.uint8), IMAGES[..., :8].to(torch.uint8), r"\(2, 3, 16, 8\)"),
    ],
)
def test_misuse_of_wrapping_is_named(preds, target, named):
    with pytest.raises(ValueError, match=named):
        psnr_wrapping(preds, target)


# --- the cap, which belongs to the protocol ---------------------------------------------------------------------------


def test_a_frame_without_error_counts_as_the_cap_and_the_others_as_they_are():
    target = pictures(7, 4)
    preds = target.clone()
    preds[2:] = pictures(8, 2)
    metric = metrics.create("psnr")
    curve = metric.per_frame(preds, target)
    assert curve is not None
    assert curve[:2].tolist() == [100.0, 100.0]
    torch.testing.assert_close(curve[2:], psnr(preds[2:], target[2:]))
    assert metric(preds, target).item() == pytest.approx(curve.mean().item())


def test_the_cap_is_the_protocols():
    metric = metrics.create("psnr", Protocol(name="low", psnr_cap_db=40.0))
    assert metric(pictures(9), pictures(9)).item() == 40.0


def test_the_papers_cap_lies_above_the_smallest_error_of_8_bit_frames():
    target = torch.zeros(1, 3, 80, 160, dtype=torch.float64)
    preds = target.clone()
    preds[0, 0, 0, 0] = 1 / 255
    assert 93 < metrics.create("psnr").per_clip(preds, target).item() < metrics.protocols.get("paper").psnr_cap_db
