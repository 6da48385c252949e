"""Frame metrics against the length of clips: SSIM after the paper's figure 4, then the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
    drawable_rows,
    quality_condition,
    rows_beside_paper,
    sample_size_text,
)
from lipbench.reports.figures.frame_curves import CurveMetric, frame_metrics
from lipbench.reports.figures.style import (
    SMALL,
    PlotStyle,
    add_heading,
    draw_band,
    draw_bars,
    draw_paper_points,
    empty_figure,
    finish,
    house_style,
    integer_ticks,
    legend,
    plain_label,
)
from lipbench.reports.formatting import count, join_words, number
from lipbench.reports.paper import load_paper
from lipbench.reports.tables.quality import QualityRow, QualityTable
from lipbench.statistics.intervals import MIN_CLUSTERS, Mean, mean_by_cluster

TITLE = "SSIM against clip length"
OTHERS = "Other frame metrics against clip length"
SSIM = "ssim"
COLUMNS = 2
MOST_BINS = 6
PER_BIN = 15
"""Clips of a row that a bin shall have on average: with fewer, most bins have no interval."""
RESAMPLES = 1999
"""For a figure: the ends of a band need fewer digits than a table's."""
_POINTS = (
    "Points are means over clips, bands and bars 95 % bootstrap intervals, given from "
    f"{MIN_CLUSTERS} clips (or speakers) on."
)


class Bin(NamedTuple):
    """Lengths that are taken together, both ends among them."""

    low: int
    high: int

    @property
    def text(self) -> str:
        """Its lengths for people."""
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


class BinnedMeans(NamedTuple):
    """One system's value in each bin that has clips of its."""

    row: QualityRow
    lengths: list[float]
    """Mean length of the clips of each bin."""
    bins: list[Bin]
    means: list[Mean]


def draw_lengths(table: QualityTable, style: Mapping[str, PlotStyle]) -> ReportFigure | MissingFigure:
    """Figure 4 with its words.

    Args:
        table: of one condition.
        style: see `lipbench.reports.figures.style.plot_styles`.
    """
    ssim = next((CurveMetric(facts) for facts in table.metrics if facts.name == SSIM), None)
    rows = [] if ssim is None else _rows(table, ssim)
    if ssim is None or not any(row.kind == "model" for row in rows):
        return MissingFigure(title=TITLE, reason="no model has an SSIM")
    bins = length_bins([row for row in rows if row.kind == "model"])
    if len(bins) < 2:
        return MissingFigure(title=TITLE, reason=_equal_lengths_reason(rows))
    curves = [binned_values(row, bins, ssim) for row in rows]
    paper_points, caveats = _papers(table, rows)
    axis_range = _view(ssim, curves, paper_points)
    shortest, longest = bins[0], bins[-1]
    end_texts = [
        f"{curve.row.label} has {number(curve.means[0].value, 3)} at {curve.bins[0].text} frames and "
        f"{number(curve.means[-1].value, 3)} at {curve.bins[-1].text}"
        for curve in curves
        if curve.row.kind == "model"
    ]
    caption = (
        f"SSIM against the length {_length_origin(table)} (the paper's figure 4); {quality_condition(table)}; "
        f"{sample_size_text(rows, table)}, those of each point beneath (bins: "
        f"{join_words(curve.text for curve in bins)} frames). "
        f"{_POINTS} A line that falls is error that grows with length; grey lines are mouths that never move."
    )
    if paper_points:
        caption += (
            " Hollow: the paper's means over its test set, at its mean length "
            f"({join_words(_length_texts(paper_points))} frames)."
        )
    return ReportFigure(
        name="ssim-length",
        title=TITLE,
        caption=" ".join([caption, *caveats]) + outside_sentence({ssim.facts.title: axis_range}),
        alt=f"SSIM over {len(bins)} bins of length from {shortest.low} to {longest.high} frames. "
        f"{join_words(end_texts)}.",
        figure=lengths_figure(ssim, curves, style, paper_points, axis_range, subtitle=quality_condition(table)),
    )


def draw_other_lengths(table: QualityTable, style: Mapping[str, PlotStyle]) -> ReportFigure | MissingFigure:
    """The other frame metrics against length, with their words; arguments as for `draw_lengths`."""
    metrics = [metric for metric in frame_metrics(table) if metric.facts.name != SSIM]
    rows = drawable_rows(table)
    if not metrics:
        return MissingFigure(
            title=OTHERS, reason="no record of a model has curves per frame of another metric than SSIM"
        )
    bins = length_bins(table.models)
    if len(bins) < 2:
        return MissingFigure(title=OTHERS, reason=_equal_lengths_reason(rows))
    panels = {metric: [binned_values(row, bins, metric) for row in _rows(table, metric)] for metric in metrics}
    axis_ranges = {metric: _view(metric, curves, {}) for metric, curves in panels.items()}
    ns = [mean.n for curves in panels.values() for curve in curves for mean in curve.means]
    names = join_words(metric.facts.title for metric in panels)
    caption = (
        f"{names} against the length {_length_origin(table)}; {quality_condition(table)}; "
        f"{sample_size_text(rows, table)}, "
        f"{min(ns)} to {max(ns)} of them per point (bins: {join_words(curve.text for curve in bins)} frames). "
        f"{_POINTS} "
        "A line that gets worse to the right is error that grows with length."
    ) + outside_sentence({metric.facts.title: axis_range for metric, axis_range in axis_ranges.items()})
    return ReportFigure(
        name="metrics-length",
        title=OTHERS,
        caption=caption,
        alt=f"{names} over {len(bins)} bins of length from {bins[0].low} to {bins[-1].high} frames.",
        figure=others_figure(panels, style, axis_ranges, subtitle=quality_condition(table)),
    )


def _rows(table: QualityTable, metric: CurveMetric) -> list[QualityRow]:
    return [row for row in drawable_rows(table) if any(metric.value(clip) is not None for clip in row.scores)]


def _length_origin(table: QualityTable) -> str:
    return "that the model chose" if table.durations == "predicted" else "of the clip"


def _length_texts(paper_points: Mapping[str, tuple[float, float]]) -> list[str]:
    return [f"{x:g}" for x in sorted({x for x, _ in paper_points.values()})]


def _equal_lengths_reason(rows: Sequence[QualityRow]) -> str:
    lengths = [clip.generated_frames for row in rows if row.kind == "model" for clip in row.scores]
    largest_count = max(row.clips for row in rows)
    if min(lengths) == max(lengths):
        return f"all clips have {lengths[0]} frames"
    return (
        f"{count(largest_count, 'clip')} of {min(lengths)} to {max(lengths)} frames give no two bins of {MIN_CLUSTERS}"
    )


def length_bins(rows: Sequence[QualityRow]) -> list[Bin]:
    """Bins with about as many clips in each: on average at least `MIN_CLUSTERS` of a row.

    Args:
        rows: whose clips are counted together, so that all have the same bins.

    Returns:
        At most `MOST_BINS` of them, shortest first, without gaps; fewer where many clips are equally long, none
        where there are fewer than twice `MIN_CLUSTERS`.
    """
    lengths = np.sort([clip.generated_frames for row in rows for clip in row.scores])
    clips_per_row = len(lengths) // max(1, len(rows))
    if clips_per_row < 2 * MIN_CLUSTERS:
        return []
    n_bins = min(MOST_BINS, max(2, clips_per_row // PER_BIN))
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, n_bins + 1), method="nearest"))
    if len(edges) == 1:
        return [Bin(int(edges[0]), int(edges[0]))]
    lows = [int(edge) for edge in edges[:-1]]
    bins = [Bin(low, high - 1) for low, high in pairwise(lows)]
    return _merge_small_bins([*bins, Bin(lows[-1], int(edges[-1]))], lengths, MIN_CLUSTERS * len(rows))


def _merge_small_bins(bins: list[Bin], lengths: np.ndarray, fewest: int) -> list[Bin]:
    """Join bins with too few clips to their neighbours."""
    joined_bins: list[Bin] = []
    for length_bin in bins:
        if joined_bins and _count_inside(lengths, joined_bins[-1]) < fewest:
            length_bin = Bin(joined_bins.pop().low, length_bin.high)
        joined_bins.append(length_bin)
    if len(joined_bins) > 1 and _count_inside(lengths, joined_bins[-1]) < fewest:
        last = joined_bins.pop()
        joined_bins[-1] = Bin(joined_bins[-1].low, last.high)
    return joined_bins


def _count_inside(lengths: np.ndarray, length_bin: Bin) -> int:
    return int(((lengths >= length_bin.low) & (lengths <= length_bin.high)).sum())


def binned_values(row: QualityRow, bins: Sequence[Bin], metric: CurveMetric) -> BinnedMeans:
    """One system's mean in each bin, with its interval; clips outside all bins (a control's) are left out."""
    binned_means = BinnedMeans(row, [], [], [])
    clip_values = [(clip, value) for clip in row.scores if (value := metric.value(clip)) is not None]
    for length_bin in bins:
        inside = [
            (clip, value) for clip, value in clip_values if length_bin.low <= clip.generated_frames <= length_bin.high
        ]
        if inside:
            clips = [clip for clip, _ in inside]
            binned_means.lengths.append(sum(clip.generated_frames for clip in clips) / len(clips))
            binned_means.bins.append(length_bin)
            weights = [metric.weight(clip) for clip in clips]
            speakers = [clip.speaker for clip in clips]
            values = [value for _, value in inside]
            binned_means.means.append(mean_by_cluster(values, speakers, weights=weights, resamples=RESAMPLES))
    return binned_means


def _papers(table: QualityTable, rows: Sequence[QualityRow]) -> tuple[dict[str, tuple[float, float]], list[str]]:
    """Label to the paper's mean length and mean SSIM, and what is to be said of the choice of the rows."""
    frames = next((c.frames for c in load_paper().latency if c.corpus == table.corpus.name), None)
    if frames is None:
        return {}, []
    drawn_rows, caveats = rows_beside_paper([row for row in rows if row.entry is not None and SSIM in row.entry.values])
    return {
        row.label: (float(frames), float(row.entry.values[SSIM])) for row in drawn_rows if row.entry is not None
    }, caveats


def _view(
    metric: CurveMetric, curves: Sequence[BinnedMeans], paper_points: Mapping[str, tuple[float, float]]
) -> AxisRange | None:
    panel_series = []
    for curve in curves:
        ends = [mean.interval for mean in curve.means]
        values = np.array([mean.value for mean in curve.means])
        low = np.array([math.nan if end is None else end.low for end in ends])
        high = np.array([math.nan if end is None else end.high for end in ends])
        panel_series.append(PlotSeries(curve.row.label, values, low, high, model=curve.row.kind == "model"))
    axis_range = choose_axis_range(panel_series, higher_is_better=metric.facts.higher_is_better)
    return extend_axis_range(axis_range, (value for _, value in paper_points.values()))


def lengths_figure(
    metric: CurveMetric,
    curves: Sequence[BinnedMeans],
    style: Mapping[str, PlotStyle],
    paper_points: Mapping[str, tuple[float, float]],
    axis_range: AxisRange | None,
    *,
    subtitle: str,
) -> Figure:
    """One metric over length, and beneath it how many clips each point has.

    Args:
        metric: of the panel.
        curves: one line each.
        style: label to look.
        paper_points: label to the paper's point.
        axis_range: what is shown of the axis.
        subtitle: what was measured.
    """
    with house_style():
        figure = empty_figure(3.3 + 0.17 * len(curves))
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.0, 0.17 * (len(curves) + 1)))
        _draw_lines(upper, curves, style)
        for label, point in paper_points.items():
            draw_paper_points(upper, [point], style[label])
        finish(upper, x="length of the clip (frames)", y=metric.axis, title=metric.heading)
        apply_axis_range(upper, axis_range, style)
        integer_ticks(upper)
        upper.tick_params(labelbottom=True)
        _draw_counts(lower, curves, style)
        hollow = "paper (mean)" if paper_points else None
        legend(figure, style, [curve.row.label for curve in curves], hollow=hollow)
        add_heading(figure, subtitle)
    return figure


def others_figure(
    panels: Mapping[CurveMetric, Sequence[BinnedMeans]],
    style: Mapping[str, PlotStyle],
    axis_ranges: Mapping[CurveMetric, AxisRange | None],
    *,
    subtitle: str,
) -> Figure:
    """A panel per metric, two in a row.

    Args:
        panels: metric to its lines.
        style: label to look.
        axis_ranges: what each shows of its axis.
        subtitle: what was measured.
    """
    columns = min(COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    with house_style():
        figure = empty_figure(1.0 + 2.0 * rows)
        grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
        for axes, (metric, curves) in zip(grid.flat, panels.items(), strict=False):
            _draw_lines(axes, curves, style)
            finish(axes, x="", y=metric.axis, title=metric.heading)
            apply_axis_range(axes, axis_ranges[metric], style)
            integer_ticks(axes)
        for axes in grid.flat[len(panels) :]:
            axes.set_axis_off()
        for place in range(len(panels) - columns, len(panels)):  # the lowest panel of each column
            grid.flat[place].set_xlabel("length of the clip (frames)")
            grid.flat[place].tick_params(labelbottom=True)
        legend(figure, style, list(dict.fromkeys(curve.row.label for curves in panels.values() for curve in curves)))
        add_heading(figure, subtitle)
    return figure


def _draw_lines(axes: Axes, curves: Sequence[BinnedMeans], style: Mapping[str, PlotStyle]) -> None:
    for curve in curves:
        plot_style = style[curve.row.label]
        low = [math.nan if mean.interval is None else mean.interval.low for mean in curve.means]
        high = [math.nan if mean.interval is None else mean.interval.high for mean in curve.means]
        draw_band(axes, curve.lengths, low, high, plot_style)
        draw_bars(axes, curve.lengths, low, high, plot_style)
        axes.plot(
            curve.lengths, [mean.value for mean in curve.means], color=plot_style.color, marker=plot_style.marker,
            linestyle=plot_style.dash, linewidth=1.4, markersize=5, zorder=3,
        )  # fmt: skip


def _draw_counts(axes: Axes, curves: Sequence[BinnedMeans], style: Mapping[str, PlotStyle]) -> None:
    """A line of numbers per system: clips of each bin."""
    for level, curve in enumerate(curves):
        for length, mean in zip(curve.lengths, curve.means, strict=True):
            axes.text(
                length,
                -level,
                str(mean.n),
                ha="center",
                va="center",
                fontsize=SMALL,
                color=style[curve.row.label].color,
            )
    axes.set_ylim(-len(curves) + 0.4, 0.6)
    axes.set_yticks([-level for level in range(len(curves))], [plain_label(curve.row.label, 22) for curve in curves])
    axes.tick_params(axis="y", length=0, labelsize=SMALL)
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title("clips per point", fontsize=SMALL, weight="normal")
