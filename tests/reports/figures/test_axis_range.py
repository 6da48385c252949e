"""What of an axis is shown: everything, unless a few values would squeeze the rest, and these are named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.reports.figures.axis_range import (
    PlotSeries,
    apply_axis_range,
    choose_axis_range,
    extend_axis_range,
    outside_sentence,
)
from lipbench.reports.figures.style import PlotStyle, empty_figure

LOOKS = {label: PlotStyle("#000000", "o", "-") for label in "abcdefgh"}


def line(label, *values, model=True):
    array = np.array(values, dtype=float)
    return PlotSeries(label, array, array - 0.01, array + 0.01, model=model)


GOOD = [line("a", 0.80, 0.81, 0.82), line("b", 0.81, 0.82, 0.83), line("c", 0.79, 0.80, 0.81)]


def test_a_bad_model_far_out_is_left_outside_and_named():
    seen = choose_axis_range([*GOOD, line("d", 0.12, 0.13, 0.12)], higher_is_better=True)
    assert seen.low == pytest.approx(0.78, abs=0.01)
    assert seen.outside == {"d": (0.12, 0.13)}
    assert seen.gone == {"d": False}
    assert "SSIM of d (0.120 to 0.130)" in outside_sentence({"SSIM": seen})
    assert outside_sentence({"SSIM": choose_axis_range(GOOD, higher_is_better=True)}) == ""


def test_a_good_model_far_out_is_never_left_outside():
    best = [*GOOD, line("d", 0.12, 0.13, 0.12)]
    assert choose_axis_range(best, higher_is_better=False).outside == {}
    control = [*GOOD, line("d", 0.12, 0.13, 0.12, model=False)]
    assert choose_axis_range(control, higher_is_better=False).gone == {"d": False}


def test_three_of_seven_may_be_far_out():
    bad = [line(label, 0.1, 0.11, 0.12) for label in "def"]
    seen = choose_axis_range([*GOOD, line("h", 0.8, 0.8, 0.79), *bad], higher_is_better=True)
    assert list(seen.gone) == ["d", "e", "f"]


def test_what_makes_the_axis_little_longer_is_shown():
    seen = choose_axis_range([*GOOD, line("d", 0.73, 0.75, 0.76)], higher_is_better=True)
    assert seen.outside == {}
    assert seen.low < 0.72


def test_one_point_of_a_line_may_be_outside():
    seen = choose_axis_range([*GOOD, line("d", 0.12, 0.81, 0.82)], higher_is_better=True)
    assert (seen.outside, seen.gone) == ({"d": (0.12, 0.12)}, {})


def test_nothing_finite_is_no_view():
    assert choose_axis_range([line("a", np.nan)], higher_is_better=True) is None
    assert choose_axis_range([], higher_is_better=True) is None
    assert extend_axis_range(None, [1.0]) is None


def test_other_values_are_brought_into_view_and_what_they_uncover_is_not_called_outside():
    seen = choose_axis_range([*GOOD, line("d", 0.12, 0.13, 0.12)], higher_is_better=True)
    assert extend_axis_range(seen, []) == seen
    wide = extend_axis_range(seen, [0.0, np.nan])
    assert wide.low < 0
    assert (wide.outside, wide.gone) == ({}, {})


@pytest.mark.parametrize(("turned", "arrow", "place"), [(False, "↑", 1.0), (True, "↓", 0.0)])
def test_a_panel_says_what_is_outside_at_the_side_on_which_it_lies(turned, arrow, place):
    lines = [line(one.label, *(one.values + 3)) for one in GOOD]
    seen = choose_axis_range([*lines, line("d", 9.0, 9.5)], higher_is_better=False)
    axes = empty_figure(2.0).subplots()
    apply_axis_range(axes, seen, LOOKS, is_inverted=turned)
    (text,) = axes.texts
    assert text.get_text() == f"{arrow} d: 9.000 to 9.500"
    assert text.xy[1] == place
    assert axes.yaxis_inverted() == turned
    low, high = sorted(axes.get_ylim())
    assert low == seen.low
    assert high == pytest.approx(seen.high + 0.12 * (seen.high - seen.low)), "the words cover nothing that is drawn"


@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=9), min_size=1, max_size=8))
def test_every_value_is_in_view_or_named(drawn):
    lines = [line(label, *values) for label, values in zip(LOOKS, drawn, strict=False)]
    seen = choose_axis_range(lines, higher_is_better=True)
    assert seen.low < seen.high
    for one in lines:
        left = [value for value in one.values if not seen.low <= value <= seen.high]
        if left:
            low, high = seen.outside[one.label]
            assert low <= min(left) <= max(left) <= high
