"""Aperture over time: which clips are shown, and what is drawn of them."""

import numpy as np

from lipbench.reports.figures.figure import MissingFigure, ReportFigure
from lipbench.reports.figures.lip_opening import choose_cases, draw_openings
from lipbench.reports.figures.style import INK

REAL = [0.0, 1.0, 3.0, 1.0, 0.0]


def opened(drawing, correlations, scale=0.5, utterances=None):
    """Clips whose mouth opens a share of what the real one does; the number of the clip is its rank."""
    return [
        drawing.clip(
            i,
            frames=5,
            values={"aperture_correlation": r, "ssim": 0.8},
            aperture=[scale * value for value in REAL],
            aperture_truth=list(REAL),
        )
        for i, r in enumerate(correlations)
    ]


def drawn(records, drawing):
    table = drawing.quality_table(records)
    return draw_openings(table, drawing.style(table)), drawing.style(table)


def test_best_median_and_worst_clip_are_shown_with_the_truth_beneath(make, drawing):
    one = make.quality("hh_t2l", scores=opened(drawing, [0.1, 0.9, 0.5, 0.6, 0.2]))
    two = make.quality("dual_lip", scores=opened(drawing, [0.0, 0.8, 0.4, 0.7, 0.9], scale=0.2))
    found, style = drawn([one, two], drawing)
    assert isinstance(found, ReportFigure)
    titles = [axes.get_title(loc="left") for axes in found.figure.axes]
    assert [title.split(",")[0] for title in titles] == ["best: s1/clip001", "median: s1/clip004", "worst: s1/clip000"]
    assert titles[0].endswith("HH-T2L r 0.90, DualLip r 0.80")
    for axes in found.figure.axes:
        assert axes.get_ylabel() == "opening (px)"
        real, first, second = axes.lines
        assert (real.get_color(), real.get_ydata().tolist()) == (INK, REAL)
        assert first.get_ydata().tolist() == [0.5 * value for value in REAL]
        assert (second.get_color(), second.get_ydata().tolist()) == (style["DualLip"].color, [0.2 * v for v in REAL])
    assert found.figure.axes[-1].get_xlabel() == "frame of the clip"
    assert "out of n = 5" in found.caption
    assert "protocol paper (aaaaaaaaaaaa)" in found.caption


def test_a_frame_without_a_face_is_a_gap(make, drawing):
    scores = opened(drawing, [0.5])
    gap = scores[0].model_copy(update={"aperture": [0.0, None, 1.0, 1.0, 0.0]})
    found, _ = drawn([make.quality("hh_t2l", scores=[gap])], drawing)
    (axes,) = found.figure.axes
    assert np.isnan(axes.lines[1].get_ydata()).tolist() == [False, True, False, False, False]


def test_only_clips_that_every_model_has_are_chosen(make, drawing):
    one = make.quality("hh_t2l", scores=opened(drawing, [0.9, 0.5, 0.1]))
    two = make.quality("dual_lip", scores=opened(drawing, [0.9, 0.5]))
    table = drawing.quality_table([one, two])
    assert [case.first.utterance for case in choose_cases(table.models)] == ["s1/clip000", "s1/clip001"]


def test_an_older_record_is_no_error_but_a_reason(make, drawing):
    found, _ = drawn([make.quality("hh_t2l"), make.quality("first_frame", scores=opened(drawing, [0.0]))], drawing)
    assert isinstance(found, MissingFigure)
    assert "no record of a model holds the opening over time" in found.reason
    apart = [
        make.quality("hh_t2l", scores=opened(drawing, [0.5])[:1]),
        make.quality("dual_lip", scores=opened(drawing, [0.1, 0.2])[1:]),
    ]
    found, _ = drawn(apart, drawing)
    assert isinstance(found, MissingFigure)
    assert "from every model" in found.reason
