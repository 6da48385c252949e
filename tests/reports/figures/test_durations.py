"""Duration error: shares of clips up to an error."""

import pytest

from lipbench.reports.figures.durations import draw_durations
from lipbench.reports.figures.figure import MissingFigure, ReportFigure


def drawn(records, drawing):
    table = drawing.quality_table(records)
    return draw_durations(table, drawing.style(table)), drawing.style(table)


def late(drawing, errors, tokens=None):
    return [
        drawing.clip(i, generated=75 + error, values={"token_duration_error": tokens[i]} if tokens else {})
        for i, error in enumerate(errors)
    ]


def test_a_line_is_the_share_of_clips_up_to_an_error(make, drawing):
    own = make.quality("hh_t2l", scores=late(drawing, [-2, 0, 0, 3], [1.0, 0.5, 0.5, 2.0]), metrics=[drawing.TOKENS])
    other = make.quality("dual_lip", scores=late(drawing, [5, 5, 5, 7]), metrics=[drawing.TOKENS])
    found, style = drawn([own, other], drawing)
    assert isinstance(found, ReportFigure)
    left, right = found.figure.axes
    line = drawing.line_of(left, style["HH-T2L"])
    assert line.get_xdata().tolist() == [-2, -2, 0, 3]
    assert line.get_ydata().tolist() == [0.0, 0.25, 0.75, 1.0]
    assert drawing.line_of(left, style["DualLip"]).get_xdata().tolist() == [5, 5, 7]
    assert drawing.line_of(right, style["HH-T2L"]).get_ydata().tolist() == [0.0, 0.5, 0.75, 1.0]
    assert len(right.lines) == 1
    assert left.get_xlabel() == "generated minus true length (frames)"
    assert right.get_xlabel() == "mean error per token (frames)"
    assert "No durations of tokens come from DualLip." in found.caption
    assert "HH-T2L 0.0, DualLip +5.0" in found.alt


def test_without_durations_of_tokens_there_is_one_panel(make, drawing):
    found, _ = drawn([make.quality("dual_lip", scores=late(drawing, [1, 2]))], drawing)
    assert len(found.figure.axes) == 1
    assert "Right" not in found.caption


@pytest.mark.parametrize(("durations", "name"), [("true", "hh_t2l"), ("predicted", "first_frame")])
def test_where_no_length_was_chosen_there_is_a_reason(make, drawing, durations, name):
    found, _ = drawn([make.quality(name, durations=durations)], drawing)
    assert isinstance(found, MissingFigure)
    assert found.reason == (
        "the true durations were given, so there is no error" if durations == "true" else "no model was scored"
    )
