"""Every frame metric against the position of a frame in its clip: what error propagation looks like."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipbench.reports.figures.axis_range import (
    AxisRange,
    PlotSeries,
    apply_axis_range,
    choose_axis_range,
    outside_sentence,
)
from lipbench.reports.figures.figure import (
    MissingFigure,
    ReportFigure,
    drawable_rows,
    quality_condition,
    sample_size_text,
)
from lipbench.reports.figures.frame_curves import CurveMetric, frame_metrics
from lipbench.reports.figures.style import (
    PlotStyle,
    add_heading,
    draw_band,
    empty_figure,
    finish,
    house_style,
    integer_ticks,
    legend,
)
from lipbench.reports.formatting import decimals_for, join_words, number
from lipbench.reports.tables.quality import QualityRow, QualityTable
from lipbench.statistics.intervals import MIN_CLUSTERS, MeanCurve, mean_curve

TITLE = "Quality against frame position"
COLUMNS = 2
FIRST_MOVING_FRAME = 5
"""Frames after which a control that repeats the first one tells of itself and not of the frame it was given."""


class PositionCurve(NamedTuple):
    """One system's mean at each position."""

    row: QualityRow
    places: np.ndarray
    """Positions in frames from 0, without those that too few clips reach; means over clips where those are spaced."""
    mean: MeanCurve
    """At each of them."""

    @property
    def dense(self) -> bool:
        """Whether every frame has a place of its own."""
        return bool((self.places == np.arange(len(self.places))).all())


Panels = Mapping[CurveMetric, Sequence[PositionCurve]]


def draw_positions(table: QualityTable, style: Mapping[str, PlotStyle]) -> ReportFigure | MissingFigure:
    """The figure with its words.

    Args:
        table: of one condition.
        style: see `lipbench.reports.figures.style.plot_styles`.
    """
    panels = {metric: _curves(table, metric) for metric in frame_metrics(table)}
    panels = {metric: curves for metric, curves in panels.items() if any(c.row.kind == "model" for c in curves)}
    if not panels:
        return MissingFigure(title=TITLE, reason="no record of a model has curves per frame")
    rows = list({curve.row.label: curve.row for curves in panels.values() for curve in curves}.values())
    axis_ranges = {metric: _view(metric, curves) for metric, curves in panels.items()}
    caption = (
        f"{join_words(metric.facts.title for metric in panels)} at each frame of the clip, mean over clips; "
        f"{quality_condition(table)}; {sample_size_text(rows, table)}, those that reach a frame beneath. Bands are "
        "95 % bootstrap "
        f"intervals, given where {MIN_CLUSTERS} clips (or speakers) have the frame; positions that fewer than "
        f"{MIN_CLUSTERS} clips reach are left out. A line that keeps getting worse is error handed on from frame to "
        "frame; a repeated first frame gets worse as soon as the real mouth moves, and is cut off where it still "
        "equals the truth."
    ) + outside_sentence({metric.facts.title: axis_range for metric, axis_range in axis_ranges.items()})
    return ReportFigure(
        name="positions",
        title=TITLE,
        caption=caption,
        alt=f"{join_words(metric.facts.title for metric in panels)} over the frame's place in the clip. "
        f"{_alt_text(panels)}",
        figure=positions_figure(panels, axis_ranges, style, subtitle=quality_condition(table)),
    )


def _alt_text(panels: Panels) -> str:
    """Means of the first and the last fifth of the first panel, in words."""
    metric, curves = next(iter(panels.items()))
    decimals = decimals_for(float(np.nanmax(curve.mean.values)) for curve in curves)
    sentences = []
    for curve in curves:
        fifth = max(1, len(curve.mean.values) // 5)
        first, last = np.nanmean(curve.mean.values[:fifth]), np.nanmean(curve.mean.values[-fifth:])
        sentences.append(f"{curve.row.label} {number(float(first), decimals)} and {number(float(last), decimals)}")
    return f"{metric.facts.title} in the first and in the last fifth of the positions: {'; '.join(sentences)}."


def _curves(table: QualityTable, metric: CurveMetric) -> list[PositionCurve]:
    curves = []
    for row in drawable_rows(table):
        clips = [clip for clip in row.scores if len(metric.curve(clip))]
        if clips:
            mean = mean_curve(stack_curves([metric.curve(clip) for clip in clips]), [clip.speaker for clip in clips])
            dense_positions = np.flatnonzero(mean.counts >= min(MIN_CLUSTERS, len(clips)))
            if len(dense_positions):
                end = int(dense_positions[-1]) + 1
                places = np.nanmean(stack_curves([metric.positions(clip) for clip in clips])[:, :end], axis=0)
                curves.append(PositionCurve(row, places, _cut_curve(mean, end)))
    return curves


def _cut_curve(mean: MeanCurve, end: int) -> MeanCurve:
    return MeanCurve(values=mean.values[:end], low=mean.low[:end], high=mean.high[:end], counts=mean.counts[:end])


def stack_curves(curves: Sequence[np.ndarray]) -> np.ndarray:
    """Curves on top of one another.

    Args:
        curves: at least one.

    Returns:
        float64 (clips, longest curve); nan behind a clip's end and where a frame has no value.
    """
    matrix = np.full((len(curves), max(map(len, curves))), np.nan)
    for line, curve in zip(matrix, curves, strict=True):
        line[: len(curve)] = curve
    return matrix


def _view(metric: CurveMetric, curves: Sequence[PositionCurve]) -> AxisRange | None:
    """Fit a panel to the models and to what controls score once the mouth has moved."""
    panel_series = []
    for curve in curves:
        is_used = curve.places >= (0 if curve.row.kind == "model" else FIRST_MOVING_FRAME)
        values, low, high = (part[is_used] for part in (curve.mean.values, curve.mean.low, curve.mean.high))
        panel_series.append(PlotSeries(curve.row.label, values, low, high, model=curve.row.kind == "model"))
    return choose_axis_range(panel_series, higher_is_better=metric.facts.higher_is_better)


def positions_figure(
    panels: Panels,
    axis_ranges: Mapping[CurveMetric, AxisRange | None],
    style: Mapping[str, PlotStyle],
    *,
    subtitle: str,
) -> Figure:
    """A panel per metric, two in a row, and beneath each column how many clips reach a position.

    Args:
        panels: what is drawn in each, at least one curve.
        axis_ranges: what each shows of its axis.
        style: label to look.
        subtitle: what was measured.
    """
    columns = min(COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    with house_style():
        figure = empty_figure(1.75 * rows + (2.1 if rows == 1 else 1.6))
        grid = figure.subplots(rows + 1, columns, sharex=True, squeeze=False, height_ratios=[1.9] * rows + [0.65])
        uppers = list(grid[:-1].flat)
        for axes, (metric, curves) in zip(uppers, panels.items(), strict=False):
            for place, curve in enumerate(curves):
                _draw_curve(axes, curve, style[curve.row.label], place / len(curves))
            finish(axes, x="", y=metric.axis, title=metric.heading)
            apply_axis_range(axes, axis_ranges[metric], style)
        for axes in uppers[len(panels) :]:
            axes.set_axis_off()
        for axes in grid[-1]:
            _draw_counts(axes, list(panels.values()), style)
        labels = dict.fromkeys(curve.row.label for curves in panels.values() for curve in curves)
        legend(figure, style, list(labels))
        add_heading(figure, subtitle)
    return figure


def _draw_curve(axes: Axes, curve: PositionCurve, plot_style: PlotStyle, shift: float) -> None:
    """Draw one line; `shift` in [0, 1) keeps the markers of several lines from lying on one another."""
    mean = curve.mean
    x = curve.places
    draw_band(axes, x.tolist(), mean.low.tolist(), mean.high.tolist(), plot_style)
    marker_spacing = max(1, len(x) // 8)
    axes.plot(
        x, mean.values, color=plot_style.color, linestyle=plot_style.dash, linewidth=1.3,
        marker=plot_style.marker, markersize=4.5, markevery=(int(shift * marker_spacing), marker_spacing),
    )  # fmt: skip


def _draw_counts(axes: Axes, panels: Sequence[Sequence[PositionCurve]], style: Mapping[str, PlotStyle]) -> None:
    """Lines of how many clips have a value at each position, in the metric that most have one of."""
    all_curves = [curve for curves in panels for curve in curves]
    counts: dict[str, np.ndarray] = {}
    for curve in [curve for curve in all_curves if curve.dense] or all_curves:
        earlier_counts = counts.get(curve.row.label, np.zeros(0))
        longest = max(len(earlier_counts), len(curve.mean.counts))
        count_pair = [
            np.pad(padded_counts, (0, longest - len(padded_counts)))
            for padded_counts in (earlier_counts, curve.mean.counts)
        ]
        counts[curve.row.label] = np.maximum(*count_pair)
    for label, position_counts in counts.items():
        plot_style = style[label]
        axes.plot(
            np.arange(len(position_counts)),
            position_counts,
            color=plot_style.color,
            linestyle=plot_style.dash,
            linewidth=1.2,
        )
    finish(axes, x="position in the clip (frames)", y="clips")
    integer_ticks(axes)
    axes.set_ylim(0, axes.get_ylim()[1] * 1.12)
    axes.set_xlim(left=0)
