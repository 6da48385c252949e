"""What every registered metric must satisfy; a new one is tested by being registered."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import metrics
from metrics.clip_metric import ClipMetric
from metrics.protocols import PAPER, Protocol
from models.errors import UnknownNameError

every_metric = pytest.mark.parametrize("name", metrics.names())


def clip(seed: int, frames: int = 6, height: int = 20, width: int = 32) -> torch.Tensor:
    """A smooth picture that changes smoothly over time, float32 in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 3, 4, 5, generator=generator)
    return torch.nn.functional.interpolate(coarse, size=(frames, height, width), mode="trilinear")[0].transpose(0, 1)


def worse(frames: torch.Tensor, strength: float) -> torch.Tensor:
    """Flickering noise: wrong in every pixel of every frame, and in how much moves."""
    noise = torch.randn(frames.shape, generator=torch.Generator().manual_seed(1))
    return (frames + strength * noise).clamp(0, 1)


def distance_from_best(metric: ClipMetric, value: float) -> float:
    """How far a value is from the best one, 0 at best."""
    if metric.higher_is_better is None:  # a ratio: reports tell readers that 1 is best
        return abs(math.log(value))
    best = min(metric.bounds[1], metric.protocol.psnr_cap_db) if metric.higher_is_better else metric.bounds[0]
    return abs(best - value)


def test_listing_imports_no_torch():
    code = "import sys, metrics; metrics.names(); metrics.protocols.names(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unknown_names_offer_the_nearest():
    with pytest.raises(UnknownNameError, match="'ssim'"):
        metrics.create("sism")
    with pytest.raises(UnknownNameError, match="'paper'"):
        metrics.create("ssim", protocol="paprika")


@every_metric
def test_facts(name):
    metric = metrics.create(name)
    assert metric.title
    assert metric.unit == "" or metric.unit.lower() not in metric.title.lower(), "the unit repeats the title"
    assert metric.higher_is_better in (True, False, None)
    assert metric.bounds[0] < metric.bounds[1]
    assert type(metric).__doc__ != ClipMetric.__doc__
    assert metric.protocol is PAPER


def test_titles_are_unique():
    titles = [metrics.create(name).title for name in metrics.names()]
    assert len(set(titles)) == len(titles)


@every_metric
def test_equal_clips_score_best(name):
    metric = metrics.create(name)
    assert distance_from_best(metric, metric(clip(0), clip(0)).item()) == pytest.approx(0, abs=1e-9)


@every_metric
def test_worse_clips_score_worse(name):
    metric = metrics.create(name)
    values = [metric.per_clip(worse(clip(0), strength), clip(0)).item() for strength in (0.0, 0.02, 0.06, 0.2)]
    distances = [distance_from_best(metric, value) for value in values]
    assert distances == sorted(distances)
    assert len(set(distances)) == len(distances)
    assert all(metric.bounds[0] <= value <= metric.bounds[1] for value in values)


@every_metric
def test_the_corpus_is_the_mean_of_its_clips_whatever_their_lengths(name):
    metric = metrics.create(name)
    pairs = [(worse(clip(seed, frames), 0.05 * seed + 0.02), clip(seed, frames)) for seed, frames in ((0, 3), (1, 9))]
    values = [metric(*pair).item() for pair in pairs]
    assert metric.compute().item() == pytest.approx(sum(values) / 2, rel=1e-12)
    assert metric.compute().dtype == torch.float64


@every_metric
@settings(max_examples=8, deadline=None)
@given(order=st.permutations(range(5)), cut=st.integers(1, 4))
def test_neither_order_nor_sharing_out_changes_the_result(name, order, cut):
    pairs = [(worse(clip(seed, 3 + seed), 0.03), clip(seed, 3 + seed)) for seed in range(5)]
    whole, first, second = (metrics.create(name) for _ in range(3))
    for pair in pairs:
        whole.update(*pair)
    for index in order[:cut]:
        first.update(*pairs[index])
    for index in order[cut:]:
        second.update(*pairs[index])
    first.merge_state(second)
    assert first.compute().item() == pytest.approx(whole.compute().item(), rel=1e-13)


@every_metric
def test_values_per_frame_average_to_the_clip(name):
    metric = metrics.create(name)
    preds, target = worse(clip(0, 17), 0.1), clip(0, 17)
    curve = metric.per_frame(preds, target)
    if curve is None:
        return
    assert curve.shape == (17,)
    assert curve.mean().item() == pytest.approx(metric.per_clip(preds, target).item(), rel=1e-12)
    alone = metric.per_frame(preds[5:6], target[5:6])
    assert alone is not None
    assert alone.item() == pytest.approx(curve[5].item(), rel=1e-9)


@every_metric
def test_the_longer_clip_is_truncated(name):
    metric = metrics.create(name)
    preds, target = worse(clip(0), 0.1), clip(0)
    expected = metric.per_clip(preds[:4], target[:4])
    tail = torch.cat([target, 1 - target])
    torch.testing.assert_close(metric.per_clip(preds[:4], tail), expected)
    torch.testing.assert_close(metric.per_clip(torch.cat([preds[:4], tail]), target[:4]), expected)


@every_metric
def test_precision_does_not_depend_on_the_frames(name):
    metric = metrics.create(name)
    preds, target = worse(clip(0), 0.1), clip(0)
    assert metric(preds, target).item() == metric(preds.double(), target.double()).item()
    assert metric(preds.requires_grad_(), target).requires_grad is False


@every_metric
def test_it_survives_pickling_and_reset(name):
    metric = metrics.create(name, Protocol(name="mine", psnr_cap_db=60.0))
    metric.update(worse(clip(0), 0.1), clip(0))
    copy = pickle.loads(pickle.dumps(metric))
    assert copy.protocol == metric.protocol
    assert copy.compute() == metric.compute()
    metric.reset()
    metric.update(worse(clip(1), 0.1), clip(1))
    assert metric.compute() != copy.compute()


@every_metric
@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_a_mean_of_nothing_is_refused(name):
    with pytest.raises(ValueError, match="no clip"):
        metrics.create(name).compute()


@every_metric
@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda frames: frames[0], r"\(3, 20, 32\)"),
        (lambda frames: frames[:, :1], r"\(6, 1, 20, 32\)"),
        (lambda frames: frames[:0], r"\(0, 3, 20, 32\)"),
        (lambda frames: frames[..., :16], r"\(6, 3, 20, 16\)"),
        (lambda frames: (255 * frames).to(torch.uint8), "uint8"),
        (lambda frames: 255 * frames, r"\[0, 1\]"),
        (lambda frames: frames - 0.5, "-0"),
        (lambda frames: frames * float("nan"), "nan"),
    ],
)
def test_misuse_is_named_on_either_side(name, spoil, named):
    metric = metrics.create(name)
    for preds, target in ((spoil(clip(0)), clip(0)), (clip(0), spoil(clip(0)))):
        with pytest.raises(ValueError, match=named):
            metric.update(preds, target)
    assert metric.clips.item() == metric.undefined.item() == 0
