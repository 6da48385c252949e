"""Frame metrics against the length of clips: SSIM after the paper's figure 4, then the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipbench.reports.figures.axis_range import Series, View, show, told_outside, view, with_values
from lipbench.reports.figures.figure import Absent, Drawn, beside_paper, condition, drawable, sample
from lipbench.reports.figures.frame_curves import FrameMetric, frame_metrics
from lipbench.reports.figures.style import (
    SMALL,
    Look,
    draw_band,
    draw_bars,
    draw_hollow,
    empty_figure,
    finish,
    headed,
    house_style,
    legend,
    shown,
    whole,
)
from lipbench.reports.formatting import count, joined, number
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


class Binned(NamedTuple):
    """One system's value in each bin that has clips of its."""

    row: QualityRow
    lengths: list[float]
    """Mean length of the clips of each bin."""
    bins: list[Bin]
    means: list[Mean]


def draw_lengths(table: QualityTable, style: Mapping[str, Look]) -> Drawn | Absent:
    """Figure 4 with its words.

    Args:
        table: of one condition.
        style: see `lipbench.reports.figures.style.looks`.
    """
    ssim = next((FrameMetric(facts) for facts in table.metrics if facts.name == SSIM), None)
    rows = [] if ssim is None else _rows(table, ssim)
    if ssim is None or not any(row.kind == "model" for row in rows):
        return Absent(title=TITLE, reason="no model has an SSIM")
    found = length_bins([row for row in rows if row.kind == "model"])
    if len(found) < 2:
        return Absent(title=TITLE, reason=_too_alike(rows))
    binned = [binned_values(row, found, ssim) for row in rows]
    beside, doubts = _papers(table, rows)
    seen = _view(ssim, binned, beside)
    shortest, longest = found[0], found[-1]
    told = [
        f"{one.row.label} has {number(one.means[0].value, 3)} at {one.bins[0].text} frames and "
        f"{number(one.means[-1].value, 3)} at {one.bins[-1].text}"
        for one in binned
        if one.row.kind == "model"
    ]
    caption = (
        f"SSIM against the length {_chosen(table)} (the paper's figure 4); {condition(table)}; "
        f"{sample(rows, table)}, those of each point beneath (bins: {joined(one.text for one in found)} frames). "
        f"{_POINTS} A line that falls is error that grows with length; grey lines are mouths that never move."
    )
    if beside:
        caption += f" Hollow: the paper's means over its test set, at its mean length ({joined(_at(beside))} frames)."
    return Drawn(
        name="ssim-length",
        title=TITLE,
        caption=" ".join([caption, *doubts]) + told_outside({ssim.facts.title: seen}),
        alt=f"SSIM over {len(found)} bins of length from {shortest.low} to {longest.high} frames. {joined(told)}.",
        figure=lengths_figure(ssim, binned, style, beside, seen, about=condition(table)),
    )


def draw_other_lengths(table: QualityTable, style: Mapping[str, Look]) -> Drawn | Absent:
    """The other frame metrics against length, with their words; arguments as for `draw_lengths`."""
    metrics = [metric for metric in frame_metrics(table) if metric.facts.name != SSIM]
    rows = drawable(table)
    if not metrics:
        return Absent(title=OTHERS, reason="no record of a model has curves per frame of another metric than SSIM")
    found = length_bins(table.models)
    if len(found) < 2:
        return Absent(title=OTHERS, reason=_too_alike(rows))
    panels = {metric: [binned_values(row, found, metric) for row in _rows(table, metric)] for metric in metrics}
    views = {metric: _view(metric, binned, {}) for metric, binned in panels.items()}
    ns = [mean.n for binned in panels.values() for one in binned for mean in one.means]
    names = joined(metric.facts.title for metric in panels)
    caption = (
        f"{names} against the length {_chosen(table)}; {condition(table)}; {sample(rows, table)}, "
        f"{min(ns)} to {max(ns)} of them per point (bins: {joined(one.text for one in found)} frames). {_POINTS} "
        "A line that gets worse to the right is error that grows with length."
    ) + told_outside({metric.facts.title: seen for metric, seen in views.items()})
    return Drawn(
        name="metrics-length",
        title=OTHERS,
        caption=caption,
        alt=f"{names} over {len(found)} bins of length from {found[0].low} to {found[-1].high} frames.",
        figure=others_figure(panels, style, views, about=condition(table)),
    )


def _rows(table: QualityTable, metric: FrameMetric) -> list[QualityRow]:
    return [row for row in drawable(table) if any(metric.value(clip) is not None for clip in row.scores)]


def _chosen(table: QualityTable) -> str:
    return "that the model chose" if table.durations == "predicted" else "of the clip"


def _at(beside: Mapping[str, tuple[float, float]]) -> list[str]:
    return [f"{x:g}" for x in sorted({x for x, _ in beside.values()})]


def _too_alike(rows: Sequence[QualityRow]) -> str:
    lengths = [clip.generated_frames for row in rows if row.kind == "model" for clip in row.scores]
    most = max(row.clips for row in rows)
    if min(lengths) == max(lengths):
        return f"all clips have {lengths[0]} frames"
    return f"{count(most, 'clip')} of {min(lengths)} to {max(lengths)} frames give no two bins of {MIN_CLUSTERS}"


def length_bins(rows: Sequence[QualityRow]) -> list[Bin]:
    """Bins with about as many clips in each: on average at least `MIN_CLUSTERS` of a row.

    Args:
        rows: whose clips are counted together, so that all have the same bins.

    Returns:
        At most `MOST_BINS` of them, shortest first, without gaps; fewer where many clips are equally long, none
        where there are fewer than twice `MIN_CLUSTERS`.
    """
    lengths = np.sort([clip.generated_frames for row in rows for clip in row.scores])
    each = len(lengths) // max(1, len(rows))
    if each < 2 * MIN_CLUSTERS:
        return []
    wanted = min(MOST_BINS, max(2, each // PER_BIN))
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, wanted + 1), method="nearest"))
    if len(edges) == 1:
        return [Bin(int(edges[0]), int(edges[0]))]
    lows = [int(edge) for edge in edges[:-1]]
    found = [Bin(low, high - 1) for low, high in pairwise(lows)]
    return _with_enough([*found, Bin(lows[-1], int(edges[-1]))], lengths, MIN_CLUSTERS * len(rows))


def _with_enough(bins: list[Bin], lengths: np.ndarray, fewest: int) -> list[Bin]:
    """Join bins with too few clips to their neighbours."""
    found: list[Bin] = []
    for one in bins:
        if found and _inside(lengths, found[-1]) < fewest:
            one = Bin(found.pop().low, one.high)
        found.append(one)
    if len(found) > 1 and _inside(lengths, found[-1]) < fewest:
        last = found.pop()
        found[-1] = Bin(found[-1].low, last.high)
    return found


def _inside(lengths: np.ndarray, one: Bin) -> int:
    return int(((lengths >= one.low) & (lengths <= one.high)).sum())


def binned_values(row: QualityRow, bins: Sequence[Bin], metric: FrameMetric) -> Binned:
    """One system's mean in each bin, with its interval; clips outside all bins (a control's) are left out."""
    found = Binned(row, [], [], [])
    scored = [(clip, value) for clip in row.scores if (value := metric.value(clip)) is not None]
    for one in bins:
        inside = [(clip, value) for clip, value in scored if one.low <= clip.generated_frames <= one.high]
        if inside:
            clips = [clip for clip, _ in inside]
            found.lengths.append(sum(clip.generated_frames for clip in clips) / len(clips))
            found.bins.append(one)
            weights = [metric.weight(clip) for clip in clips]
            speakers = [clip.speaker for clip in clips]
            values = [value for _, value in inside]
            found.means.append(mean_by_cluster(values, speakers, weights=weights, resamples=RESAMPLES))
    return found


def _papers(table: QualityTable, rows: Sequence[QualityRow]) -> tuple[dict[str, tuple[float, float]], list[str]]:
    """Label to the paper's mean length and mean SSIM, and what is to be said of the choice of the rows."""
    frames = next((c.frames for c in load_paper().latency if c.corpus == table.corpus.name), None)
    if frames is None:
        return {}, []
    chosen, doubts = beside_paper([row for row in rows if row.entry is not None and SSIM in row.entry.values])
    return {
        row.label: (float(frames), float(row.entry.values[SSIM])) for row in chosen if row.entry is not None
    }, doubts


def _view(metric: FrameMetric, binned: Sequence[Binned], beside: Mapping[str, tuple[float, float]]) -> View | None:
    drawn = []
    for one in binned:
        ends = [mean.interval for mean in one.means]
        values = np.array([mean.value for mean in one.means])
        low = np.array([math.nan if end is None else end.low for end in ends])
        high = np.array([math.nan if end is None else end.high for end in ends])
        drawn.append(Series(one.row.label, values, low, high, model=one.row.kind == "model"))
    seen = view(drawn, higher_is_better=metric.facts.higher_is_better)
    return with_values(seen, (value for _, value in beside.values()))


def lengths_figure(
    metric: FrameMetric,
    binned: Sequence[Binned],
    style: Mapping[str, Look],
    beside: Mapping[str, tuple[float, float]],
    seen: View | None,
    *,
    about: str,
) -> Figure:
    """One metric over length, and beneath it how many clips each point has.

    Args:
        metric: of the panel.
        binned: one line each.
        style: label to look.
        beside: label to the paper's point.
        seen: what is shown of the axis.
        about: what was measured.
    """
    with house_style():
        figure = empty_figure(3.3 + 0.17 * len(binned))
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.0, 0.17 * (len(binned) + 1)))
        _draw_lines(upper, binned, style)
        for label, point in beside.items():
            draw_hollow(upper, [point], style[label])
        finish(upper, x="length of the clip (frames)", y=metric.axis, title=metric.heading)
        show(upper, seen, style)
        whole(upper)
        upper.tick_params(labelbottom=True)
        _draw_counts(lower, binned, style)
        hollow = "paper (mean)" if beside else None
        legend(figure, style, [one.row.label for one in binned], hollow=hollow)
        headed(figure, about)
    return figure


def others_figure(
    panels: Mapping[FrameMetric, Sequence[Binned]],
    style: Mapping[str, Look],
    views: Mapping[FrameMetric, View | None],
    *,
    about: str,
) -> Figure:
    """A panel per metric, two in a row.

    Args:
        panels: metric to its lines.
        style: label to look.
        views: what each shows of its axis.
        about: what was measured.
    """
    columns = min(COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    with house_style():
        figure = empty_figure(1.0 + 2.0 * rows)
        grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
        for axes, (metric, binned) in zip(grid.flat, panels.items(), strict=False):
            _draw_lines(axes, binned, style)
            finish(axes, x="", y=metric.axis, title=metric.heading)
            show(axes, views[metric], style)
            whole(axes)
        for axes in grid.flat[len(panels) :]:
            axes.set_axis_off()
        for place in range(len(panels) - columns, len(panels)):  # the lowest panel of each column
            grid.flat[place].set_xlabel("length of the clip (frames)")
            grid.flat[place].tick_params(labelbottom=True)
        legend(figure, style, list(dict.fromkeys(one.row.label for binned in panels.values() for one in binned)))
        headed(figure, about)
    return figure


def _draw_lines(axes: Axes, binned: Sequence[Binned], style: Mapping[str, Look]) -> None:
    for one in binned:
        look = style[one.row.label]
        low = [math.nan if mean.interval is None else mean.interval.low for mean in one.means]
        high = [math.nan if mean.interval is None else mean.interval.high for mean in one.means]
        draw_band(axes, one.lengths, low, high, look)
        draw_bars(axes, one.lengths, low, high, look)
        axes.plot(
            one.lengths, [mean.value for mean in one.means], color=look.color, marker=look.marker,
            linestyle=look.dash, linewidth=1.4, markersize=5, zorder=3,
        )  # fmt: skip


def _draw_counts(axes: Axes, binned: Sequence[Binned], style: Mapping[str, Look]) -> None:
    """A line of numbers per system: clips of each bin."""
    for level, one in enumerate(binned):
        for length, mean in zip(one.lengths, one.means, strict=True):
            axes.text(
                length, -level, str(mean.n), ha="center", va="center", fontsize=SMALL, color=style[one.row.label].color
            )
    axes.set_ylim(-len(binned) + 0.4, 0.6)
    axes.set_yticks([-level for level in range(len(binned))], [shown(one.row.label, 22) for one in binned])
    axes.tick_params(axis="y", length=0, labelsize=SMALL)
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title("clips per point", fontsize=SMALL, weight="normal")
