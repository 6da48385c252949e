"""Latency against length, after the paper's figure 5."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from reports.figures.style import FAINT, GRID, STYLE, Look, empty_figure
from reports.latency_table import LatencyRow, LatencyTable
from reports.paper import Paper


def latency_figure(table: LatencyTable, style: Mapping[str, Look], paper: Paper) -> Figure:
    """Figure 5: latency over length for every system, and the speed-up over the baseline.

    Points are medians, bands reach from the 10th to the 90th percentile, lines are least-squares fits. The paper prints
    its figure 5 as a picture only, so its two points from table 3 stand for it.

    Args:
        table: at least one measured cell.
        style: see `looks`; one for the whole report, so that colours agree between figures.
        paper: for its device.
    """
    rows = [row for row in table.rows if row.measured]
    ratios = any(cell.speedup for row in rows for cell in row.measured.values() if row.label != table.baseline)
    with mpl.rc_context(STYLE):
        figure = empty_figure(10.0, 4.6)
        left, right = figure.subplots(1, 2)
        for row in rows:
            _draw_latency(left, row, style[row.label])
            (_draw_speedup if ratios else _draw_latency)(right, row, style[row.label])
        # of several rows of one system only the first has the paper's points: they would lie on top of one another
        for row in {row.name: row for row in reversed(rows)}.values():
            times = [(point.frames, float(point.latency_s) * 1000) for point in row.paper]
            gains = [(point.frames, float(point.speedup)) for point in row.paper]
            _draw_paper(left, times, style[row.label])
            _draw_paper(right, gains if ratios else times, style[row.label])
        left.set_yscale("log")
        _finish(left, "Latency (log scale)", "milliseconds per call")
        if ratios:
            _finish(right, f"Speed-up over {table.baseline}", "times as fast")
        else:
            _finish(right, "Latency (linear scale)", "milliseconds per call")
        _legend(figure, rows, style, f"paper ({paper.device})" if table.shows_paper else None)
        figure.suptitle(_caption(table), fontsize=9, color=FAINT, x=0.01, ha="left")
    return figure


def _caption(table: LatencyTable) -> str:
    parts = [table.hardware, table.device.upper(), table.dtype, f"batch {table.batch}"]
    return ", ".join([*parts, f"preset {table.preset}"] if table.preset else parts)


def _draw_latency(axes: Axes, row: LatencyRow, look: Look) -> None:
    cells = row.measured
    lengths = np.array(list(cells), dtype=float)
    medians, p10, p90 = (
        np.array([value * 1000 for value in column])
        for column in zip(*((c.wall.median, c.wall.p10, c.wall.p90) for c in cells.values()), strict=True)
    )
    along = np.linspace(lengths.min(), lengths.max(), 200)
    if len(lengths) > 1:
        # Between lengths the band is straight in milliseconds, as the fit is, and so curved on the log scale.
        low, high = np.interp(along, lengths, p10), np.interp(along, lengths, p90)
        axes.fill_between(along, low, high, color=look.color, alpha=0.2, linewidth=0)
    else:
        axes.vlines(lengths, p10, p90, color=look.color, linewidth=2, alpha=0.5)
    axes.plot(lengths, medians, linestyle="none", marker=look.marker, color=look.color, markersize=6, zorder=3)
    if row.line is not None:
        fitted = (row.line.intercept + row.line.slope * along) * 1000
        shown = fitted > 0  # a log scale has no place for the rest
        axes.plot(along[shown], fitted[shown], linestyle=look.dash, color=look.color, linewidth=1.4, zorder=2)


def _draw_speedup(axes: Axes, row: LatencyRow, look: Look) -> None:
    found = {n: cell.speedup for n, cell in row.measured.items() if cell.speedup is not None}
    if found:
        lengths = list(found)
        values = [ratio.value for ratio in found.values()]
        around = {n: ratio.interval for n, ratio in found.items() if ratio.interval is not None}
        axes.vlines(
            list(around),
            [i.low for i in around.values()],
            [i.high for i in around.values()],
            color=look.color,
            linewidth=1.4,
            alpha=0.6,
        )
        axes.plot(
            lengths, values, linestyle=look.dash, marker=look.marker, color=look.color, markersize=6, linewidth=1.4
        )


def _draw_paper(axes: Axes, points: list[tuple[int, float]], look: Look) -> None:
    if points:
        x, y = zip(*points, strict=True)
        axes.plot(
            x, y, linestyle="none", marker=look.marker, markersize=8, markerfacecolor="white",
            markeredgecolor=look.color, markeredgewidth=1.5, zorder=4,
        )  # fmt: skip


def _finish(axes: Axes, title: str, quantity: str) -> None:
    axes.set_title(title)
    axes.set_xlabel("length of the clip (frames)")
    axes.set_ylabel(quantity)
    axes.set_xlim(left=0)
    if axes.get_yscale() == "linear":
        axes.set_ylim(0, axes.get_ylim()[1] * 1.06)
    axes.grid(visible=True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    if axes.get_yscale() == "log":
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())


def _legend(figure: Figure, rows: list[LatencyRow], style: Mapping[str, Look], paper: str | None) -> None:
    handles = [
        Line2D([], [], color=style[row.label].color, marker=style[row.label].marker, linestyle=style[row.label].dash)
        for row in rows
    ]
    texts = [row.label for row in rows]
    if paper is not None:
        handles.append(
            Line2D([], [], linestyle="none", marker="o", markersize=8, markerfacecolor="white", markeredgecolor=FAINT)
        )
        texts.append(paper)
    figure.legend(handles, texts, loc="outside lower center", ncols=min(5, len(texts)), frameon=False)
