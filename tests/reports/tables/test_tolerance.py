"""The rule of reproduction: no wide interval passes it, and its three answers exclude one another."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.reports.tables.tolerance import decide, half_last_digit
from lipbench.statistics.intervals import Interval

PAPER = Decimal("28.74")
values = st.floats(min_value=-50, max_value=50)


def of(low: float, high: float):
    return Interval(low=28.74 + low, high=28.74 + high)


@pytest.mark.parametrize(
    ("interval", "status", "distance"),
    [
        (of(-0.2, 0.3), "reproduced", 0.3),
        (of(0.1, 0.3), "reproduced", 0.3),  # beyond chance, within the tolerance
        (of(-0.2, 0.7), "undecided", 0.7),
        (of(-5.0, 5.0), "undecided", 5.0),
        (of(0.1, 0.7), "differs", 0.1),
        (of(-3.0, -2.0), "differs", 2.0),
    ],
)
def test_each_answer_with_its_distance(interval, status, distance):
    decision = decide(interval, PAPER, 0.5)
    assert decision.status == status
    assert decision.distance == pytest.approx(distance)


def test_without_an_interval_nothing_is_decided():
    assert decide(None, PAPER, 0.5) == ("undecided", None)


def test_half_of_the_last_digit_is_the_papers_rounding():
    assert half_last_digit(PAPER) == 0.005
    assert half_last_digit(Decimal("299")) == 0.5
    # 0.504 from the printed number may be 0.499 from the one that was rounded
    assert decide(of(0.504, 0.504), PAPER, 0.5).status == "reproduced"
    assert decide(of(0.506, 0.506), PAPER, 0.5).status == "differs"
    # an interval that ends within the rounding holds the number
    assert decide(of(0.004, 0.9), PAPER, 0.5).status == "undecided"


@given(values, values, st.floats(min_value=0, max_value=10))
def test_a_reproduction_is_never_wider_than_twice_the_tolerance_and_a_difference_never_holds_the_number(
    a, b, tolerance
):
    interval = of(min(a, b), max(a, b))
    status = decide(interval, PAPER, tolerance).status
    rounding = half_last_digit(PAPER) + 1e-9
    if status == "reproduced":
        assert interval.high - interval.low <= 2 * (tolerance + rounding)
    if status == "differs":
        assert not interval.low <= 28.74 <= interval.high
    if status == "undecided":
        assert interval.low - rounding <= 28.74 <= interval.high + rounding


@given(values, values, st.floats(min_value=0.0, max_value=20))
def test_widening_an_interval_never_makes_a_reproduction(a, b, more):
    low, high = min(a, b), max(a, b)
    if decide(of(low, high), PAPER, 0.5).status != "reproduced":
        assert decide(of(low - more, high + more), PAPER, 0.5).status != "reproduced"
