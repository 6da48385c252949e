"""Latency against length, after the paper's figure 5."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipbench.reports.figures.figure import MissingFigure, ReportFigure, latency_condition_text
from lipbench.reports.figures.style import (
    PlotStyle,
    add_heading,
    draw_bars,
    draw_paper_points,
    empty_figure,
    finish,
    house_style,
    legend,
    log_axis,
)
from lipbench.reports.formatting import join_words, milliseconds, ratio_text, significant_digits
from lipbench.reports.paper import load_paper
from lipbench.reports.tables.latency import LatencyRow, LatencyTable

TITLE = "Latency against length"
CURVE_POINTS = 60
"""Points of a line that is straight in milliseconds and curved on a log scale: more make no visible difference."""


def draw_latency(table: LatencyTable, style: Mapping[str, PlotStyle]) -> ReportFigure | MissingFigure:
    """Figure 5 with its words; arguments as for `latency_figure`."""
    rows = [row for row in table.rows if row.measured]
    if not rows:
        return MissingFigure(title=TITLE, reason="no cell was measured")
    ratios = _has_ratios(table)
    fits = [
        f"{row.label} {_ms(row.line.intercept)} + {significant_digits(row.line.slope * 1000, 3)} L"
        for row in rows
        if row.line is not None
    ]
    second = f"the speed-up over {table.baseline}" if ratios else "the same on a linear scale"
    parts = [
        f"Latency against length (the paper's figure 5), and {second}; {latency_condition_text(table)}; "
        f"n = {_calls(rows)} timed calls per point.",
        "Points are medians, bands the 10th to the 90th percentile, lines least squares"
        + (f" (ms, L in frames: {'; '.join(fits)})." if fits else "."),
        "A line that stays flat is a model that does not wait for its own frames.",
    ]
    if table.shows_paper:
        parts.append(f"Hollow: the paper's table 3, on {load_paper().hardware}.")
    return ReportFigure(
        name="latency",
        title=TITLE,
        caption=" ".join(parts),
        alt=f"Two panels over length in frames. {_alt_text(rows, table.baseline)}",
        figure=latency_figure(table, style),
    )


def _ms(seconds: float) -> str:
    return milliseconds(seconds)


def _calls(rows: list[LatencyRow]) -> str:
    counts = sorted({cell.wall.n for row in rows for cell in row.measured.values()})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _alt_text(rows: list[LatencyRow], baseline: str) -> str:
    """Latencies at both ends, and the speed-up there, in words."""
    sentences = []
    for row in rows:
        (first, start), *_, (last, end) = [*row.measured.items(), *row.measured.items()]
        text = f"{row.label} takes {_ms(start.wall.median)} ms for {first} frames"
        if last != first:
            text += f" and {_ms(end.wall.median)} ms for {last}"
        sentences.append(
            f"{text} ({ratio_text(end.speedup.value)} as fast as the baseline)"
            if end.speedup is not None and row.label != baseline
            else text
        )
    return f"{join_words(sentences)}."


def _has_ratios(table: LatencyTable) -> bool:
    return any(cell.speedup for row in table.rows for cell in row.measured.values() if row.label != table.baseline)


def latency_figure(table: LatencyTable, style: Mapping[str, PlotStyle]) -> Figure:
    """Latency over length for every system, and the speed-up over the baseline.

    Points are medians, bands reach from the 10th to the 90th percentile, lines are least-squares fits. The paper prints
    its figure 5 as a picture only, so its two points from table 3 stand for it.

    Args:
        table: at least one measured cell.
        style: see `lipbench.reports.figures.style.plot_styles`.
    """
    rows = [row for row in table.rows if row.measured]
    ratios = _has_ratios(table)
    with house_style():
        figure = empty_figure(3.5)
        latency_axes, speedup_axes = figure.subplots(1, 2)
        for row in rows:
            _draw_latency(latency_axes, row, style[row.label])
            (_draw_speedup if ratios else _draw_latency)(speedup_axes, row, style[row.label])
        # of several rows of one system only the first has the paper's points: they would lie on top of one another
        for row in {row.name: row for row in reversed(rows)}.values():
            waits = [(point.frames, float(point.latency_s) * 1000) for point in row.paper]
            gains = [(point.frames, float(point.speedup)) for point in row.paper]
            draw_paper_points(latency_axes, waits, style[row.label])
            draw_paper_points(speedup_axes, gains if ratios else waits, style[row.label])
        log_axis(latency_axes, "y")
        _finish(latency_axes, "Latency (log scale)", "milliseconds per call")
        if ratios:
            log_axis(speedup_axes, "y")
            speedup_axes.axhline(1, color="#b0b0b0", linewidth=1.0, zorder=1)
            _finish(speedup_axes, f"Speed-up over {table.baseline}", "times as fast (log scale)")
        else:
            _finish(speedup_axes, "Latency (linear scale)", "milliseconds per call")
        labels = [row.label for row in rows]
        legend(figure, style, labels, hollow=f"paper ({load_paper().device})" if table.shows_paper else None)
        add_heading(figure, latency_condition_text(table))
    return figure


def _draw_latency(axes: Axes, row: LatencyRow, plot_style: PlotStyle) -> None:
    cells = row.measured
    lengths = np.array(list(cells), dtype=float)
    medians, p10, p90 = (
        np.array([value * 1000 for value in column])
        for column in zip(*((c.wall.median, c.wall.p10, c.wall.p90) for c in cells.values()), strict=True)
    )
    along = np.union1d(np.linspace(lengths.min(), lengths.max(), CURVE_POINTS), lengths)
    if len(lengths) > 1:
        # Between lengths the band is straight in milliseconds, as the fit is, and so curved on the log scale.
        low, high = np.interp(along, lengths, p10), np.interp(along, lengths, p90)
        axes.fill_between(along, low, high, color=plot_style.color, alpha=0.2, linewidth=0)
    else:
        axes.vlines(lengths, p10, p90, color=plot_style.color, linewidth=2, alpha=0.5)
    axes.plot(
        lengths, medians, linestyle="none", marker=plot_style.marker, color=plot_style.color, markersize=5, zorder=3
    )
    if row.line is not None:
        fit_ms = (row.line.intercept + row.line.slope * along) * 1000
        is_positive = fit_ms > 0  # a log scale has no place for the rest
        axes.plot(
            along[is_positive],
            fit_ms[is_positive],
            linestyle=plot_style.dash,
            color=plot_style.color,
            linewidth=1.4,
            zorder=2,
        )


def _draw_speedup(axes: Axes, row: LatencyRow, plot_style: PlotStyle) -> None:
    speedups = {n: cell.speedup for n, cell in row.measured.items() if cell.speedup is not None}
    if speedups:
        lengths = list(speedups)
        values = [ratio.value for ratio in speedups.values()]
        intervals = {n: ratio.interval for n, ratio in speedups.items() if ratio.interval is not None}
        draw_bars(
            axes, list(intervals), [i.low for i in intervals.values()], [i.high for i in intervals.values()], plot_style
        )
        axes.plot(
            lengths,
            values,
            linestyle=plot_style.dash,
            marker=plot_style.marker,
            color=plot_style.color,
            markersize=5,
            linewidth=1.4,
        )


def _finish(axes: Axes, title: str, quantity: str) -> None:
    finish(axes, x="length of the clip (frames)", y=quantity, title=title)
    axes.set_xlim(left=0)
    if axes.get_yscale() == "linear":
        axes.set_ylim(0, axes.get_ylim()[1] * 1.06)
