"""What every registered metric of clips must satisfy; a new one is tested by being registered."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipbench import metrics
from lipbench.errors import UnknownNameError
from lipbench.metrics.clip_metric import ClipMetric, check_lengths
from lipbench.metrics.corpus_metric import CorpusMetric
from lipbench.metrics.protocols import PAPER, Protocol

CLIP_METRICS = [name for name in metrics.names() if issubclass(metrics.METRICS.get(name), ClipMetric)]  # pyright: ignore
every_metric = pytest.mark.parametrize("name", CLIP_METRICS)
every_name = pytest.mark.parametrize("name", metrics.names())
LEVELS = range(4)


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def clip(seed: int, frames: int = 12, height: int = 20, width: int = 32) -> torch.Tensor:
    """A smooth picture that changes smoothly over time, float32 in [0, 1]."""
    coarse = torch.rand(1, 3, 3, 4, 5, generator=rng(seed))
    return torch.nn.functional.interpolate(coarse, size=(frames, height, width), mode="trilinear")[0].transpose(0, 1)


def mouth(seed: int, frames: int = 12) -> torch.Tensor:
    """Two ellipses that open and close."""
    angles = torch.cat([torch.linspace(0, 2 * math.pi, n + 1)[:-1] for n in (12, 8)]) + math.pi
    radii = torch.tensor([20.0] * 12 + [12.0] * 8)
    opening = 0.4 + 0.2 * torch.sin(torch.arange(frames) * (0.7 + 0.1 * (seed % 5)) + seed)
    x = 80 + radii * angles.cos()
    y = 40 + opening[:, None] * radii * angles.sin()
    return torch.stack([x.expand(frames, -1), y], dim=-1)


def sides(name: str, seed: int = 0, frames: int = 12, level: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Both sides of a clip, as the metric takes them, the worse the higher the level; equal at level 0."""
    takes = metrics.create(name).takes
    if name.startswith("landmark_failure"):
        spoilt = mouth(seed, frames)
        spoilt[1 : 1 + level] = float("nan")
        return (spoilt, mouth(seed, frames)) if name.endswith("preds") else (mouth(seed, frames), spoilt)
    if takes == "lengths":
        return torch.tensor(frames + 2 * level), torch.tensor(frames)
    if takes == "durations":
        durations = torch.randint(1, 9, (frames,), generator=rng(seed))
        return durations + level * torch.randint(1, 4, (frames,), generator=rng(seed + 1)), durations
    if takes == "frames":
        target, strength = clip(seed, frames), (0.0, 0.02, 0.06, 0.2)[level]
    elif takes == "landmarks":
        target, strength = mouth(seed, frames), (0.0, 1.0, 3.0, 9.0)[level]
    else:
        target, strength = torch.randn(frames, 128, generator=rng(seed)), (0.0, 0.1, 0.3, 0.9)[level]
    # of every frame anew: it is wrong in each, and it flickers
    preds = target + strength * torch.randn(target.shape, generator=rng(1))
    return (preds.clamp(0, 1) if takes == "frames" else preds), target


def distance_from_best(metric: ClipMetric, value: float) -> float:
    """How far a value is from the best one, 0 at best."""
    if metric.higher_is_better is None:  # a ratio: reports tell readers that 1 is best
        return abs(math.log(value))
    best = min(metric.bounds[1], metric.protocol.psnr_cap_db) if metric.higher_is_better else metric.bounds[0]
    return abs(best - value)


def test_listing_imports_no_torch():
    code = (
        "import sys, lipbench.metrics; [lipbench.metrics.meaning(name) for name in lipbench.metrics.names()];"
        "lipbench.metrics.protocols.names(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unknown_names_offer_the_nearest():
    with pytest.raises(UnknownNameError, match="'ssim'"):
        metrics.create("sism")
    with pytest.raises(UnknownNameError, match="'paper'"):
        metrics.create("ssim", protocol="paprika")
    with pytest.raises(UnknownNameError, match="'ssim'"):
        metrics.meaning("sism")


@every_name
def test_the_meaning_is_one_sentence_of_its_own(name):
    meaning = metrics.meaning(name)
    assert meaning.endswith(".")
    assert meaning[:-1].count(". ") == 0
    assert (type(metrics.create(name)).__doc__ or "").startswith(meaning)
    assert [metrics.meaning(other) for other in metrics.names()].count(meaning) == 1


@every_name
def test_facts(name):
    metric = metrics.create(name)
    assert metric.title
    assert metric.unit == "" or metric.unit.lower() not in metric.title.lower(), "the unit repeats the title"
    assert metric.higher_is_better in (True, False, None)
    assert metric.bounds[0] < metric.bounds[1]
    assert type(metric).__doc__ not in (ClipMetric.__doc__, CorpusMetric.__doc__)
    assert metric.takes in ("frames", "landmarks", "durations", "lengths", "inception", "face")
    assert metric.aligned in (True, False)
    assert metric.protocol is PAPER


def test_titles_are_unique():
    titles = [metrics.create(name).title for name in metrics.names()]
    assert len(set(titles)) == len(titles)


@every_metric
def test_equal_clips_score_best(name):
    metric = metrics.create(name)
    assert distance_from_best(metric, metric(*sides(name, level=0)).item()) == pytest.approx(0, abs=1e-6)


@every_metric
def test_worse_clips_score_worse(name):
    metric = metrics.create(name)
    values = [metric.per_clip(*sides(name, level=level)).item() for level in LEVELS]
    distances = [distance_from_best(metric, value) for value in values]
    assert distances == sorted(distances)
    assert len(set(distances)) == len(distances)
    assert all(metric.bounds[0] <= value <= metric.bounds[1] for value in values)


@every_metric
def test_the_corpus_is_the_mean_of_its_clips_whatever_their_lengths(name):
    metric = metrics.create(name)
    values = [metric(*sides(name, seed, frames, level=level)).item() for seed, frames, level in ((0, 5, 1), (1, 14, 2))]
    assert values[0] != values[1]
    assert metric.compute().item() == pytest.approx(sum(values) / 2, rel=1e-12)
    assert metric.compute().dtype == torch.float64


@every_metric
def test_the_mean_can_be_taken_from_stored_scores(name):
    metric = metrics.create(name, "lelechen63-2018")
    scores = [metric.score(*sides(name, seed, 5 + 4 * seed)) for seed in range(3)]
    for seed in range(3):
        metric.update(*sides(name, seed, 5 + 4 * seed))
    mean = sum(s.value * s.weight for s in scores) / sum(s.weight for s in scores)
    assert metric.compute().item() == pytest.approx(mean, rel=1e-12)


@every_metric
@settings(max_examples=5, deadline=None)
@given(order=st.permutations(range(5)), cut=st.integers(1, 4))
def test_neither_order_nor_sharing_out_changes_the_result(name, order, cut):
    pairs = [sides(name, seed, 4 + seed, level=1 + seed % 3) for seed in range(5)]
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
    preds, target = sides(name, frames=17)
    curve = metric.per_frame(preds, target)
    if curve is None:
        return
    assert curve.shape == (17,)
    assert curve.mean().item() == pytest.approx(metric.per_clip(preds, target).item(), rel=1e-12)
    alone = metric.per_frame(preds[5:6], target[5:6])
    assert alone is not None
    assert alone.item() == pytest.approx(curve[5].item(), rel=1e-9)


def test_the_metrics_that_have_values_per_frame():
    with_curves = {name for name in CLIP_METRICS if metrics.create(name).per_frame(*sides(name)) is not None}
    assert with_curves >= {"psnr", "ssim", "lmd", "lmd_centred", "identity_similarity"}


@every_metric
def test_sides_of_unequal_length_are_refused_where_it_matters(name):
    metric = metrics.create(name)
    preds, target = sides(name)
    if not metric.aligned:
        return
    for pair in ((preds[:4], target), (preds, target[:4])):
        with pytest.raises(ValueError, match=r"align them first"):
            metric.update(*pair)
    assert metric.clips.item() == metric.undefined.item() == 0
    check_lengths(preds, target, "frames")


@every_metric
def test_precision_does_not_depend_on_the_input(name):
    metric = metrics.create(name)
    preds, target = sides(name)
    if not preds.is_floating_point():
        return
    assert metric(preds, target).item() == metric(preds.double(), target.double()).item()
    assert metric(preds.requires_grad_(), target).requires_grad is False


@pytest.mark.parametrize("protocol", metrics.protocols.names())
@every_metric
def test_levels_score_as_the_frames_that_they_stand_for(name, protocol):
    metric = metrics.create(name, protocol)
    if metric.takes != "frames":
        return
    preds, target = ((255 * side).round().to(torch.uint8) for side in sides(name))
    as_floats = metric.score(preds.float() / 255, target.float() / 255)
    for pair in ((preds, target), (preds.float() / 255, target)):
        assert metric.score(*pair).value == as_floats.value


@every_metric
def test_values_do_not_depend_on_the_number_of_threads(name):
    before = torch.get_num_threads()
    try:
        values = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            values.append(metrics.create(name).per_clip(*sides(name, frames=40)).item())
    finally:
        torch.set_num_threads(before)
    assert values[0] == pytest.approx(values[1], rel=1e-12)


@every_metric
def test_it_survives_pickling_and_reset(name):
    metric = metrics.create(name, Protocol(name="mine", psnr_cap_db=60.0))
    metric.update(*sides(name, level=1))
    copy = pickle.loads(pickle.dumps(metric))
    assert copy.protocol == metric.protocol
    assert copy.compute() == metric.compute()
    metric.reset()
    metric.update(*sides(name, level=2))
    assert metric.compute() != copy.compute()


@every_metric
@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_a_mean_of_nothing_is_refused(name):
    with pytest.raises(ValueError, match="no clip"):
        metrics.create(name).compute()


NAN, INF = float("nan"), float("inf")
MISUSE = {
    "frames": [
        (lambda frames: frames[0], r"\(3, 20, 32\)"),
        (lambda frames: frames[:, :1], r"\(12, 1, 20, 32\)"),
        (lambda frames: frames[:0], r"\(0, 3, 20, 32\)"),
        (lambda frames: frames[..., :16], r"\(12, 3, 20, 16\)"),
        (lambda frames: (255 * frames).long(), "int64"),
        (lambda frames: 255 * frames, r"\[0, 1\]"),
        (lambda frames: frames - 0.5, "-0"),
        (lambda frames: frames * NAN, "nan"),
    ],
    "landmarks": [
        (lambda points: points[0], r"\(20, 2\)"),
        (lambda points: points[:, :12], r"\(12, 12, 2\)"),
        (lambda points: points[:0], r"\(0, 20, 2\)"),
        (lambda points: points.long(), "int64"),
        (lambda points: points * INF, "infinite"),
        (lambda points: torch.cat([points[:, :1] * NAN, points[:, 1:]], dim=1), "NaN in part"),
    ],
    "face": [
        (lambda rows: rows[0], r"\(128,\)"),
        (lambda rows: rows[:, :64], r"\(12, 64\)"),
        (lambda rows: rows[:0], r"\(0, 128\)"),
        (lambda rows: rows.long(), "int64"),
        (lambda rows: rows * INF, "infinite"),
        (lambda rows: torch.cat([rows[:, :1] * NAN, rows[:, 1:]], dim=1), "NaN in part"),
    ],
    "durations": [
        (lambda durations: durations[:-1], "11"),
        (lambda durations: durations[:0], "at least one token"),
        (lambda durations: durations[None], r"\(1, 12\)"),
        (lambda durations: durations.double(), "float64"),
        (lambda durations: durations - 100, "at least 0"),
    ],
    "lengths": [
        (lambda length: length[None], r"\(1,\)"),
        (lambda length: length.double(), "float64"),
        (lambda length: length - 100, "at least 0"),
    ],
}


@every_metric
def test_misuse_is_named_on_either_side(name):
    metric = metrics.create(name)
    preds, target = sides(name, level=0)
    for spoil, named in MISUSE[metric.takes]:
        for pair in ((spoil(preds), target), (preds, spoil(target))):
            with pytest.raises(ValueError, match=named):
                metric.update(*pair)
    assert metric.clips.item() == metric.undefined.item() == 0
