from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure

from lipbench import metrics
from lipbench.metrics.functional import ssim


def textured(seed: int, *, count: int = 3, height: int = 40, width: int = 80) -> torch.Tensor:
    """Smooth pictures with some grain, float64 in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, height // 8, width // 8, generator=generator, dtype=torch.float64)
    smooth = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")
    grain = 0.05 * torch.randn(smooth.shape, generator=generator, dtype=torch.float64)
    return (smooth + grain).clamp(0, 1)


def noisy(images: torch.Tensor, strength: float, seed: int = 99) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (images + strength * torch.randn(images.shape, generator=generator, dtype=torch.float64)).clamp(0, 1)


def scikit(first: torch.Tensor, second: torch.Tensor, *, data_range: float = 1.0, covariance: str = "population"):
    """scikit-image drops the border itself: its mean runs over windows that lie inside."""
    return [
        structural_similarity(
            a.permute(1, 2, 0).numpy(),
            b.permute(1, 2, 0).numpy(),
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=covariance == "sample",
            data_range=data_range,
        )
        for a, b in zip(first, second, strict=True)
    ]


@pytest.mark.parametrize("strength", [0.0, 0.02, 0.1, 0.5])
@pytest.mark.parametrize("covariance", ["population", "sample"])
def test_agrees_with_scikit_image(strength, covariance):
    target = textured(0)
    preds = noisy(target, strength)
    np.testing.assert_allclose(
        ssim(preds, target, covariance=covariance), scikit(preds, target, covariance=covariance), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("covariance", ["population", "sample"])
@pytest.mark.parametrize("window", [7, 9])
def test_the_uniform_window_agrees_with_scikit_image(window, covariance):
    target = textured(12)
    preds = noisy(target, 0.1)
    expected = [
        structural_similarity(
            a.permute(1, 2, 0).numpy(),
            b.permute(1, 2, 0).numpy(),
            channel_axis=-1,
            win_size=window,
            use_sample_covariance=covariance == "sample",
            data_range=1.0,
        )
        for a, b in zip(preds, target, strict=True)
    ]
    values = ssim(preds, target, window=window, weights="uniform", covariance=covariance)
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [(11, 11), (11, 30), (80, 160)])
def test_agrees_at_any_size(size):
    target = textured(1, height=88, width=168)[..., : size[0], : size[1]]
    preds = noisy(target, 0.1)
    np.testing.assert_allclose(ssim(preds, target), scikit(preds, target), rtol=0, atol=1e-12)


def test_agrees_with_scikit_image_on_unrelated_pictures_of_another_range():
    preds, target = 255 * textured(2), 255 * textured(3)
    np.testing.assert_allclose(
        ssim(preds, target, data_range=255.0), scikit(preds, target, data_range=255.0), rtol=0, atol=1e-12
    )


def test_the_reflected_border_agrees_with_torchmetrics():
    target = textured(4)
    preds = noisy(target, 0.1)
    _, similarity = structural_similarity_index_measure(
        preds, target, sigma=1.5, data_range=1.0, reduction="none", return_full_image=True
    )
    np.testing.assert_allclose(ssim(preds, target, border="reflect"), similarity.mean(dim=(1, 2, 3)), atol=1e-12)


def test_single_precision_is_good_to_five_digits():
    target = textured(5)
    preds = noisy(target, 0.1)
    np.testing.assert_allclose(ssim(preds.float(), target.float()), ssim(preds, target), rtol=0, atol=2e-6)


def test_bright_flat_pictures_keep_their_digits():
    """Where E[x^2] - E[x]^2 would cancel: a faint texture on white."""
    target = 0.98 + 0.02 * textured(6)
    preds = noisy(target, 0.005)
    np.testing.assert_allclose(ssim(preds.float(), target.float()), scikit(preds, target), rtol=0, atol=2e-5)


def test_half_precision_is_widened():
    target = textured(7).half()
    preds = noisy(target.double(), 0.1).half()
    values = ssim(preds, target)
    assert values.dtype == torch.float32
    torch.testing.assert_close(values, ssim(preds.float(), target.float()))


def test_autocast_does_not_reach_the_variances():
    target = textured(8).float()
    preds = noisy(textured(8), 0.1).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = ssim(preds, target)
    torch.testing.assert_close(inside, ssim(preds, target), rtol=0, atol=0)


def test_each_image_has_its_own_value():
    target = textured(9, count=4)
    preds = torch.stack([noisy(image[None], 0.05 * index)[0] for index, image in enumerate(target)])
    together = ssim(preds, target)
    apart = torch.cat([ssim(a[None], b[None]) for a, b in zip(preds, target, strict=True)])
    assert together.shape == (4,)
    torch.testing.assert_close(together, apart, rtol=0, atol=1e-12)


def test_gradients_are_right():
    target = textured(10, count=1, height=16, width=24)[:, :1, :11, :12]
    preds = noisy(target, 0.1).requires_grad_()
    assert torch.autograd.gradcheck(lambda image: ssim(image, target), (preds,))
    assert torch.autograd.gradcheck(lambda image: ssim(image, target, border="reflect"), (preds,))


def test_climbing_the_gradient_mends_the_picture():
    target = textured(11, count=1).float()
    preds = noisy(textured(11, count=1), 0.2).float().requires_grad_()
    before = ssim(preds, target).item()
    optimiser = torch.optim.Adam([preds], lr=0.01)
    for _ in range(20):
        optimiser.zero_grad()
        (-ssim(preds, target).mean()).backward()
        optimiser.step()
    assert ssim(preds, target).item() > before + 0.2


pictures = st.integers(0, 10**6)


@settings(max_examples=25, deadline=None)
@given(pictures, pictures, st.sampled_from(["population", "sample"]), st.sampled_from(["valid", "reflect"]))
def test_one_on_equal_pictures_symmetric_and_bounded(seed, other, covariance, border):
    first, second = textured(seed, count=1, width=24, height=16), textured(other, count=1, width=24, height=16)
    options = {"covariance": covariance, "border": border}
    assert ssim(first, first, **options).item() == pytest.approx(1.0, abs=1e-12)
    there, back = ssim(first, second, **options), ssim(second, first, **options)
    torch.testing.assert_close(there, back, rtol=0, atol=1e-12)
    assert -1 <= there.item() <= 1


@settings(max_examples=25, deadline=None)
@given(pictures, st.floats(0.01, 0.3), st.floats(1.3, 4.0))
def test_more_noise_scores_lower(seed, strength, factor):
    target = textured(seed, count=1)
    assert ssim(noisy(target, strength * factor), target) < ssim(noisy(target, strength), target)


@settings(max_examples=15, deadline=None)
@given(pictures, st.floats(0.5, 300.0))
def test_only_the_size_relative_to_the_range_counts(seed, scale):
    target = textured(seed, count=1, width=24, height=16)
    preds = noisy(target, 0.1)
    scaled = ssim(scale * preds, scale * target, data_range=scale)
    torch.testing.assert_close(scaled, ssim(preds, target), rtol=0, atol=1e-10)


IMAGES = torch.zeros(2, 3, 16, 16)


@pytest.mark.parametrize(
    ("preds", "target", "options", "named"),
    [
        (IMAGES, IMAGES[:1], {}, r"\(1, 3, 16, 16\)"),
        (IMAGES[0], IMAGES[0], {}, r"\(3, 16, 16\)"),
        (IMAGES.to(torch.uint8), IMAGES, {}, "uint8"),
        (IMAGES[..., :10], IMAGES[..., :10], {}, "16 x 10"),
        (IMAGES, IMAGES, {"window": 8}, "8"),
        (IMAGES, IMAGES, {"window": 1}, "1"),
        (IMAGES, IMAGES, {"sigma": 0.0}, r"0\.0"),
        (IMAGES, IMAGES, {"data_range": 0.0}, r"0\.0"),
        (IMAGES, IMAGES, {"covariance": "both"}, "both"),
        (IMAGES, IMAGES, {"border": "zero"}, "zero"),
        (IMAGES, IMAGES, {"weights": "triangle"}, "triangle"),
        (IMAGES, IMAGES, {"weights": "uniform", "sigma": 1.5}, "uniform"),
    ],
)
def test_misuse_is_named(preds, target, options, named):
    with pytest.raises(ValueError, match=named):
        ssim(preds, target, **options)


def test_what_was_scored_in_inference_mode_does_not_spoil_a_later_loss():
    size = {"height": 24, "width": 56}  # of no other test: what is kept from call to call is made here
    with torch.inference_mode():
        ssim(textured(0, **size), textured(1, **size))
    images = textured(0, **size).requires_grad_()
    ssim(images, textured(1, **size)).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().max() > 0


def test_frames_smaller_than_the_window_have_no_value_and_others_are_pooled():
    metric = metrics.create("ssim")
    small = torch.rand(2, 3, 8, 32)
    metric.update(small, small)
    whole = textured(0)
    metric.update(whole, whole)
    assert metric.score(small, small).reason == "frames of 32 x 8 are smaller than the SSIM window of 11"
    assert (metric.undefined, metric.compute().item()) == (1, pytest.approx(1))


def test_frames_of_any_memory_layout_score_the_same():
    preds, target = (
        torch.rand(2, 24, 32, 3, generator=torch.Generator().manual_seed(n)).permute(0, 3, 1, 2) for n in (0, 1)
    )
    torch.testing.assert_close(ssim(preds, target), ssim(preds.contiguous(), target.contiguous()), rtol=0, atol=1e-12)
