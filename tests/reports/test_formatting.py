"""Numbers have the digits that their intervals allow."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.formatting import MOST_DECIMALS, decimals_for, decimals_within, signed
from reports.statistics import Interval


@pytest.mark.parametrize(
    ("values", "decimals"),
    [([28.74, 0.1], 2), ([0.875], 3), ([1.675, -3.0], 3), ([2000.0], 0), ([0.085, 0.002], 4), ([0.0034], 5), ([0.0], 3),
     ([math.inf, math.nan], 3), ([1e-12], MOST_DECIMALS)],
)  # fmt: skip
def test_a_column_has_three_or_four_digits(values, decimals):
    assert decimals_for(values) == decimals


@pytest.mark.parametrize(
    ("value", "ends", "shown"),
    [
        (0.0123, (0.0073, 0.0173), "+0.012"),
        (0.0004, (0.0001, 0.0007), "+0.0004"),
        (0.00004, (-0.0003, 0.0004), "+0.00004"),
        (-0.00021, (-0.00030, -0.00012), "−0.00021"),
        (0.731, (0.612, 0.850), "+0.731"),
        (0.000042, None, "+0.00004"),
        (0.0, (0.0, 0.0), "0.000"),
        (1e-15, (-1e-15, 3e-15), "+0.000"),
    ],
)
def test_a_difference_has_as_many_digits_as_its_interval_allows(value, ends, shown):
    interval = None if ends is None else Interval(low=ends[0], high=ends[1])
    assert signed(value, decimals_within(value, interval, 3)) == shown


@given(st.floats(1e-5, 1e4), st.floats(0.02, 3))
def test_what_has_an_interval_never_reads_as_zero_unless_it_is_far_inside_it(width, share):
    value = width * share
    interval = Interval(low=value - width, high=value + width)
    shown = f"{value:.{decimals_within(value, interval, 3)}f}"
    assert float(shown) != 0 or share < 0.051
