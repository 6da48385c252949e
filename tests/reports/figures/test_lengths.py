"""Figure 4: bins of length, what stands in each, and when there is nothing to show."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipbench.reports.figures.figure import MissingFigure, ReportFigure
from lipbench.reports.figures.frame_curves import CurveMetric
from lipbench.reports.figures.lengths import (
    MOST_BINS,
    PER_BIN,
    binned_values,
    draw_lengths,
    draw_other_lengths,
    length_bins,
)
from lipbench.reports.tables.quality import QualityRow
from lipbench.statistics.intervals import MIN_CLUSTERS


def scored(make, drawing, name="hh_t2l", lengths=range(50, 110), fall=0.001, **more):
    """A system whose SSIM falls with the length of the clip."""
    clips = [drawing.clip(i, frames=n, ssim=0.9 - fall * n) for i, n in enumerate(lengths)]
    return make.quality(name, scores=clips, **more)


def drawn(records, drawing):
    table = drawing.quality_table(records)
    return draw_lengths(table, drawing.style(table)), table


def test_points_are_means_of_the_clips_of_a_bin_and_n_stands_beneath(make, drawing):
    found, table = drawn([scored(make, drawing)], drawing)
    assert isinstance(found, ReportFigure)
    upper, lower = found.figure.axes
    line = drawing.line_of(upper, drawing.style(table)["HH-T2L"])
    bins = length_bins(table.rows)
    assert len(bins) == 60 // PER_BIN
    clips = table.rows[0].scores
    for one, x, y in zip(bins, line.get_xdata(), line.get_ydata(), strict=True):
        inside = [c for c in clips if one.low <= c.generated_frames <= one.high]
        assert x == pytest.approx(np.mean([c.generated_frames for c in inside]))
        assert y == pytest.approx(np.mean([c.values["ssim"] for c in inside]))
    assert sum(int(text.get_text()) for text in lower.texts) == 60
    assert upper.get_xlabel() == "length of the clip (frames)"
    assert upper.get_ylabel() == "SSIM"
    assert (len(upper.collections), len(upper.patches)) == (1, 1), "a band and its bars"
    assert "protocol paper (aaaaaaaaaaaa)" in found.caption
    assert "n = 60 clips of 1 speaker" in found.caption
    assert "HH-T2L has 0.843" in found.alt


def test_every_model_and_a_motionless_control_are_drawn_apart_on_the_same_bins(make, drawing):
    names = ("hh_t2l", "dual_lip", "transformer_t2l", "first_frame", "ground_truth")
    found, table = drawn([scored(make, drawing, name, fall=0.0001 * i) for i, name in enumerate(names)], drawing)
    *labels, paper = [text.get_text() for text in found.figure.legends[0].get_texts()]
    assert labels == ["HH-T2L", "DualLip", "TransformerT2L", "First frame repeated"]
    assert paper == "paper (mean)"
    style = drawing.style(table)
    assert len({(style[label].color, style[label].dash, style[label].marker) for label in labels}) == 4
    places = [drawing.line_of(found.figure.axes[0], style[label]).get_xdata().tolist() for label in labels]
    assert places == [places[0]] * 4


def test_a_bin_with_few_clips_has_a_point_and_no_interval(make, drawing):
    many, few = scored(make, drawing), scored(make, drawing, "dual_lip", lengths=[*range(50, 60), 100, 101])
    table = drawing.quality_table([many, few])
    bins = length_bins(table.rows)
    means = binned_values(
        next(row for row in table.rows if row.name == "dual_lip"), bins, CurveMetric(make.METRICS[1])
    ).means
    assert [mean.interval is None for mean in means] == [mean.n < MIN_CLUSTERS for mean in means]
    assert {mean.interval is None for mean in means} == {True, False}


def test_the_papers_mean_stands_at_its_mean_length(make, drawing):
    found, _ = drawn([scored(make, drawing, about={"training": None})], drawing)
    upper = found.figure.axes[0]
    (point,) = [line for line in upper.lines if line.get_markerfacecolor() == "white"]
    assert (point.get_xdata().tolist(), point.get_ydata().tolist()) == ([75.0], [0.875])
    assert "at its mean length (75 frames)" in found.caption
    found, _ = drawn([scored(make, drawing, corpus="synthetic")], drawing)
    assert not [line for line in found.figure.axes[0].lines if line.get_markerfacecolor() == "white"]
    assert "Hollow" not in found.caption


LOSSES = {"": (1.0, 0.0), " +SSIM+ADV": (1.0, 5.0), " +ADV": (0.0, 5.0)}


def trained(make, drawing, name, fall, **more):
    """HH-T2L trained with losses that are named as its title names them."""
    ssim, adversarial = LOSSES[name]
    recipe = {"weight_ssim": ssim, "weight_adversarial": adversarial}
    training = make.TRAINING.model_copy(update={"recipe": recipe})
    return scored(make, drawing, fall=fall, about={"title": f"HH-T2L{name}", "training": training}, **more)


def hollow_of(found):
    return {line.get_markeredgecolor() for line in found.figure.axes[0].lines if line.get_markerfacecolor() == "white"}


def test_of_several_trainings_the_paper_stands_beside_that_with_its_losses(make, drawing):
    found, table = drawn([trained(make, drawing, name, 0.0001 * i) for i, name in enumerate(LOSSES)], drawing)
    assert hollow_of(found) == {drawing.style(table)["HH-T2L +SSIM+ADV"].color}
    assert "other losses" not in found.caption


def test_where_none_has_the_papers_losses_the_caption_says_which_was_taken(make, drawing):
    found, table = drawn([trained(make, drawing, name, 0.0) for name in ("", " +ADV")], drawing)
    assert hollow_of(found) == {drawing.style(table)["HH-T2L"].color}
    assert "trained with other losses than HH-T2L, beside which it stands" in found.caption
    assert "Of 2 rows that the paper's value may stand beside, it does beside HH-T2L." in found.caption


def test_other_frame_metrics_have_panels_on_the_same_bins(make, drawing):
    record = scored(make, drawing)
    clips = [
        clip.model_copy(
            update={
                "values": clip.values | {"lmd": 1 + i / 60},
                "curves": clip.curves | {"lmd": [1.0] * clip.frames},
                "aperture": [7.0] * clip.frames,
                "aperture_truth": [6.0, *[None] * (clip.frames - 1)],
            }
        )
        for i, clip in enumerate(record.result.clips)
    ]
    table = drawing.quality_table([make.quality("hh_t2l", scores=clips)])
    found = draw_other_lengths(table, drawing.style(table))
    assert isinstance(found, ReportFigure)
    panels = [axes for axes in found.figure.axes if axes.get_ylabel()]
    assert [axes.get_ylabel() for axes in panels] == ["PSNR (dB)", "LMD (px)", "Aperture error (px)"]
    look = drawing.style(table)["HH-T2L"]
    line = drawing.line_of(panels[1], look)
    for one, y in zip(length_bins(table.models), line.get_ydata(), strict=True):
        assert y == pytest.approx(np.mean([c.values["lmd"] for c in clips if one.low <= c.frames <= one.high]))
    assert drawing.line_of(panels[2], look).get_ydata() == pytest.approx([1.0] * (60 // PER_BIN))
    ns = [sum(one.low <= c.frames <= one.high for c in clips) for one in length_bins(table.models)]
    assert f"{min(ns)} to {max(ns)} of them per point" in found.caption
    assert panels[1].get_xlabel() == panels[2].get_xlabel() == "length of the clip (frames)"


def test_without_other_metrics_there_is_a_reason(make, drawing):
    clips = [drawing.clip(i, frames=50 + i, curves={"ssim": [0.8]}) for i in range(30)]
    table = drawing.quality_table([make.quality("hh_t2l", scores=clips)])
    found = draw_other_lengths(table, drawing.style(table))
    assert isinstance(found, MissingFigure)
    assert "of another metric than SSIM" in found.reason


@pytest.mark.parametrize(
    ("lengths", "reason"),
    [
        ([75] * 40, "all clips have 75 frames"),
        (range(50, 69), "19 clips of 50 to 68 frames give no two bins of 10"),
        ([75] * 39 + [76], "40 clips of 75 to 76 frames give no two bins of 10"),
    ],
)
def test_without_two_bins_there_is_a_reason_instead(make, drawing, lengths, reason):
    found, _ = drawn([scored(make, drawing, lengths=lengths)], drawing)
    assert found == MissingFigure(title="SSIM against clip length", reason=reason)


def test_without_ssim_there_is_a_reason(make, drawing):
    clips = [drawing.clip(i, frames=50 + i, values={"psnr": 20.0}) for i in range(30)]
    found, _ = drawn([make.quality("hh_t2l", scores=clips), scored(make, drawing, "first_frame")], drawing)
    assert isinstance(found, MissingFigure)
    assert found.reason == "no model has an SSIM"


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=150))
def test_bins_hold_every_clip_once(drawing, lengths):
    clips = [
        drawing.clip(i, frames=2, generated=2).model_copy(update={"generated_frames": n}) for i, n in enumerate(lengths)
    ]
    bins = length_bins([QualityRow(name="a", label="a", kind="model", cells={}, scores=clips)])
    if len(lengths) < 2 * MIN_CLUSTERS:
        assert bins == []
        return
    assert 1 <= len(bins) <= MOST_BINS
    inside = [sum(one.low <= n <= one.high for n in lengths) for one in bins]
    assert sum(inside) == len(lengths)
    assert min(inside) >= MIN_CLUSTERS
    assert bins == sorted(bins)
