"""Our values against those of other libraries, on fixed inputs and under equal settings: a table for reports.

The inputs are made from a seed, so the table can be made anywhere. A reference that is not installed is said to be
absent; its rows are missing, not passed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lipbench.metrics.functional import frechet_distance, kernel_distance, lmd, psnr, psnr_wrapping, ssim
from lipbench.metrics.pictures import grey_8_bits, to_8_bits

SEED = 20
PICTURE_ALLOWED = 1e-4
DISTANCE_ALLOWED = 1e-3


class LibraryComparison(NamedTuple):
    """One comparison."""

    metric: str
    setting: str
    """What both computed, in words."""
    ours: float
    reference: float
    source: str
    """Distribution and version of the reference, such as "scikit-image 0.26.0"."""
    difference: float
    kind: Literal["absolute", "relative"]
    """Of what kind the difference is."""
    allowed: float

    @property
    def passed(self) -> bool:
        """Whether the difference is allowed."""
        return self.difference <= self.allowed


class LibraryComparisons(NamedTuple):
    """All comparisons that could be made here."""

    rows: list[LibraryComparison]
    absent: list[str]
    """References that are not installed, so that nothing was compared with them."""


def calibrate() -> LibraryComparisons:
    """Compare every metric that another library has too. Takes about a second."""
    rows: list[LibraryComparison] = []
    absent: list[str] = []
    for distribution, module, compare in _REFERENCES:
        try:
            importlib.import_module(module)
            version = metadata.version(distribution)
        except (ImportError, metadata.PackageNotFoundError):
            absent.append(distribution)
            continue
        rows.extend(compare(f"{distribution} {version}"))
    return LibraryComparisons(rows, absent)


def _scikit_image(source: str) -> Iterator[LibraryComparison]:
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    preds, target = _pictures()
    pairs = [(_channels_last(a), _channels_last(b)) for a, b in zip(preds, target, strict=True)]
    # of its own annotations some are missing and some wrong
    similarity: Any = structural_similarity
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    means = {
        "PSNR, RGB in [0, 1]": (
            psnr(preds, target),
            [peak_signal_noise_ratio(b, a, data_range=1.0) for a, b in pairs],
        ),
        "SSIM, gaussian 11, sigma 1.5, population covariance, valid border": (
            ssim(preds, target),
            [similarity(b, a, channel_axis=-1, data_range=1.0, **gaussian) for a, b in pairs],
        ),
        "SSIM, uniform 7, sample covariance, valid border": (
            ssim(preds, target, window=7, weights="uniform", covariance="sample"),
            [similarity(b, a, channel_axis=-1, data_range=1.0) for a, b in pairs],
        ),
    }
    for setting, (ours, theirs) in means.items():
        yield _row(setting, ours.mean(), np.mean(theirs), source, PICTURE_ALLOWED)


def _torchmetrics(source: str) -> Iterator[LibraryComparison]:
    from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

    preds, target = _pictures()
    theirs = peak_signal_noise_ratio(preds, target, data_range=1.0, dim=(1, 2, 3))
    yield _row("PSNR, RGB in [0, 1]", psnr(preds, target).mean(), theirs, source, PICTURE_ALLOWED)
    # it mirrors the picture at its edges and takes the mean of the whole map
    setting = "SSIM, gaussian 11, sigma 1.5, population covariance, reflect border"
    theirs = structural_similarity_index_measure(preds, target, sigma=1.5, data_range=1.0)
    yield _row(setting, ssim(preds, target, border="reflect").mean(), theirs, source, PICTURE_ALLOWED)


def _torch_fidelity(source: str) -> Iterator[LibraryComparison]:
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import kernel_mmd

    preds, target = _features()
    statistics = [fid_features_to_statistics(side) for side in (preds, target)]
    theirs = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    setting = f"{len(preds)} and {len(target)} features of {preds.shape[1]} dimensions"
    yield _row(f"Fréchet distance, {setting}", frechet_distance(preds, target), theirs, source, relative=True)
    same = min(len(preds), len(target))
    preds, target = preds[:same], target[:same]
    polynomial = {"kid_kernel": "poly", "kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None}
    theirs = kernel_mmd(preds.numpy(), target.numpy(), **polynomial, kid_kernel_poly_coef0=1)
    setting = f"twice {same} features of {preds.shape[1]} dimensions"
    yield _row(f"Kernel distance, {setting}", kernel_distance(preds, target), theirs, source, relative=True)


def _old_scripts(source: str) -> Iterator[LibraryComparison]:
    """What the field's scripts compute with NumPy, step by step."""
    preds, target = (grey_8_bits(to_8_bits(side)) for side in _pictures())
    a, b = preds.numpy(), target.numpy()
    theirs = (20 * np.log10(255 / np.sqrt(np.mean((a - b) ** 2, axis=(1, 2, 3))))).mean()
    setting = "PSNR, grey 8-bit arithmetic that wraps around"
    yield _row(setting, psnr_wrapping(preds, target).mean(), theirs, source, PICTURE_ALLOWED)
    generator = torch.Generator().manual_seed(SEED)
    first, second = (40 * torch.rand(30, 20, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    point_sets = [side.numpy() - side.numpy().mean(axis=1, keepdims=True) for side in (first, second)]
    theirs = np.sqrt(((point_sets[0] - point_sets[1]) ** 2).sum(axis=2)).sum(axis=1).mean()
    ours = lmd(first, second, centred=True, over_points="sum").mean()
    yield _row("LMD, centred, sum over the 20 points", ours, theirs, source, relative=True)


_REFERENCES: tuple[tuple[str, str, Callable[[str], Iterator[LibraryComparison]]], ...] = (
    ("scikit-image", "skimage", _scikit_image),
    ("torchmetrics", "torchmetrics", _torchmetrics),
    ("torch-fidelity", "torch_fidelity", _torch_fidelity),
    ("numpy", "numpy", _old_scripts),
)


def _row(
    setting: str,
    ours: Tensor,
    reference: Any,
    source: str,
    allowed: float = DISTANCE_ALLOWED,
    *,
    relative: bool = False,
) -> LibraryComparison:
    metric, _, rest = setting.partition(", ")
    value, expected = float(ours), float(reference)
    difference = abs(value - expected) / (abs(expected) if relative else 1.0)
    return LibraryComparison(
        metric, rest, value, expected, source, difference, "relative" if relative else "absolute", allowed
    )


def _pictures() -> tuple[Tensor, Tensor]:
    """Eight smooth pictures of 80 x 160, and the same with more and more noise, float64 (8, 3, 80, 160)."""
    generator = torch.Generator().manual_seed(SEED)
    coarse = torch.rand(8, 3, 10, 20, generator=generator, dtype=torch.float64)
    target = F.interpolate(coarse, size=(80, 160), mode="bilinear")
    noise = torch.randn(target.shape, generator=generator, dtype=torch.float64)
    return (target + torch.linspace(0.01, 0.3, 8)[:, None, None, None] * noise).clamp(0, 1), target


def _features() -> tuple[Tensor, Tensor]:
    """Two sets of correlated features that differ in mean and spread, float64 (600, 64) and (500, 64)."""
    generator = torch.Generator().manual_seed(SEED)
    mixing = torch.randn(64, 64, generator=generator, dtype=torch.float64)
    first, second = (torch.randn(n, 64, generator=generator, dtype=torch.float64) @ mixing for n in (600, 500))
    return 1.1 * first + 0.5, second


def _channels_last(picture: Tensor) -> NDArray[np.float64]:
    return picture.permute(1, 2, 0).numpy()
