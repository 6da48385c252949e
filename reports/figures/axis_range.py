"""Which part of an axis a panel shows: all of it, unless a few values would squeeze the rest; those are then named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from lipbench.reports.figures.style import INK, SMALL, Look, shown
from lipbench.reports.formatting import decimals_for, joined, number

FENCE = 7.0
"""Median absolute deviations from the median behind which a value is far out: of normal values, where three
interquartile ranges beyond the quartiles end (Tukey, 1977). Up to half of the values may lie there."""
GAIN = 2.0
"""So many times longer the axis must become by a series far out for it to be left outside."""
FEWEST = 6
"""Values that deviations can be taken of."""
_MARGIN = 0.07
"""Share of the axis that is left free at each end."""
_ROOM = 0.12
"""Share of the axis for the words on one series that lies outside: they shall cover nothing that is drawn."""


class Series(NamedTuple):
    """What a panel draws of one system."""

    label: str
    values: NDArray[np.float64]
    """(P,), nan where there is none."""
    low: NDArray[np.float64]
    """(P,) lower ends of intervals, nan where there is none."""
    high: NDArray[np.float64]
    """(P,)"""
    model: bool = True
    """A model is never left outside for being good; anything else, such as a control, may be."""

    @classmethod
    def point(cls, label: str, value: float, low: float = np.nan, high: float = np.nan) -> Series:
        """One value of a model with its interval."""
        return cls(label, np.array([value]), np.array([low]), np.array([high]))


class View(NamedTuple):
    """What of an axis is shown."""

    low: float
    high: float
    outside: dict[str, tuple[float, float]]
    """Label to the smallest and the largest of its values that are not in view."""
    gone: dict[str, bool]
    """Labels of which nothing is in view, to whether they lie above."""


def view(drawn: Sequence[Series], *, higher_is_better: bool | None) -> View | None:
    """Choose the part of an axis.

    Args:
        drawn: all series of a panel.
        higher_is_better: of the axis; None: neither.

    Returns:
        None where nothing is finite, which leaves the choice to Matplotlib.
    """
    finite = [one.values[np.isfinite(one.values)] for one in drawn]
    every = np.concatenate(finite) if finite else np.empty(0)
    if not len(every):
        return None
    low, high = -np.inf, np.inf
    middle = np.median(every)
    apart = np.median(np.abs(every - middle))
    if len(every) >= FEWEST and apart > 0:
        low, high = middle - FENCE * apart, middle + FENCE * apart
    inside = [_inside(one, low, high, higher_is_better) for one in drawn]
    kept = _reach(drawn, inside)
    most = GAIN * (kept[1] - kept[0])
    whole = [np.isfinite(one.values) for one in drawn]
    # what lies a little outside is shown as a whole, the nearest first
    for i in sorted(range(len(drawn)), key=lambda i: _length(drawn[i], whole[i], kept)):
        if _length(drawn[i], whole[i], kept) <= most:
            inside[i] = whole[i]
            kept = _reach(drawn, inside)
    outside: dict[str, tuple[float, float]] = {}
    gone: dict[str, bool] = {}
    for one, seen in zip(drawn, inside, strict=True):
        left = one.values[np.isfinite(one.values) & ~seen]
        if len(left):
            outside[one.label] = float(left.min()), float(left.max())
            if not seen.any():
                gone[one.label] = bool(left.min() > kept[1])
    margin = _MARGIN * (kept[1] - kept[0]) or 0.05 * abs(kept[0]) or 0.05
    return View(kept[0] - margin, kept[1] + margin, outside, gone)


def with_values(seen: View | None, values: Iterable[float]) -> View | None:
    """A view that has other values in it too, such as the paper's."""
    others = [value for value in values if np.isfinite(value)]
    if seen is None or not others:
        return seen
    low, high = min(seen.low, *others), max(seen.high, *others)
    margin = 1.5 * _MARGIN * (high - low)
    low, high = (low - margin if low < seen.low else low), (high + margin if high > seen.high else high)
    outside = {label: ends for label, ends in seen.outside.items() if ends[0] < low or ends[1] > high}
    return View(low, high, outside, {label: above for label, above in seen.gone.items() if label in outside})


def _inside(one: Series, low: float, high: float, higher_is_better: bool | None) -> NDArray[np.bool_]:
    if one.model and higher_is_better is not None:
        low, high = (low, np.inf) if higher_is_better else (-np.inf, high)
    return np.isfinite(one.values) & (one.values >= low) & (one.values <= high)


def _length(one: Series, which: NDArray[np.bool_], kept: tuple[float, float]) -> float:
    """How long an axis must be that shows these values too."""
    low, high = _reach([one], [which]) if which.any() else kept
    return max(high, kept[1]) - min(low, kept[0])


def _reach(drawn: Sequence[Series], which: Sequence[NDArray[np.bool_]]) -> tuple[float, float]:
    """From the lowest to the highest of some values and their intervals."""
    parts = [part[seen] for one, seen in zip(drawn, which, strict=True) for part in (one.values, one.low, one.high)]
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    return float(values.min()), float(values.max())


def show(axes: Axes, seen: View | None, style: Mapping[str, Look], *, turned: bool = False) -> None:
    """Fit a panel to its view, and write into it what lies outside as a whole.

    Args:
        axes: the panel.
        seen: what is shown; None changes nothing.
        style: label to look.
        turned: whether small values shall be at the top.
    """
    if seen is None:
        return
    room = _ROOM * (seen.high - seen.low)
    low = seen.low - room * sum(not above for above in seen.gone.values())
    high = seen.high + room * sum(seen.gone.values())
    axes.set_ylim(*((high, low) if turned else (low, high)))
    decimals = decimals_for([seen.low, seen.high])
    for upper in (False, True):
        names = [label for label, above in seen.gone.items() if (above != turned) == upper]
        for level, label in enumerate(names):
            low, high = seen.outside[label]
            arrow = "↑" if upper else "↓"
            axes.annotate(
                f"{arrow} {shown(label, 24)}: {_between(low, high, decimals)}",
                (0.02, 1.0 if upper else 0.0), xycoords="axes fraction",
                xytext=(0, (-1 if upper else 1) * (4 + 10 * level)), textcoords="offset points",
                va="top" if upper else "bottom", fontsize=SMALL - 0.5, color=INK, zorder=6,
                bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": style[label].color, "lw": 0.8, "alpha": 0.9},
            )  # fmt: skip


def _between(low: float, high: float, decimals: int) -> str:
    ends = [number(end, decimals) for end in (low, high)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def told_outside(views: Mapping[str, View | None]) -> str:
    """A sentence on what is not in view; empty if everything is.

    Args:
        views: title of a panel to its view.
    """
    parts = []
    for title, seen in views.items():
        if seen is not None and seen.outside:
            decimals = decimals_for([seen.low, seen.high])
            names = joined(f"{label} ({_between(low, high, decimals)})" for label, (low, high) in seen.outside.items())
            parts.append(f"{title} of {names}")
    if not parts:
        return ""
    return f" Outside the axes, which they would make more than {GAIN:g} times as long: {'; '.join(parts)}."
