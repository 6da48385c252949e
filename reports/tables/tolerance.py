"""When a number of the paper counts as reproduced, and when it does not.

The paper prints means without intervals. Ours has a 95 % interval, and one rule decides, in this order:

* *reproduced within d*: no point of our interval is further than d from the paper's number, and d is at most the
  tolerance. A wide interval reaches far from any number, so it never counts.
* *differs by d or more*: the paper's number, with the rounding of its last digit, is outside our interval; d is how far
  the nearer end is from it.
* *undecided*: our interval holds the number and reaches beyond the tolerance as well, or there is none.

A difference that is larger than chance but smaller than the tolerance counts as a reproduction: with many clips every
difference is larger than chance. The tolerances are in ``paper.json``, with what the paper says of such differences.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, NamedTuple

from lipbench.statistics.intervals import Interval

ToleranceStatus = Literal["reproduced", "differs", "undecided"]


class ToleranceResult(NamedTuple):
    """What our interval says of a number of the paper's."""

    status: ToleranceStatus
    distance: float | None
    """reproduced and undecided: how far our interval reaches from the number; differs: how near it comes; None without
    an interval."""


def decide(interval: Interval | None, paper: Decimal, tolerance: float) -> ToleranceResult:
    """Apply the rule.

    Args:
        interval: ours, 95 %; None if too little was measured for one.
        paper: the number, in the digits that the paper prints.
        tolerance: the largest distance that counts as a reproduction, in the number's unit.
    """
    if interval is None:
        return ToleranceResult("undecided", None)
    value = float(paper)
    reach = max(abs(interval.low - value), abs(interval.high - value))
    rounding = half_last_digit(paper)
    if reach <= tolerance + rounding:
        return ToleranceResult("reproduced", reach)
    gap = max(interval.low - value, value - interval.high)
    return ToleranceResult("differs", gap) if gap > rounding else ToleranceResult("undecided", reach)


def half_last_digit(value: Decimal) -> float:
    """Half of the last digit that a number is printed with: what rounding may have taken or added.

    Example:
        >>> half_last_digit(Decimal("1.980"))
        0.0005
    """
    digits = value.as_tuple().exponent
    return 0.5 * 10.0**digits if isinstance(digits, int) else 0.0
