"""Which part of an axis a panel shows: all of it, unless a few values would squeeze the rest; those are then named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from lipbench.reports.figures.style import INK, SMALL, PlotStyle, plain_label
from lipbench.reports.formatting import decimals_for, join_words, number

MAX_DEVIATIONS = 7.0
"""Median absolute deviations from the median behind which a value is far out: of normal values, where three
interquartile ranges beyond the quartiles end (Tukey, 1977). Up to half of the values may lie there."""
MIN_STRETCH = 2.0
"""So many times longer the axis must become by a series far out for it to be left outside."""
MIN_VALUES = 6
"""Values that deviations can be taken of."""
_MARGIN = 0.07
"""Share of the axis that is left free at each end."""
_ROOM = 0.12
"""Share of the axis for the words on one series that lies outside: they shall cover nothing that is drawn."""


class PlotSeries(NamedTuple):
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
    def point(cls, label: str, value: float, low: float = np.nan, high: float = np.nan) -> PlotSeries:
        """One value of a model with its interval."""
        return cls(label, np.array([value]), np.array([low]), np.array([high]))


class AxisRange(NamedTuple):
    """What of an axis is shown."""

    low: float
    high: float
    outside: dict[str, tuple[float, float]]
    """Label to the smallest and the largest of its values that are not in view."""
    gone: dict[str, bool]
    """Labels of which nothing is in view, to whether they lie above."""


def choose_axis_range(panel_series: Sequence[PlotSeries], *, higher_is_better: bool | None) -> AxisRange | None:
    """Choose the part of an axis.

    Args:
        panel_series: all series of a panel.
        higher_is_better: of the axis; None: neither.

    Returns:
        None where nothing is finite, which leaves the choice to Matplotlib.
    """
    finite = [series.values[np.isfinite(series.values)] for series in panel_series]
    all_values = np.concatenate(finite) if finite else np.empty(0)
    if not len(all_values):
        return None
    low, high = -np.inf, np.inf
    middle = np.median(all_values)
    deviation = np.median(np.abs(all_values - middle))
    if len(all_values) >= MIN_VALUES and deviation > 0:
        low, high = middle - MAX_DEVIATIONS * deviation, middle + MAX_DEVIATIONS * deviation
    inside = [_inside_mask(series, low, high, higher_is_better) for series in panel_series]
    bounds = _value_range(panel_series, inside)
    max_length = MIN_STRETCH * (bounds[1] - bounds[0])
    finite_masks = [np.isfinite(series.values) for series in panel_series]
    # what lies a little outside is shown as a whole, the nearest first
    for i in sorted(range(len(panel_series)), key=lambda i: _axis_length(panel_series[i], finite_masks[i], bounds)):
        if _axis_length(panel_series[i], finite_masks[i], bounds) <= max_length:
            inside[i] = finite_masks[i]
            bounds = _value_range(panel_series, inside)
    outside: dict[str, tuple[float, float]] = {}
    fully_outside: dict[str, bool] = {}
    for series, is_inside in zip(panel_series, inside, strict=True):
        outside_values = series.values[np.isfinite(series.values) & ~is_inside]
        if len(outside_values):
            outside[series.label] = float(outside_values.min()), float(outside_values.max())
            if not is_inside.any():
                fully_outside[series.label] = bool(outside_values.min() > bounds[1])
    margin = _MARGIN * (bounds[1] - bounds[0]) or 0.05 * abs(bounds[0]) or 0.05
    return AxisRange(bounds[0] - margin, bounds[1] + margin, outside, fully_outside)


def extend_axis_range(axis_range: AxisRange | None, values: Iterable[float]) -> AxisRange | None:
    """A view that has other values in it too, such as the paper's."""
    others = [value for value in values if np.isfinite(value)]
    if axis_range is None or not others:
        return axis_range
    low, high = min(axis_range.low, *others), max(axis_range.high, *others)
    margin = 1.5 * _MARGIN * (high - low)
    low, high = (low - margin if low < axis_range.low else low), (high + margin if high > axis_range.high else high)
    outside = {label: ends for label, ends in axis_range.outside.items() if ends[0] < low or ends[1] > high}
    return AxisRange(low, high, outside, {label: above for label, above in axis_range.gone.items() if label in outside})


def _inside_mask(series: PlotSeries, low: float, high: float, higher_is_better: bool | None) -> NDArray[np.bool_]:
    if series.model and higher_is_better is not None:
        low, high = (low, np.inf) if higher_is_better else (-np.inf, high)
    return np.isfinite(series.values) & (series.values >= low) & (series.values <= high)


def _axis_length(series: PlotSeries, mask: NDArray[np.bool_], bounds: tuple[float, float]) -> float:
    """How long an axis must be that shows these values too."""
    low, high = _value_range([series], [mask]) if mask.any() else bounds
    return max(high, bounds[1]) - min(low, bounds[0])


def _value_range(panel_series: Sequence[PlotSeries], masks: Sequence[NDArray[np.bool_]]) -> tuple[float, float]:
    """From the lowest to the highest of some values and their intervals."""
    parts = [
        part[mask]
        for series, mask in zip(panel_series, masks, strict=True)
        for part in (series.values, series.low, series.high)
    ]
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    return float(values.min()), float(values.max())


def apply_axis_range(
    axes: Axes, axis_range: AxisRange | None, style: Mapping[str, PlotStyle], *, is_inverted: bool = False
) -> None:
    """Fit a panel to its view, and write into it what lies outside as a whole.

    Args:
        axes: the panel.
        axis_range: what is shown; None changes nothing.
        style: label to look.
        is_inverted: whether small values shall be at the top.
    """
    if axis_range is None:
        return
    room = _ROOM * (axis_range.high - axis_range.low)
    low = axis_range.low - room * sum(not above for above in axis_range.gone.values())
    high = axis_range.high + room * sum(axis_range.gone.values())
    axes.set_ylim(*((high, low) if is_inverted else (low, high)))
    decimals = decimals_for([axis_range.low, axis_range.high])
    for upper in (False, True):
        names = [label for label, above in axis_range.gone.items() if (above != is_inverted) == upper]
        for level, label in enumerate(names):
            low, high = axis_range.outside[label]
            arrow = "↑" if upper else "↓"
            axes.annotate(
                f"{arrow} {plain_label(label, 24)}: {_range_text(low, high, decimals)}",
                (0.02, 1.0 if upper else 0.0), xycoords="axes fraction",
                xytext=(0, (-1 if upper else 1) * (4 + 10 * level)), textcoords="offset points",
                va="top" if upper else "bottom", fontsize=SMALL - 0.5, color=INK, zorder=6,
                bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": style[label].color, "lw": 0.8, "alpha": 0.9},
            )  # fmt: skip


def _range_text(low: float, high: float, decimals: int) -> str:
    ends = [number(end, decimals) for end in (low, high)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def outside_sentence(axis_ranges: Mapping[str, AxisRange | None]) -> str:
    """A sentence on what is not in view; empty if everything is.

    Args:
        axis_ranges: title of a panel to its view.
    """
    parts = []
    for title, axis_range in axis_ranges.items():
        if axis_range is not None and axis_range.outside:
            decimals = decimals_for([axis_range.low, axis_range.high])
            names = join_words(
                f"{label} ({_range_text(low, high, decimals)})" for label, (low, high) in axis_range.outside.items()
            )
            parts.append(f"{title} of {names}")
    if not parts:
        return ""
    return f" Outside the axes, which they would make more than {MIN_STRETCH:g} times as long: {'; '.join(parts)}."
