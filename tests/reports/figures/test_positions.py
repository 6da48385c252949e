"""Quality against frame position: the curves of the records, meaned, as far as enough clips reach."""

import numpy as np
import pytest

from reports.figures.drawn import Absent, Drawn
from reports.figures.positions import curve_matrix, draw_positions


def drawn(records, drawing):
    table = drawing.quality_table(records)
    return draw_positions(table, drawing.style(table), drawing.paper), drawing.style(table)


def falling(drawing, n=12, frames=75, generated=None, at=0.9):
    made = frames if generated is None else generated
    curve = at - 0.002 * np.arange(min(frames, made))
    return [drawing.clip(i, frames=frames, generated=generated, ssim=curve + 0.001 * i) for i in range(n)]


def test_lines_are_means_over_clips_in_both_panels(make, drawing):
    records = [
        make.quality("hh_t2l", scores=falling(drawing)),
        make.quality("dual_lip", scores=falling(drawing, at=0.8)),
    ]
    found, style = drawn(records, drawing)
    assert isinstance(found, Drawn)
    panels = found.figure.axes
    assert [axes.get_ylabel() for axes in panels] == ["SSIM", "PSNR (dB)", "clips", "clips"]
    assert panels[2].get_xlabel() == "position in the clip (frames)"
    line = drawing.line_of(panels[0], style["DualLip"])
    assert line.get_ydata() == pytest.approx(0.8 - 0.002 * np.arange(75) + 0.0055)
    assert drawing.line_of(panels[1], style["HH-T2L"]).get_ydata() == pytest.approx([28.0] * 75)
    assert drawing.line_of(panels[2], style["HH-T2L"]).get_ydata().tolist() == [12] * 75
    assert len(panels[0].collections) == 2, "a band each"
    assert "n = 12 clips of 1 speaker" in found.caption
    assert "DualLip 0.791 and 0.672" in found.alt


def test_a_position_that_few_clips_reach_is_left_out(make, drawing):
    scores = [
        *falling(drawing, 12),
        *(clip.model_copy(update={"utterance": f"s1/long{i}"}) for i, clip in enumerate(falling(drawing, 9, 100))),
    ]
    found, style = drawn([make.quality("hh_t2l", scores=scores)], drawing)
    counts = drawing.line_of(found.figure.axes[2], style["HH-T2L"]).get_ydata()
    assert counts.tolist() == [21] * 75


def test_a_frame_without_a_value_is_no_zero(make, drawing):
    scores = falling(drawing)
    scores[0] = scores[0].model_copy(update={"curves": {"ssim": [None, *scores[0].curves["ssim"][1:]], "psnr": []}})
    matrix = curve_matrix(scores, "ssim")
    assert np.isnan(matrix[0, 0])
    assert np.isfinite(matrix).sum() == matrix.size - 1
    found, style = drawn([make.quality("hh_t2l", scores=scores)], drawing)
    line = drawing.line_of(found.figure.axes[0], style["HH-T2L"])
    assert line.get_ydata()[0] == pytest.approx(0.906)
    assert drawing.line_of(found.figure.axes[2], style["HH-T2L"]).get_ydata()[0] == 11


def test_the_repeated_first_frame_does_not_squeeze_the_models(make, drawing):
    still = [drawing.clip(i, ssim=0.7, curves={"psnr": [100.0] * 3 + [25.0] * 72}) for i in range(12)]
    found, _ = drawn(
        [make.quality("hh_t2l", scores=falling(drawing)), make.quality("first_frame", scores=still)], drawing
    )
    low, high = found.figure.axes[1].get_ylim()
    assert low < 25 < 28 < high < 40


def test_without_curves_there_is_a_reason(make, drawing):
    found, _ = drawn([make.quality("hh_t2l")], drawing)
    assert isinstance(found, Absent)
    assert "no record of a model has curves per frame" in found.reason
