"""Quality against the position of a frame in its clip: what error propagation looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.record import ClipScore, MetricFacts
from reports.figures.drawn import Absent, Drawn, condition, drawable, sample
from reports.figures.style import Look, draw_band, empty_figure, finish, headed, house_style, legend, whole
from reports.formatting import joined, number
from reports.paper import Paper
from reports.quality_table import QualityRow, QualityTable
from reports.statistics import MIN_CLUSTERS, MeanCurve, mean_curve

TITLE = "Quality against frame position"
METRICS = ("ssim", "psnr")
SETTLED = 5
"""Frames after which a control that repeats the first one tells of itself and not of the frame it was given."""


class Curve(NamedTuple):
    """One system's mean at each position."""

    row: QualityRow
    mean: MeanCurve
    """Positions from 0, without those that too few clips reach."""


def draw_positions(table: QualityTable, style: Mapping[str, Look], paper: Paper) -> Drawn | Absent:
    """The figure with its words.

    Args:
        table: of one condition.
        style: see `reports.figures.style.looks`.
        paper: for the corpus' name.
    """
    known = {metric.name: metric for metric in table.metrics}
    panels = {known[name]: _curves(table, name) for name in METRICS if name in known}
    panels = {metric: curves for metric, curves in panels.items() if any(c.row.kind == "model" for c in curves)}
    if not panels:
        return Absent(title=TITLE, reason="no record of a model has curves per frame of SSIM or PSNR")
    rows = list({curve.row.label: curve.row for curves in panels.values() for curve in curves}.values())
    caption = (
        f"{joined(metric.title for metric in panels)} at each frame of the clip, mean over clips; "
        f"{condition(table, paper)}; {sample(rows, table)}, those that reach a frame beneath. Bands are 95 % bootstrap "
        f"intervals, given where {MIN_CLUSTERS} clips (or speakers) have the frame; positions that fewer than "
        f"{MIN_CLUSTERS} clips reach are left out. A line that keeps falling is error handed on from frame to frame; a "
        "repeated first frame falls as soon as the real mouth moves, and is cut off at the top where it still equals "
        "the truth."
    )
    return Drawn(
        name="positions",
        title=TITLE,
        caption=caption,
        alt=f"{joined(metric.title for metric in panels)} over the frame's place in the clip. {_told(panels)}",
        figure=positions_figure(panels, style, about=condition(table, paper)),
    )


def _told(panels: Mapping[MetricFacts, Sequence[Curve]]) -> str:
    """Means of the first and the last fifth, in words."""
    metric, curves = next(iter(panels.items()))
    decimals = 3 if metric.name == "ssim" else 2
    told = []
    for curve in curves:
        fifth = max(1, len(curve.mean.values) // 5)
        first, last = np.nanmean(curve.mean.values[:fifth]), np.nanmean(curve.mean.values[-fifth:])
        told.append(f"{curve.row.label} {number(float(first), decimals)} and {number(float(last), decimals)}")
    return f"{metric.title} in the first and in the last fifth of the positions: {'; '.join(told)}."


def _curves(table: QualityTable, metric: str) -> list[Curve]:
    found = []
    for row in drawable(table):
        clips = [clip for clip in row.scores if clip.curves.get(metric)]
        if clips:
            mean = mean_curve(curve_matrix(clips, metric), [clip.speaker for clip in clips])
            reached = np.flatnonzero(mean.counts >= min(MIN_CLUSTERS, len(clips)))
            if len(reached):
                found.append(Curve(row, _until(mean, int(reached[-1]) + 1)))
    return found


def _until(mean: MeanCurve, end: int) -> MeanCurve:
    return MeanCurve(values=mean.values[:end], low=mean.low[:end], high=mean.high[:end], counts=mean.counts[:end])


def curve_matrix(clips: Sequence[ClipScore], metric: str) -> np.ndarray:
    """One metric's curves on top of one another.

    Args:
        clips: at least one, all with a curve.
        metric: whose.

    Returns:
        float64 (clips, longest curve); nan behind a clip's end and where a frame has no value.
    """
    matrix = np.full((len(clips), max(len(clip.curves[metric]) for clip in clips)), np.nan)
    for line, clip in zip(matrix, clips, strict=True):
        curve = np.array(clip.curves[metric], dtype=np.float64)  # None becomes nan
        line[: len(curve)] = np.where(np.isfinite(curve), curve, np.nan)
    return matrix


def positions_figure(panels: Mapping[MetricFacts, Sequence[Curve]], style: Mapping[str, Look], *, about: str) -> Figure:
    """A panel per metric, and beneath each how many clips reach a position.

    Args:
        panels: what is drawn in each, at least one curve.
        style: label to look.
        about: what was measured.
    """
    with house_style():
        figure = empty_figure(3.9)
        grid = figure.subplots(2, len(panels), sharex="col", squeeze=False, height_ratios=(3.4, 1.0))
        for (metric, curves), (upper, lower) in zip(panels.items(), grid.T, strict=True):
            for place, curve in enumerate(curves):
                _draw_curve(upper, lower, curve, style[curve.row.label], place / len(curves))
            unit = f" ({metric.unit})" if metric.unit else ""
            finish(upper, x="", y=f"{metric.title}{unit}", title=f"{metric.title}, higher is better")
            _keep_models_in_view(upper, curves)
            finish(lower, x="position in the clip (frames)", y="clips")
            whole(lower)
            lower.set_ylim(0, lower.get_ylim()[1] * 1.12)
            lower.set_xlim(left=0)
        labels = dict.fromkeys(curve.row.label for curves in panels.values() for curve in curves)
        legend(figure, style, list(labels))
        headed(figure, about)
    return figure


def _draw_curve(upper: Axes, lower: Axes, curve: Curve, look: Look, shift: float) -> None:
    """Draw one line in both; `shift` in [0, 1) keeps the markers of several lines from lying on one another."""
    mean = curve.mean
    x = np.arange(len(mean.values))
    draw_band(upper, x.tolist(), mean.low.tolist(), mean.high.tolist(), look)
    apart = max(1, len(x) // 8)
    upper.plot(
        x, mean.values, color=look.color, linestyle=look.dash, linewidth=1.3,
        marker=look.marker, markersize=4.5, markevery=(int(shift * apart), apart),
    )  # fmt: skip
    lower.plot(x, mean.counts, color=look.color, linestyle=look.dash, linewidth=1.2)


def _keep_models_in_view(axes: Axes, curves: Sequence[Curve]) -> None:
    """Fit the panel to the models and to what controls score once the mouth has moved."""
    parts = []
    for curve in curves:
        start = 0 if curve.row.kind == "model" else SETTLED
        parts += [part[start:] for part in (curve.mean.values, curve.mean.low, curve.mean.high)]
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    if len(values):
        margin = 0.06 * float(np.ptp(values)) or 0.05 * abs(float(values[0])) or 0.05
        axes.set_ylim(float(values.min()) - margin, float(values.max()) + margin)
