"""Distances between corpora: their mathematics, their streaming, and what they refuse."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kernel_mmd

from lipbench import metrics
from lipbench.metrics.corpus_metric import CorpusMetric, FrechetMetric, NotMeasuredError
from lipbench.metrics.functional import frechet_between, frechet_distance, kernel_distance
from lipbench.metrics.kid import KID

DIMENSION = 6
NAN = float("nan")


class SmallFrechet(FrechetMetric):
    """Of few dimensions, so that tests are quick."""

    title = "Small Fréchet distance"
    takes = "face"
    dimension = DIMENSION


class SmallKID(KID):
    """Of few dimensions and a small sample."""

    dimension = DIMENSION
    sample = 60


every_kind = pytest.mark.parametrize("kind", [SmallFrechet, SmallKID])


def features(seed: int, count: int, dimension: int = DIMENSION, shift: float = 0.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(dimension, dimension, generator=torch.Generator().manual_seed(3))
    return (torch.randn(count, dimension, generator=generator) @ mixing).abs() + shift


def fidelity_frechet(preds: torch.Tensor, target: torch.Tensor) -> float:
    statistics = [fid_features_to_statistics(side.double()) for side in (preds, target)]
    return fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]


def fidelity_kernel(preds: torch.Tensor, target: torch.Tensor) -> float:
    options = {"kid_kernel": "poly", "kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None}
    return float(kernel_mmd(preds.double().numpy(), target.double().numpy(), **options, kid_kernel_poly_coef0=1))


# --- mathematics ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dimension", "count", "shift"), [(6, 50, 0.0), (64, 300, 0.5), (128, 1000, 0.02)])
def test_the_frechet_distance_is_torch_fidelitys(dimension, count, shift):
    preds, target = features(0, count, dimension, shift), features(1, count + 7, dimension)
    assert frechet_distance(preds, target).item() == pytest.approx(fidelity_frechet(preds, target), rel=1e-6)


def test_the_frechet_distance_is_torch_fidelitys_without_full_rank():
    preds, target = features(0, 20, 64, 1.0), features(1, 20, 64)
    assert frechet_distance(preds, target).item() == pytest.approx(fidelity_frechet(preds, target), rel=1e-3)


def test_the_frechet_distance_of_known_gaussians():
    zero, one = torch.zeros(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64)
    assert frechet_between(zero, one, zero + 2, one).item() == pytest.approx(12)
    # (sqrt(9) - sqrt(1))^2 in each of three directions
    assert frechet_between(zero, 9 * one, zero, one).item() == pytest.approx(12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(-5, 5))
def test_the_frechet_distance_is_one_and_a_shift_adds_its_square(seed, shift):
    a, b = features(seed, 40).double(), features(seed + 1, 30).double()
    torch.testing.assert_close(frechet_distance(a, b), frechet_distance(b, a))
    assert frechet_distance(a, a).item() == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a + shift, a).item() == pytest.approx(DIMENSION * shift**2, abs=1e-6)


def test_the_frechet_distance_of_a_single_dimension():
    a, b = features(0, 40, 1), features(1, 40, 1)
    expected = (a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2
    assert frechet_distance(a, b).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_kernel_distance_is_torch_fidelitys(shift):
    preds, target = features(0, 200, 64, shift), features(1, 200, 64)
    assert kernel_distance(preds, target).item() == pytest.approx(fidelity_kernel(preds, target), rel=1e-9, abs=1e-9)


def test_the_kernel_distance_is_not_biased():
    values = [kernel_distance(features(2 * seed, 8), features(2 * seed + 1, 12)).item() for seed in range(400)]
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 4 * error
    shifted = [kernel_distance(features(2 * s, 8, shift=1.0), features(2 * s + 1, 12)).item() for s in range(400)]
    assert np.mean(shifted) > 4 * error


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
@pytest.mark.parametrize(
    ("preds", "named"),
    [
        (torch.zeros(1, DIMENSION), "N at least 2"),
        (torch.zeros(DIMENSION), "N at least 2"),
        (torch.zeros(5, DIMENSION, dtype=torch.int64), "int64"),
    ],
)
def test_misuse_of_the_functions_is_named(distance, preds, named):
    with pytest.raises(ValueError, match=named):
        distance(preds, features(0, 10))


def test_unequal_dimensions_are_named():
    with pytest.raises(ValueError, match="5 and 6 dimensions"):
        kernel_distance(features(0, 10, 5), features(0, 10, 6))
    with pytest.raises(ValueError, match="of one D"):
        frechet_distance(features(0, 10, 5), features(0, 10, 6))
    with pytest.raises(ValueError, match="finite"):
        frechet_distance(NAN * features(0, 10), features(0, 10))


# --- streaming --------------------------------------------------------------------------------------------------------


def clips(shift: float = 0.0) -> list[torch.Tensor]:
    return [features(100 + i, 9 + i, shift=shift) for i in range(5)]


def test_the_metric_is_the_function_of_all_frames():
    metric = SmallFrechet()
    for made, real in zip(clips(0.4), clips(), strict=True):
        metric.update(made + 0.1 * made.square(), real)
    preds = torch.cat([made + 0.1 * made.square() for made in clips(0.4)])
    assert metric.compute().item() == pytest.approx(frechet_distance(preds, torch.cat(clips())).item(), rel=1e-9)
    assert metric.compute().dtype == torch.float64


def test_the_kernel_metric_is_the_function_of_all_frames_if_there_are_few():
    metric = SmallKID()
    for made, real in zip(clips(0.4), clips(), strict=True):
        metric.update(made, real)
    assert sum(len(clip) for clip in clips()) < SmallKID.sample
    expected = kernel_distance(torch.cat(clips(0.4)), torch.cat(clips()))
    assert metric.compute().item() == pytest.approx(expected.item(), rel=1e-9)


def test_the_kernel_metric_keeps_a_sample_that_is_like_the_whole():
    metric = SmallKID()
    for seed in range(40):
        metric.update(features(seed, 30, shift=1.0), features(1000 + seed, 30))
    kept = metric.preds_sample
    assert kept.shape == (SmallKID.sample, 1 + DIMENSION)
    every = torch.cat([features(seed, 30, shift=1.0) for seed in range(40)])
    members = {tuple(row) for row in every.tolist()}
    assert all(tuple(row) in members for row in kept[:, 1:].float().tolist())
    assert metric.compute().item() == pytest.approx(
        kernel_distance(every, torch.cat([features(1000 + seed, 30) for seed in range(40)])).item(), rel=0.8
    )


def test_a_still_clip_is_neither_wholly_in_the_sample_nor_wholly_out():
    metric = SmallKID()
    still = [features(seed, 1).expand(75, -1) for seed in range(8)]
    for clip in still:
        metric.update(clip, None)
    rows = {tuple(row) for row in metric.preds_sample[:, 1:].float().tolist()}
    assert len(rows) == 8


@every_kind
@pytest.mark.filterwarnings("ignore:The ``compute`` method")  # the first part may have got nothing but the merged state
@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(5)), cut=st.integers(0, 5))
def test_neither_order_nor_sharing_out_changes_the_result(kind, order, cut):
    made = [features(i, 12 + i, shift=0.2) for i in range(5)]
    real = [features(50 + i, 20 + i) for i in range(5)]
    whole, first, second = kind(), kind(), kind()
    for pair in zip(made, real, strict=True):
        whole.update(*pair)
    for part, indices in ((first, order[:cut]), (second, order[cut:])):
        for index in indices:
            part.update(made[index], None)
            part.update(None, real[index])
    first.merge_state(second)
    assert first.compute().item() == pytest.approx(whole.compute().item(), rel=1e-9)
    assert first.clips() == whole.clips() == (5, 5)


@every_kind
def test_it_survives_pickling_and_reset(kind):
    metric = kind()
    for made, real in zip(clips(0.4), clips(), strict=True):
        metric.update(made, real)
    copy = pickle.loads(pickle.dumps(metric))
    assert copy.compute() == metric.compute()
    assert copy.protocol == metric.protocol
    metric.reset()
    assert metric.clips() == (0, 0)
    assert copy.clips() == (5, 5)


@every_kind
def test_frames_without_a_face_are_left_out_and_counted(kind):
    metric, without = kind(), kind()
    for made, real in zip(clips(0.4), clips(), strict=True):
        without.update(made[2:], real)
        spoilt = made.clone()
        spoilt[:2] = NAN
        # the hash of a frame depends on its number among those that have features
        metric.update(spoilt, real)
    metric.update(torch.full((3, DIMENSION), NAN), None)
    assert metric.compute().item() == pytest.approx(without.compute().item(), rel=1e-12)
    assert metric.failures() == (13, 0)
    assert metric.clips() == (5, 5), "a clip without any face is no clip of the n"


# --- refusals ---------------------------------------------------------------------------------------------------------


@every_kind
@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_too_few_clips_are_refused_with_what_is_needed(kind):
    metric = kind()
    with pytest.raises(NotMeasuredError, match=r"is not measured: it needs 2 clips and .* has 0 and 0"):
        metric.compute()
    metric.update(features(0, 90), features(1, 90))
    with pytest.raises(NotMeasuredError, match="the generated side has 1 and 90"):
        metric.compute()
    metric.update(features(2, 90), None)
    with pytest.raises(NotMeasuredError, match="the real side has 1 and 90"):
        metric.compute()


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
@pytest.mark.parametrize(
    ("name", "protocol", "taken"),
    [
        ("fid", "eat-2023", ", as the protocol eat-2023 takes 5 of a clip"),
        ("fid", "paper", ""),
        ("frechet_face_distance", "paper", ", as the protocol paper takes 5 of a clip"),
    ],
)
def test_where_few_frames_of_a_clip_are_taken_the_refusal_says_so(name, protocol, taken):
    with pytest.raises(NotMeasuredError) as caught:
        metrics.create(name, protocol).compute()
    assert caught.value.problem.endswith(f"has 0 and 0{taken}")


def test_fewer_frames_than_dimensions_are_refused():
    metric = SmallFrechet()
    for seed in range(2):
        metric.update(features(seed, 3), features(seed, 30))
    with pytest.raises(
        NotMeasuredError, match="needs 2 clips and 7 frames on each side, and the generated side has 2 and 6"
    ):
        metric.compute()
    metric.update(features(5, 1), None)
    assert metric.compute().item() > 0


@every_kind
@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (torch.zeros(4, DIMENSION + 1), r"\(4, 7\)"),
        (torch.zeros(DIMENSION), r"\(6,\)"),
        (torch.zeros(0, DIMENSION), r"\(0, 6\)"),
        (torch.zeros(4, DIMENSION, dtype=torch.int64), "int64"),
        (torch.full((4, DIMENSION), float("inf")), "infinite"),
        (torch.tensor([[NAN, 1, 1, 1, 1, 1]]), "NaN in part"),
    ],
)
def test_misuse_is_named_on_either_side_and_adds_nothing(kind, rows, named):
    metric = kind()
    for pair in ((rows, features(0, 4)), (features(0, 4), rows)):
        with pytest.raises(ValueError, match=named):
            metric.update(*pair)
    assert metric.clips() == metric.failures() == (0, 0)


@every_kind
def test_a_single_clip_has_no_value(kind):
    with pytest.raises(TypeError, match="call update"):
        kind()(features(0, 9), features(1, 9))


@pytest.mark.parametrize(("name", "dimension"), [("fid", 2048), ("kid", 2048), ("frechet_face_distance", 128)])
def test_the_registered_ones(name, dimension):
    metric = metrics.create(name, "strict")
    assert isinstance(metric, CorpusMetric)
    assert metric.dimension == dimension
    assert metric.protocol.name == "strict"
    assert metric.takes == ("face" if dimension == 128 else "inception")
    for seed in range(2):
        metric.update(features(seed, 80, dimension), features(10 + seed, 80, dimension))
    if name == "fid":
        with pytest.raises(NotMeasuredError, match="2049 frames"):
            metric.compute()
    else:
        assert torch.isfinite(metric.compute())
