"""Features of the Inception network, with weights of our own making: the real ones are a download."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from lipbench import metrics
from lipbench.metrics import inception
from lipbench.metrics.corpus_metric import NotMeasuredError
from lipbench.metrics.inception import FEATURES, WEIGHTS_VARIABLE, InceptionFeatures, find_weights


class Blank(FeatureExtractorInceptionV3):
    """The network with the weights that torch gives it."""

    def load_state_dict(self, *_args, **_options):
        """Load nothing."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    torch.save({}, folder / "none.pth")
    torch.manual_seed(0)
    torch.save(Blank("blank", ["2048"], str(folder / "none.pth")).state_dict(), folder / "random.pth")
    return folder / "random.pth"


@pytest.fixture(scope="module")
def network(weights) -> InceptionFeatures:
    return InceptionFeatures(weights, digest="")


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No cache, no variable, and no network."""

    def unreachable(*_args, **_options):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    monkeypatch.delenv(WEIGHTS_VARIABLE, raising=False)
    return tmp_path


def clip(seed: int, frames: int = 3, height: int = 80, width: int = 160) -> torch.Tensor:
    coarse = torch.rand(frames, 3, 5, 9, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")


def test_features_are_the_extractors_own(network, weights):
    extractor = FeatureExtractorInceptionV3("reference", ["2048"], str(weights))
    frames = clip(0)
    (expected,) = extractor((frames * 255).round().to(torch.uint8))
    features = network(frames)
    assert features.shape == (3, FEATURES)
    assert features.dtype == torch.float32
    torch.testing.assert_close(features, expected, rtol=1e-5, atol=1e-6)


def test_how_frames_are_batched_changes_nothing(network, monkeypatch):
    frames = clip(1, frames=5)
    together = network(frames)
    monkeypatch.setattr(inception, "FRAMES_AT_ONCE", 2)
    torch.testing.assert_close(network(frames), together, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(network(frames[3:4]), together[3:4], rtol=1e-4, atol=1e-5)


def test_padding_keeps_the_aspect_and_stretching_does_not(network, weights):
    padding = InceptionFeatures(weights, resize="pad", digest="")
    wide = clip(2)
    square = torch.full((3, 3, 160, 160), 128 / 255)
    square[:, :, 40:120] = wide
    torch.testing.assert_close(padding(wide), network(square), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(padding(wide), network(wide), rtol=1e-3)
    torch.testing.assert_close(padding(square), network(square), rtol=1e-5, atol=1e-6)
    tall = square.transpose(2, 3)
    torch.testing.assert_close(padding(tall[..., 40:120]), network(tall), rtol=1e-5, atol=1e-6)


def test_the_digest_is_that_of_the_file_and_same_weights_have_the_same(network, weights):
    assert len(network.digest) == 64
    assert InceptionFeatures(weights, digest=network.digest[:8]).digest == network.digest


def test_features_can_be_scored(network):
    metric = metrics.create("kid")
    for seed in range(2):
        metric.update(network(clip(seed)), network(clip(10 + seed)))
    assert torch.isfinite(metric.compute())


def test_other_weights_do_not_go_by_the_name_of_fid(weights):
    with pytest.raises(NotMeasuredError, match=r"not measured: .*random\.pth holds other weights"):
        InceptionFeatures(weights)


def test_without_weights_it_is_not_measured_and_the_option_is_named(offline):
    with pytest.raises(NotMeasuredError, match=r"not measured: no weights .*no route to host") as caught:
        InceptionFeatures()
    assert "inception_weights=FILE" in caught.value.remedy
    assert WEIGHTS_VARIABLE in caught.value.remedy
    assert list(offline.rglob("*.pth")) == []


def test_a_named_file_that_is_not_there_is_not_replaced_by_another(offline, weights, monkeypatch):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(weights))
    with pytest.raises(NotMeasuredError, match=r"there is no file .*nowhere"):
        find_weights(Path("nowhere.pth"))
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(offline / "gone.pth"))
    with pytest.raises(NotMeasuredError, match=r"there is no file .*gone"):
        find_weights()


def test_where_weights_are_looked_for(offline, weights, monkeypatch):
    cached = offline / "hub" / "checkpoints" / inception.WEIGHTS_FILE
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"cached")
    assert find_weights() == cached
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(weights))
    assert find_weights() == weights
    assert find_weights(cached) == cached


@pytest.mark.parametrize(
    ("frames", "named"),
    [
        (clip(0)[0], r"\(3, 80, 160\)"),
        (255 * clip(0), r"\[0, 1\]"),
        ((255 * clip(0)).long(), "int64"),
        (clip(0) * float("nan"), "nan"),
        (clip(0)[:0], r"\(0, 3, 80, 160\)"),
    ],
)
def test_misuse_is_named(network, frames, named):
    with pytest.raises(ValueError, match=named):
        network(frames)
