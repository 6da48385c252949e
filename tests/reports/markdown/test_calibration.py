"""The calibration of a run, from its file to the page."""

import pytest

from lipbench.errors import UserError
from lipbench.records.calibration import Calibration, CalibrationRow, load_calibration, save_calibration
from lipbench.records.files import save_record
from lipbench.records.run_folder import CALIBRATION
from lipbench.reports.markdown.calibration import calibration_note, calibration_table
from lipbench.reports.render import render


def row(difference, *, metric="psnr", allowed=1e-4, setting="8 bits | <RGB>"):
    return CalibrationRow(
        metric=metric, setting=setting, ours=30.0 + difference, reference=30.0, source="scikit-image 0.26.0",
        difference=difference, kind="relative", allowed=allowed, passed=difference <= allowed,
    )  # fmt: skip


GOOD = Calibration(rows=[row(1e-6), row(5e-5, metric="ssim")], absent=[])


def test_what_is_saved_is_what_is_read(tmp_path):
    assert load_calibration(tmp_path) is None
    assert save_calibration(GOOD, tmp_path) == tmp_path / CALIBRATION
    assert load_calibration(tmp_path) == GOOD


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / CALIBRATION).write_text("{")
    with pytest.raises(UserError, match="is no calibration"):
        load_calibration(tmp_path)


def test_the_nearest_to_its_limit_comes_first_and_what_is_beyond_is_bold():
    bad = Calibration(rows=[row(1e-6), row(0.5, metric="lmd"), row(5e-5, metric="ssim")], absent=["torch-fidelity"])
    shown = [row.cells for row in calibration_table(bad).rows]
    assert [cells[0].text for cells in shown] == ["lmd", "ssim", "psnr"]
    assert (shown[0][5].text, shown[0][5].mark) == ("5.0e-01", "doubtful")
    assert not shown[1][5].mark
    assert "1 of 3 comparisons differ by more than is allowed" in calibration_note(bad)
    assert "torch-fidelity" in calibration_note(bad)
    assert calibration_note(GOOD).startswith("All 2 comparisons")


def test_it_stands_in_the_report_if_it_was_made(make, tmp_path):
    save_record(make.quality("hh_t2l"), tmp_path)
    assert "Calibration" not in render(tmp_path).markdown.read_text(encoding="utf-8")
    save_calibration(GOOD, tmp_path)
    text = render(tmp_path).markdown.read_text(encoding="utf-8")
    assert "## Calibration of the metrics" in text
    assert "scikit-image 0.26.0" in text
    assert r"8 bits \| \<RGB\>" in text
    assert " relative |" in text, "a unit keeps its distance"
