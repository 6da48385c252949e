from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest

from metrics import protocols
from metrics.protocols import PAPER, Protocol
from models.errors import UnknownNameError, UserError


def changed(protocol: Protocol, field: str) -> Protocol:
    """The same protocol with one rule changed, whatever its type."""
    value = getattr(protocol, field)
    return dataclasses.replace(protocol, **{field: f"{value} not" if isinstance(value, str) else value + 1})


@pytest.mark.parametrize("name", protocols.names())
def test_each_is_found_under_its_own_name(name):
    assert protocols.get(name).name == name


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Protocol) if field.name != "name"])
def test_every_rule_changes_the_fingerprint(field):
    assert changed(PAPER, field).fingerprint != PAPER.fingerprint


def test_the_name_is_no_rule():
    assert dataclasses.replace(PAPER, name="other").fingerprint == PAPER.fingerprint


def test_the_fingerprint_is_the_same_in_another_process():
    code = "from metrics.protocols import PAPER; import json; print(json.dumps(PAPER.fingerprint))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout) == PAPER.fingerprint


def test_paper_is_what_the_design_says():
    assert (PAPER.colour, PAPER.data_range, PAPER.pooling) == ("rgb", 1.0, "frame, clip, corpus")
    assert (PAPER.ssim_window, PAPER.ssim_sigma) == (11, 1.5)
    assert (PAPER.ssim_covariance, PAPER.ssim_border) == ("population", "valid")
    assert PAPER.length == "truncate"


@pytest.mark.parametrize("field", ["data_range", "psnr_cap_db", "ssim_window", "ssim_sigma"])
def test_the_summary_is_one_sentence_that_tells_the_numbers(field):
    assert f"{getattr(PAPER, field):g}" in PAPER.summary
    assert changed(PAPER, field).summary != PAPER.summary
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
