"""Quality against latency: which model is worth its waiting time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipbench.records.latency import EAGER
from lipbench.records.quality import MetricFacts
from lipbench.reports.figures.axis_range import (
    AxisRange,
    PlotSeries,
    apply_axis_range,
    choose_axis_range,
    extend_axis_range,
    outside_sentence,
)
from lipbench.reports.figures.figure import (
    MissingFigure,
    ReportFigure,
    latency_condition_text,
    quality_condition,
    rows_beside_paper,
    sample_size_text,
)
from lipbench.reports.figures.style import (
    SMALL,
    PlotStyle,
    add_heading,
    draw_paper_points,
    empty_figure,
    finish,
    house_style,
    legend,
    log_axis,
)
from lipbench.reports.formatting import decimals_for, join_words, milliseconds, number
from lipbench.reports.paper import load_paper
from lipbench.reports.tables.latency import LatencyCell, LatencyRow, LatencyTable
from lipbench.reports.tables.quality import QualityRow, QualityTable
from lipbench.statistics.intervals import Mean

TITLE = "Quality against latency"
METRICS = ("ssim", "lmd", "aperture_correlation", "psnr", "fid")
"""In the order in which they are taken."""
MOST_PANELS = 3
MOTIONLESS_CONTROL = "first_frame"
"""The control that stands in each panel: a mouth that never moves, which takes no time at all."""


MOTIONLESS_LINE_COLOR = "#8a8a8a"


class Point(NamedTuple):
    """One model: its quality, and how long it takes."""

    label: str
    quality: QualityRow
    cell: LatencyCell


def draw_pareto(
    table: QualityTable, times: LatencyTable, style: Mapping[str, PlotStyle]
) -> ReportFigure | MissingFigure:
    """The figure with its words.

    Args:
        table: quality.
        times: latency.
        style: see `lipbench.reports.figures.style.plot_styles`, for the labels of the quality table.
    """
    title = f"{TITLE} ({times.device.upper()})"
    points, frames = pair_quality_latency(table, times)
    if len({point.quality.label for point in points}) < 2:
        return MissingFigure(title=title, reason="fewer than two models have both quality and latency under one preset")
    metrics = _metrics(table, points)
    if not metrics:
        return MissingFigure(title=title, reason=f"the models share none of {join_words(METRICS)}")
    paper_companions, caveats = _points_beside_paper(points)
    paper_points = {metric.name: _papers(metric, paper_companions, table) for metric in metrics}
    axis_ranges = {
        metric: _view(metric, points, _motionless_row(table), paper_points[metric.name]) for metric in metrics
    }
    shows = any(paper_points.values())
    best = {metric.title: [p.label for p in frontier(points, metric)] for metric in metrics}
    caption = (
        f"Quality against the median time of a call that makes {frames} frames, of the lengths timed the one next to "
        f"that of the clips; {quality_condition(table)}, "
        f"{sample_size_text([point.quality for point in points], table)}; "
        f"{latency_condition_text(times)}. Better is up and left: an axis whose small values are better is turned "
        "round. Bars are "
        "95 % intervals. The grey line joins the models that no other beats in both; the dotted one is the first frame "
        "repeated, which never moves."
    )
    if shows:
        caption += (
            f" Hollow: the paper's tables, on {load_paper().hardware}, joined with ours by a thin line; compare their "
            "order, not their times."
        )
        caption = " ".join([caption, *caveats])
    caption += outside_sentence({metric.title: axis_range for metric, axis_range in axis_ranges.items()})
    return ReportFigure(
        name=f"pareto-{times.device}",
        title=title,
        caption=caption,
        alt=" ".join(_alt_text(metric, points) for metric in metrics)
        + f" Unbeaten: {'; '.join(f'{join_words(names)} on {metric}' for metric, names in best.items())}.",
        figure=pareto_figure(
            points,
            axis_ranges,
            style,
            paper_points,
            still=_motionless_row(table),
            subtitle=quality_condition(table),
            frames=frames,
        ),
    )


def _alt_text(metric: MetricFacts, points: Sequence[Point]) -> str:
    decimals = decimals_for(_mean(point, metric).value for point in points)
    parts = [
        f"{p.label} {number(_mean(p, metric).value, decimals)} in {milliseconds(p.cell.wall.median)} ms" for p in points
    ]
    return f"{metric.title}: {', '.join(parts)}."


def pair_quality_latency(table: QualityTable, times: LatencyTable) -> tuple[list[Point], int]:
    """Set models' quality and latency side by side.

    Args:
        table: quality.
        times: latency; a system is the same there if name, preset and configuration are. Several of a kind (ways of
            running one model) are points of their own.

    Returns:
        The points in the order of `table`, all at one length, and that length in frames: the one next to the mean
        length of the clips that most of the models were timed at.
    """
    pairs = [
        (row, latency_row, latency_row.measured)
        for row in table.models
        for latency_row in times.rows
        if _is_same_system(row, latency_row)
    ]
    lengths = Counter(length for _, _, latency_cells in pairs for length in latency_cells)
    if not lengths:
        return [], 0
    frame_counts = [clip.generated_frames for row, *_ in pairs for clip in row.scores]
    typical = sum(frame_counts) / max(1, len(frame_counts))
    frames = min(lengths, key=lambda n: (-lengths[n], abs(n - typical)))
    ways = Counter(row.label for row, *_ in pairs)
    return [
        Point(latency_row.label if ways[row.label] > 1 else row.label, row, latency_cells[frames])
        for row, latency_row, latency_cells in pairs
        if frames in latency_cells
    ], frames


def _is_same_system(row: QualityRow, latency_row: LatencyRow) -> bool:
    a, b = row.system, latency_row.system
    if a is None or b is None:
        return False
    # what was built, where it is known: one that is only timed is told its vocabulary's size, a trained one is not
    return (a.name, a.preset, a.config or a.options) == (b.name, b.preset, b.config or b.options)


def _mean(point: Point, metric: MetricFacts) -> Mean:
    return point.quality.cells[metric.name].mean


def _metrics(table: QualityTable, points: Sequence[Point]) -> list[MetricFacts]:
    """Those that all points have, the most telling first."""
    metric_by_name = {metric.name: metric for metric in table.metrics}
    panel_metrics = [
        metric_by_name[name]
        for name in METRICS
        if name in metric_by_name
        and all(name in p.quality.cells and math.isfinite(p.quality.cells[name].mean.value) for p in points)
    ]
    return panel_metrics[:MOST_PANELS]


def frontier(points: Sequence[Point], metric: MetricFacts) -> list[Point]:
    """Points that no other beats in both latency and quality, the fastest first."""
    sign = -1 if metric.higher_is_better is False else 1
    points_by_speed = sorted(points, key=lambda p: (p.cell.wall.median, -sign * _mean(p, metric).value))
    frontier_points: list[Point] = []
    for point in points_by_speed:
        if not frontier_points or sign * _mean(point, metric).value > sign * _mean(frontier_points[-1], metric).value:
            frontier_points.append(point)
    return frontier_points


def _points_beside_paper(points: Sequence[Point]) -> tuple[list[Point], list[str]]:
    """Which point of each system the paper's is joined with, and what is to be said of the choice.

    See `lipbench.reports.figures.figure.rows_beside_paper`; of several ways of running one model, the model as it is.
    """
    rows = list({point.quality.label: point.quality for point in points if point.quality.entry is not None}.values())
    drawn_rows, caveats = rows_beside_paper(rows)
    companions: list[Point] = []
    for row in drawn_rows:
        ways = [point for point in points if point.quality.label == row.label]
        eager = [point for point in ways if point.cell.result.variant == EAGER] or ways
        companions.append(eager[0])
        if len(ways) > 1:
            caveats.append(f"Of {len(ways)} ways of running {row.label} the paper's is joined with {eager[0].label}.")
    return companions, caveats


def _papers(metric: MetricFacts, companions: Sequence[Point], table: QualityTable) -> dict[str, tuple[float, float]]:
    """Label to the paper's latency in ms and value, of this corpus."""
    paper_points: dict[str, tuple[float, float]] = {}
    for point in companions:
        value = point.quality.cells[metric.name].paper
        waits = [p for p in load_paper().latencies(point.quality.name) if p.corpus == table.corpus.name]
        if value is not None and waits:
            paper_points[point.label] = float(waits[0].latency_s) * 1000, float(value)
    return paper_points


def _view(
    metric: MetricFacts,
    points: Sequence[Point],
    still: QualityRow | None,
    paper_points: Mapping[str, tuple[float, float]],
) -> AxisRange | None:
    """What a panel shows of its axis: the control and the paper's values always."""
    panel_series = []
    for point in points:
        mean = _mean(point, metric)
        ends = (mean.interval.low, mean.interval.high) if mean.interval is not None else ()
        panel_series.append(PlotSeries.point(point.label, mean.value, *ends))
    others = [value for _, value in paper_points.values()]
    if still is not None and metric.name in still.cells:
        others.append(still.cells[metric.name].mean.value)
    return extend_axis_range(choose_axis_range(panel_series, higher_is_better=metric.higher_is_better), others)


def _motionless_row(table: QualityTable) -> QualityRow | None:
    return next((row for row in table.controls if row.name == MOTIONLESS_CONTROL), None)


def pareto_figure(
    points: Sequence[Point],
    axis_ranges: Mapping[MetricFacts, AxisRange | None],
    style: Mapping[str, PlotStyle],
    paper_points: Mapping[str, Mapping[str, tuple[float, float]]],
    *,
    still: QualityRow | None,
    subtitle: str,
    frames: int,
) -> Figure:
    """A panel per metric.

    Args:
        points: at least one.
        axis_ranges: metric that all of them have to what is shown of its axis.
        style: label of the quality table to look.
        paper_points: metric to label to the paper's point.
        still: the control to read them against.
        subtitle: what was measured.
        frames: length of the timed calls.
    """
    point_styles = styles_of(points, style)
    with house_style():
        figure = empty_figure(3.3)
        for axes, metric in zip(figure.subplots(1, len(axis_ranges), squeeze=False)[0], axis_ranges, strict=True):
            best = frontier(points, metric)
            axes.plot(
                [p.cell.wall.median * 1000 for p in best], [_mean(p, metric).value for p in best],
                color="#b0b0b0", linewidth=1.2, zorder=1,
            )  # fmt: skip
            for point in points:
                _draw_point(axes, point, metric, point_styles[point.label], paper_points[metric.name].get(point.label))
            if still is not None and metric.name in still.cells and math.isfinite(still.cells[metric.name].mean.value):
                axes.axhline(
                    still.cells[metric.name].mean.value, color=MOTIONLESS_LINE_COLOR, linestyle=":", linewidth=1.2
                )
            unit = f" ({metric.unit})" if metric.unit else ""
            better = "small is better, axis turned" if metric.higher_is_better is False else "large is better"
            finish(axes, x=f"ms for {frames} frames", y=f"{metric.title}{unit}")
            axes.set_title(better, fontsize=SMALL, weight="normal")
            axes.margins(x=0.15, y=0.12)
            log_axis(axes, "x", max_ratio=500 if len(axis_ranges) < MOST_PANELS else 20)
            axes.tick_params(axis="x", labelsize=SMALL)
            apply_axis_range(axes, axis_ranges[metric], point_styles, is_inverted=metric.higher_is_better is False)
        hollow = "paper" if any(paper_points.values()) else None
        rest = {still.label: MOTIONLESS_LINE_COLOR} if still is not None else {}
        legend(figure, point_styles, [point.label for point in points], hollow=hollow, lines=False, rest=rest)
        add_heading(figure, subtitle)
    return figure


def styles_of(points: Sequence[Point], style: Mapping[str, PlotStyle]) -> dict[str, PlotStyle]:
    """Label to look; ways of running one model share its colour and differ in their marker."""
    shapes = ("o", "s", "^", "D", "v", "P", "X", "*", "<", "h")
    style_by_label: dict[str, PlotStyle] = {}
    for point in points:
        system_style = style[point.quality.label]
        used_markers = {
            plot_style.marker for plot_style in style_by_label.values() if plot_style.color == system_style.color
        }
        marker = (
            system_style.marker
            if system_style.marker not in used_markers
            else next((m for m in shapes if m not in used_markers), system_style.marker)
        )
        style_by_label[point.label] = system_style._replace(marker=marker)
    return style_by_label


def _draw_point(
    axes: Axes, point: Point, metric: MetricFacts, plot_style: PlotStyle, paper: tuple[float, float] | None
) -> None:
    x, mean = point.cell.wall.median * 1000, _mean(point, metric)
    if paper is not None:
        axes.plot([x, paper[0]], [mean.value, paper[1]], color=plot_style.color, linewidth=0.6, alpha=0.6)
        draw_paper_points(axes, [paper], plot_style)
    if mean.interval is not None:
        axes.vlines(x, mean.interval.low, mean.interval.high, color=plot_style.color, linewidth=1.4, alpha=0.6)
    if point.cell.wall.interval is not None:
        wide = point.cell.wall.interval
        axes.hlines(mean.value, wide.low * 1000, wide.high * 1000, color=plot_style.color, linewidth=1.4, alpha=0.6)
    axes.plot(
        [x], [mean.value], color=plot_style.color, marker=plot_style.marker, linestyle="none", markersize=6.5, zorder=3
    )
