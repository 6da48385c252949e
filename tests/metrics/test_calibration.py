from __future__ import annotations

import importlib
from importlib import metadata

import pytest
import torch

from lipbench.metrics import calibration
from lipbench.metrics.calibration import calibrate

ROWS = calibrate().rows


def test_every_reference_is_there_and_is_named_with_its_version():
    assert calibrate().absent == []
    for distribution in ("scikit-image", "torchmetrics", "torch-fidelity", "numpy"):
        assert f"{distribution} {metadata.version(distribution)}" in {row.source for row in ROWS}
    assert {row.metric for row in ROWS} == {"PSNR", "SSIM", "LMD", "Fréchet distance", "Kernel distance"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.metric}, {row.setting} ({row.source})")
def test_the_difference_is_allowed(row):
    assert row.passed
    assert row.difference <= row.allowed <= (1e-4 if row.metric in ("PSNR", "SSIM") else 1e-3)
    assert row.kind == ("absolute" if row.metric in ("PSNR", "SSIM") else "relative")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.metric}, {row.setting} ({row.source})")
def test_what_is_compared_is_no_trivial_value(row):
    assert row.reference not in (0.0, 1.0)
    assert torch.isfinite(torch.tensor([row.ours, row.reference])).all()


def test_it_is_the_same_each_time():
    assert calibrate().rows == ROWS


def test_a_wrong_value_does_not_pass(monkeypatch):
    right = calibration.ssim
    monkeypatch.setattr(calibration, "ssim", lambda *a, **k: right(*a, **k) + 2e-4)
    failed = [row for row in calibrate().rows if not row.passed]
    assert {row.metric for row in failed} == {"SSIM"}
    assert all(row.difference == pytest.approx(2e-4, rel=1e-3) for row in failed)


def test_a_reference_that_is_not_installed_is_said_to_be_absent(monkeypatch):
    whole = importlib.import_module

    def without(name: str, *args):
        if name == "skimage":
            raise ModuleNotFoundError(name)
        return whole(name, *args)

    monkeypatch.setattr(calibration.importlib, "import_module", without)
    found = calibrate()
    assert found.absent == ["scikit-image"]
    assert not any(row.source.startswith("scikit-image") for row in found.rows)
    assert len(found.rows) == len([row for row in ROWS if not row.source.startswith("scikit-image")])
