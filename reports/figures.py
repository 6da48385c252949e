"""Figures after the paper's 3 and 5: sample frames beside the truth, and latency against length.

Figures are built on `matplotlib.figure.Figure` without pyplot, so nothing global is left behind.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from reports.latency_table import LatencyRow, LatencyTable
from reports.paper import Paper
from reports.strips import TRUTH, Strip, StripRow

DPI = 150
_LABEL_INCHES = 1.75
"""Room for the names beside a strip."""
INK, FAINT, GRID = "#222222", "#666666", "#e4e4e4"
_STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "axes.edgecolor": "#999999",
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "text.color": INK,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "svg.hashsalt": "lipbench",  # the same figure gives the same file
}


class Look(NamedTuple):
    """How one system is drawn. Marker and dash differ as well, so colour is never the only sign."""

    color: str
    marker: str
    dash: Literal["-", "--", "-.", ":"]


# Okabe and Ito's palette, which all common kinds of colour vision tell apart; its yellow is too pale on white.
_FIXED = {
    "hh_t2l": Look("#0072B2", "o", "-"),
    "dual_lip": Look("#D55E00", "s", "--"),
    "transformer_t2l": Look("#009E73", "^", "-."),
}
# Numbers of colours, markers and dashes that share no factor: taken round and round, no two of the first 35 systems
# share both colour and marker. None of the markers is one of those above.
_COLORS = ("#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
_MARKERS = ("D", "v", "P", "X", "*", "<", "h")
_DASHES: tuple[Literal["-", "--", "-.", ":"], ...] = ("-", "--", "-.", ":")


def looks(systems: Iterable[tuple[str, str]]) -> dict[str, Look]:
    """A look for every row, the same for the same rows.

    Args:
        systems: registry name and label of every row of a report, in table order. Of several rows of one system the
            first has the system's own look.

    Returns:
        Label to look.
    """
    found: dict[str, Look] = {}
    free = dict(_FIXED)
    spare = 0
    for name, label in systems:
        if label in found:
            continue
        look = free.pop(name, None)
        if look is None:
            look = Look(_COLORS[spare % 5], _MARKERS[spare % 7], _DASHES[spare % 4])
            spare += 1
        found[label] = look
    return found


def render_figure(figure: Figure, kind: str) -> bytes:
    """A figure as a file's content.

    Args:
        figure: to be drawn.
        kind: "png" or "svg".
    """
    buffer = io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format=kind, dpi=DPI, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def _empty_figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


# Latency against length ------------------------------------------------------------------------------------------


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
    with mpl.rc_context(_STYLE):
        figure = _empty_figure(10.0, 4.6)
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


# Frame strips ----------------------------------------------------------------------------------------------------


def strip_figure(strip: Strip) -> Figure:
    """Figure 3: one row per system, the truth on top, columns are moments of the clip with their frame numbers.

    Args:
        strip: at least one row. Where systems were sampled at other moments, the truth is repeated with its numbers.
    """
    columns = max(len(row.frames) for row in strip.rows)
    height, width = strip.rows[0].frames.shape[1:3]
    pitch = min(1.15, 10.0 / columns)  # inches from one frame to the next
    tall = pitch * height / width
    tops, y = [], 0.05
    for i, row in enumerate(strip.rows):
        numbered = i == 0 or row.numbers != strip.rows[i - 1].numbers
        y += 0.22 if numbered else 0.0
        tops.append((y, numbered))
        y += tall + 0.04
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_LABEL_INCHES + columns * pitch + 0.05, y + 0.05))
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        for row, (top, numbered) in zip(strip.rows, tops, strict=True):
            _draw_strip_row(axes, row, top, pitch=pitch, tall=tall, numbered=numbered)
        axes.set_xlim(0, _LABEL_INCHES + columns * pitch + 0.05)
        axes.set_ylim(y + 0.05, 0)
        axes.set_axis_off()
    return figure


def _draw_strip_row(axes: Axes, row: StripRow, top: float, *, pitch: float, tall: float, numbered: bool) -> None:
    """Draw one row; coordinates are inches from the upper left corner."""
    weight = "bold" if row.label == TRUTH else "normal"
    axes.text(_LABEL_INCHES - 0.1, top + tall / 2, row.label, ha="right", va="center", fontsize=9, weight=weight)
    for i, (frame, place) in enumerate(zip(row.frames, row.numbers, strict=True)):
        left = _LABEL_INCHES + i * pitch
        axes.imshow(frame, extent=(left, left + pitch - 0.04, top + tall, top), aspect="auto")
        if numbered:
            axes.text(left + pitch / 2, top - 0.05, str(place), ha="center", va="bottom", fontsize=7.5, color=FAINT)
