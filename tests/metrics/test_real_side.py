from __future__ import annotations

import dataclasses

import pytest
import torch

from lipbench.metrics.corpus_metric import FrechetMetric, NotMeasuredError
from lipbench.metrics.kid import KID
from lipbench.metrics.protocols import PAPER
from lipbench.metrics.real_side import load_or_make_real_side, real_side_floor

KEY = {"corpus": "abc", "split": "test"}


class SmallFrechet(FrechetMetric):
    """Of few dimensions, so that tests are quick."""

    title = "Small Fréchet distance"
    takes = "face"
    dimension = 4


class SmallKID(KID):
    """Of few dimensions and a small sample."""

    dimension = 4
    sample = 30


every_kind = pytest.mark.parametrize("kind", [SmallFrechet, SmallKID])


def clip(seed: int, shift: float = 0.0, frames: int = 12) -> torch.Tensor:
    return torch.randn(frames, 4, generator=torch.Generator().manual_seed(seed)) + shift


def names(count: int) -> list[str]:
    return [f"s1/{number}" for number in range(count)]


class Source:
    """Real clips that count how often they are made."""

    def __init__(self, seeds=range(4)):
        self.seeds, self.calls = seeds, 0

    def __call__(self):
        self.calls += 1
        return [clip(seed) for seed in self.seeds]


@every_kind
def test_the_second_time_it_comes_from_the_cache_and_gives_the_same(kind, tmp_path):
    source = Source()
    values = []
    for cached in (False, True):
        metric = kind()
        metric.update(None, clip(99, 5.0))  # forgotten
        assert load_or_make_real_side(metric, tmp_path / "cache", KEY, source) is cached
        for seed in range(10, 14):
            metric.update(clip(seed, 0.5), None)
        values.append(metric.compute().item())
    assert source.calls == 1
    assert values[0] == values[1]
    direct = kind()
    for seed in range(4):
        direct.update(clip(10 + seed, 0.5), clip(seed))
    assert values[0] == pytest.approx(direct.compute().item(), rel=1e-12)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".safetensors"], "nothing half-written is left"


@pytest.mark.parametrize(
    ("metric", "key"),
    [
        (SmallFrechet(), KEY | {"corpus": "abd"}),
        (SmallFrechet(), KEY | {"weights": "1"}),
        (SmallFrechet(protocol=dataclasses.replace(PAPER, face_frames=3)), KEY),
        (SmallKID(), KEY),
    ],
)
def test_what_decides_the_features_decides_the_file(metric, key, tmp_path):
    source = Source()
    load_or_make_real_side(SmallFrechet(), tmp_path, KEY, source)
    assert load_or_make_real_side(metric, tmp_path, key, source) is False
    assert source.calls == 2


def test_a_damaged_file_is_made_anew(tmp_path):
    source = Source()
    load_or_make_real_side(SmallFrechet(), tmp_path, KEY, source)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for damage in (b"", whole[:-10], b"\xff" * len(whole)):
        file.write_bytes(damage)
        assert load_or_make_real_side(SmallFrechet(), tmp_path, KEY, source) is False
        assert file.read_bytes() == whole
    assert load_or_make_real_side(SmallFrechet(), tmp_path, KEY, source) is True


def test_a_failure_while_making_leaves_no_file_and_the_metric_as_it_was(tmp_path):
    def broken():
        yield clip(0)
        raise RuntimeError("disk on fire")

    metric = SmallFrechet()
    with pytest.raises(RuntimeError, match="on fire"):
        load_or_make_real_side(metric, tmp_path, KEY, broken)
    assert list(tmp_path.iterdir()) == []
    assert metric.clips() == (0, 0)


def test_no_clips_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no real clip"):
        load_or_make_real_side(SmallFrechet(), tmp_path, KEY, list)
    assert list(tmp_path.iterdir()) == []


def test_a_real_side_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="no real side of Small"):
        SmallFrechet().load_real(SmallKID().real_state())


# --- the floor --------------------------------------------------------------------------------------------------------


@every_kind
def test_the_floor_lies_below_a_worse_corpus_and_above_nothing(kind):
    real = [clip(seed) for seed in range(20)]
    lowest = real_side_floor(kind, names(20), real)
    metric = kind()
    for seed in range(20):
        metric.update(clip(50 + seed, 1.0), real[seed])
    assert lowest < 0.3 * metric.compute().item()
    assert lowest != 0


def test_the_seed_decides_the_halves_and_each_clip_goes_as_a_whole():
    # clips that differ by more than frames do: halves of frames would be alike
    real = [clip(seed, shift=3.0 * seed) for seed in range(6)]
    assert real_side_floor(SmallFrechet, names(6), real, seed=1) == real_side_floor(
        SmallFrechet, names(6), iter(real), seed=1
    )
    values = {real_side_floor(SmallFrechet, names(6), real, seed=seed) for seed in range(6)}
    assert len(values) > 1
    assert min(values) > 1.0


@every_kind
def test_the_order_of_the_clips_does_not_change_the_floor(kind):
    real = [clip(seed, shift=3.0 * seed) for seed in range(6)]
    turned = dict(reversed(list(zip(names(6), real, strict=True))))
    assert real_side_floor(kind, list(turned), turned.values()) == pytest.approx(
        real_side_floor(kind, names(6), real), rel=1e-9
    )


def test_halves_that_are_too_small_are_refused():
    with pytest.raises(NotMeasuredError, match="it needs 2 clips"):
        real_side_floor(SmallFrechet, names(3), [clip(seed) for seed in range(3)])


@pytest.mark.parametrize("count", [3, 5])
def test_a_wrong_count_and_a_name_twice_are_refused(count):
    with pytest.raises(ValueError, match="zip"):
        real_side_floor(SmallFrechet, names(4), [clip(seed) for seed in range(count)])
    with pytest.raises(ValueError, match="two real clips have one id"):
        real_side_floor(SmallFrechet, [*names(4), "s1/0"], [clip(seed) for seed in range(5)])
