"""Quality against frame position: the curves of the records, meaned, as far as enough clips reach."""

import numpy as np
import pytest

from lipbench.metrics.alignment import evenly_spaced
from lipbench.records.quality import MetricFacts
from lipbench.reports.figures.figure import MissingFigure, ReportFigure
from lipbench.reports.figures.positions import draw_positions, stack_curves


def drawn(records, drawing):
    table = drawing.quality_table(records)
    return draw_positions(table, drawing.style(table)), drawing.style(table)


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
    assert isinstance(found, ReportFigure)
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
    matrix = stack_curves([np.array(clip.curves["ssim"], dtype=float) for clip in scores])
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


def with_faces(clip, value):
    """A clip with landmarks in every frame and faces described in five."""
    n = min(clip.frames, clip.generated_frames)
    curves = {"lmd": [value] * n, "identity_similarity": [0.9, 0.8, None, 0.8, 0.9]}
    openings = {"aperture": [6.0 + value] * clip.generated_frames, "aperture_truth": [6.0] * clip.frames}
    return clip.model_copy(update={"curves": clip.curves | curves, **openings})


FACES = MetricFacts(name="identity_similarity", title="Identity similarity", unit="", higher_is_better=True)


def test_every_metric_with_values_per_frame_has_a_panel(make, drawing):
    scores = [with_faces(clip, 0.1 * i) for i, clip in enumerate(falling(drawing))]
    found, style = drawn([make.quality("hh_t2l", scores=scores, metrics=[*make.METRICS, FACES])], drawing)
    panels = {axes.get_ylabel(): axes for axes in found.figure.axes if axes.get_ylabel()}
    assert list(panels) == ["SSIM", "PSNR (dB)", "LMD (px)", "Aperture error (px)", "Identity similarity", "clips"]
    assert panels["LMD (px)"].get_title(loc="left") == "LMD, lower is better"
    for name in ("LMD (px)", "Aperture error (px)"):
        assert drawing.line_of(panels[name], style["HH-T2L"]).get_ydata() == pytest.approx([0.55] * 75)
    assert "LMD, Aperture error and Identity similarity at each frame" in found.caption


def test_values_of_a_few_frames_stand_where_those_frames_are(make, drawing):
    scores = [with_faces(clip, 0.1) for clip in falling(drawing)]
    found, style = drawn([make.quality("hh_t2l", scores=scores, metrics=[make.METRICS[1], FACES])], drawing)
    axes = next(axes for axes in found.figure.axes if axes.get_ylabel() == "Identity similarity")
    line = drawing.line_of(axes, style["HH-T2L"])
    assert line.get_xdata().tolist() == evenly_spaced(75, 5).tolist() == [7, 22, 37, 52, 67]
    assert line.get_ydata()[[0, 1]].tolist() == pytest.approx([0.9, 0.8])
    assert np.isnan(line.get_ydata()[2])
    counts = next(axes for axes in found.figure.axes if axes.get_ylabel() == "clips")
    assert drawing.line_of(counts, style["HH-T2L"]).get_ydata().tolist() == [12] * 75


def test_a_model_far_below_the_others_does_not_squeeze_them_and_is_named(make, drawing):
    good = [(name, 0.85 - 0.01 * i) for i, name in enumerate(("hh_t2l", "dual_lip", "transformer_t2l"))]
    records = [make.quality(name, scores=falling(drawing, at=at)) for name, at in [*good, ("collapsed", 0.25)]]
    found, _ = drawn(records, drawing)
    assert 0.5 < found.figure.axes[0].get_ylim()[0] < 0.69
    assert any(text.startswith("↓ collapsed: 0.1") for text in drawing.texts(found.figure))
    assert "Outside the axes" in found.caption
    assert "SSIM of collapsed (0.1" in found.caption


def test_without_curves_there_is_a_reason(make, drawing):
    found, _ = drawn([make.quality("hh_t2l")], drawing)
    assert isinstance(found, MissingFigure)
    assert "no record of a model has curves per frame" in found.reason
