from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest
import torch

import metrics
from metrics import protocols
from metrics.protocols import PAPER, Protocol
from models.errors import UnknownNameError, UserError

CHANGES = {
    "psnr_cap_db": 60.0,
    "ssim_window": 7,
    "ssim_sigma": 2.5,
    "ssim_covariance": "sample",
    "ssim_border": "reflect",
}
"""Every rule, and a permitted other value."""


def changed(field: str) -> Protocol:
    """The paper's protocol with one rule changed."""
    return dataclasses.replace(PAPER, **{field: CHANGES[field]})


def scores(protocol: Protocol) -> list[float]:
    """What every metric gives under a protocol, on a clip of which one frame is without error."""
    target = torch.rand(4, 3, 24, 32, generator=torch.Generator().manual_seed(0))
    preds = target.clone()
    preds[1:] = 0.7 * target[1:] + 0.1
    return [metrics.create(name, protocol).per_clip(preds, target).item() for name in metrics.names()]


@pytest.mark.parametrize("name", protocols.names())
def test_each_is_found_under_its_own_name(name):
    assert protocols.get(name).name == name


def test_every_field_is_a_rule_that_is_tested():
    assert set(CHANGES) == {field.name for field in dataclasses.fields(Protocol)} - {"name"}


@pytest.mark.parametrize("field", CHANGES)
def test_every_rule_changes_the_fingerprint_the_summary_and_a_number(field):
    other = changed(field)
    assert other.fingerprint != PAPER.fingerprint
    assert other.summary != PAPER.summary
    assert scores(other) != pytest.approx(scores(PAPER), rel=1e-6)


def test_the_revision_changes_the_fingerprint(monkeypatch):
    before = PAPER.fingerprint
    monkeypatch.setattr(protocols, "REVISION", protocols.REVISION + 1)
    assert PAPER.fingerprint != before


@pytest.mark.parametrize(
    ("rule", "remedy"),
    [
        ({"ssim_window": 8}, "odd whole number"),
        ({"ssim_window": 1}, "odd whole number"),
        ({"ssim_window": 7.0}, "odd whole number"),
        ({"ssim_sigma": 0.0}, "finite number above 0"),
        ({"ssim_sigma": float("nan")}, "finite number above 0"),
        ({"psnr_cap_db": float("inf")}, "finite number above 0"),
        ({"psnr_cap_db": "100"}, "finite number above 0"),
        ({"psnr_cap_db": True}, "finite number above 0"),
        ({"ssim_covariance": "both"}, "'population' or 'sample'"),
        ({"ssim_border": "zero"}, "'valid' or 'reflect'"),
    ],
    ids=str,
)
def test_a_rule_that_cannot_be_is_refused(rule, remedy):
    ((field, value),) = rule.items()
    with pytest.raises(UserError, match=f"{field} of the protocol 'mine' is .*{remedy}") as caught:
        Protocol(name="mine", **rule)
    assert repr(value) in str(caught.value)


def test_one_rule_written_two_ways_has_one_fingerprint():
    assert Protocol(name="mine", psnr_cap_db=100).fingerprint == PAPER.fingerprint


def test_the_name_is_no_rule():
    assert dataclasses.replace(PAPER, name="other").fingerprint == PAPER.fingerprint


def test_the_fingerprint_is_the_same_in_another_process():
    code = "from metrics.protocols import PAPER; import json; print(json.dumps(PAPER.fingerprint))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout) == PAPER.fingerprint


def test_paper_is_what_the_design_says():
    assert (PAPER.ssim_window, PAPER.ssim_sigma) == (11, 1.5)
    assert (PAPER.ssim_covariance, PAPER.ssim_border) == ("population", "valid")


def test_the_summary_is_one_sentence_with_what_holds_under_every_protocol():
    for rule in ("RGB in [0, 1]", "no rounding", "equal size", "truncated", "frame, clip, corpus", "float64"):
        assert rule in PAPER.summary
    assert PAPER.summary.count(". ") == 0
    assert PAPER.summary.endswith(".")


def test_nothing_can_be_changed_behind_a_number():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PAPER.ssim_window = 7  # pyright: ignore[reportAttributeAccessIssue]


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="'paper'"):
        protocols.get("papr")


def test_a_file_can_bring_its_own(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("from metrics.protocols import Protocol\nMINE = Protocol(name='mine', ssim_window=7)\n")
    assert protocols.get(f"{file}:MINE").ssim_window == 7
    with pytest.raises(UserError, match="YOURS"):
        protocols.get(f"{file}:YOURS")
    with pytest.raises(UserError, match="is a type, not a protocol"):
        protocols.get(f"{file}:Protocol")
