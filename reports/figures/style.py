"""What all figures share: how a system looks, type and axes, and the way into a file.

Figures are built on `matplotlib.figure.Figure` without pyplot, so nothing global is left behind. They are as wide as a
page of two columns, and their type is that of a caption there.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from lipbench.reports.figures.svg import shrink_svg
from lipbench.reports.formatting import shorten

DPI = 200
WIDTH = 7.0
"""Inches: both columns of a page, so that nothing is scaled there."""
INK, FAINT, GRID = "#222222", "#5f5f5f", "#e4e4e4"
SMALL = 7.5
"""Points of the smallest type."""
LABEL_SIGNS = 34
"""Longer names end in an ellipsis."""
_INCHES_PER_SIGN, _INCHES_PER_HANDLE = 0.066, 0.75
"""Of a legend."""
FONT = "DejaVu Sans"
STYLE: dict[Any, Any] = {
    "font.family": [FONT],
    "font.size": 8.5,
    "axes.edgecolor": "#999999",
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "text.color": INK,
    "text.parse_math": False,  # a name may hold dollar signs
    "legend.fontsize": 8.5,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "image.composite_image": False,  # an SVG holds each picture as it is
    "svg.hashsalt": "lipbench",  # the same figure gives the same file
}


class PlotStyle(NamedTuple):
    """How one system is drawn. Marker and dash differ as well, so colour is never the only sign."""

    color: str
    marker: str
    dash: Literal["-", "--", "-.", ":"]


# Okabe and Ito's palette, which all common kinds of colour vision tell apart; its yellow is too pale on white.
# Controls are grey: they are what the others are read against.
_FIXED = {
    "hh_t2l": PlotStyle("#0072B2", "o", "-"),
    "dual_lip": PlotStyle("#D55E00", "s", "--"),
    "transformer_t2l": PlotStyle("#009E73", "^", "-."),
    "ground_truth": PlotStyle("#222222", "|", "-"),
    "first_frame": PlotStyle("#8a8a8a", "x", ":"),
    "mean_frame": PlotStyle("#5f5f5f", "+", "--"),
}
# Numbers of colours, markers and dashes that share no factor: taken round and round, no two of the first 35 systems
# share both colour and marker. None of the markers is one of those above.
_COLORS = ("#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
_MARKERS = ("D", "v", "P", "X", "*", "<", "h")
_DASHES: tuple[Literal["-", "--", "-.", ":"], ...] = ("-", "--", "-.", ":")


def plot_styles(systems: Iterable[tuple[str, str]], order: Sequence[str] = ()) -> dict[str, PlotStyle]:
    """A look for every row, the same for the same rows however they are arranged.

    Args:
        systems: registry name and label of every row of a report, each any number of times. Of several rows of one
            system the one whose label comes first in the alphabet, so the plainest, has the system's own look.
        order: registry names of all systems of the report; systems that are not in it follow.

    Returns:
        Label to look.
    """
    others = [name for name in dict.fromkeys(order) if name not in _FIXED]
    free = {**_FIXED, **{name: _spare_style(place) for place, name in enumerate(others)}}
    style_by_label: dict[str, PlotStyle] = {}
    spare = len(others)
    place = {name: i for i, name in enumerate(order)}
    for name, label in sorted(set(systems), key=lambda row: (place.get(row[0], len(place)), row)):
        if label in style_by_label:
            continue
        plot_style = free.pop(name, None)
        if plot_style is None:
            plot_style, spare = _spare_style(spare), spare + 1
        style_by_label[label] = plot_style
    return style_by_label


def _spare_style(place: int) -> PlotStyle:
    return PlotStyle(_COLORS[place % 5], _MARKERS[place % 7], _DASHES[place % 4])


@contextmanager
def house_style() -> Iterator[None]:
    """Matplotlib's settings for the figures made within."""
    with mpl.rc_context(STYLE):
        yield


def render_figure(figure: Figure, kind: str) -> bytes:
    """A figure as a file's content.

    Args:
        figure: to be drawn.
        kind: "png" or "svg".
    """
    buffer = io.BytesIO()
    with house_style():
        for picture in (picture for axes in figure.axes for picture in axes.images):
            # an SVG holds pictures in their own size; on a grid of pixels they are resampled
            picture.set_interpolation("none" if kind == "svg" else "antialiased")
        engine = figure.get_layout_engine()
        if engine is not None:
            # laid out once and not for each kind of file, which takes as long as drawing does
            engine.execute(figure)
            figure.set_layout_engine(None)
        figure.savefig(buffer, format=kind, dpi=DPI, metadata={"Date": None} if kind == "svg" else None)
    return shrink_svg(buffer.getvalue().decode()).encode() if kind == "svg" else buffer.getvalue()


def empty_figure(height: float, width: float = WIDTH) -> Figure:
    """A figure of some inches, its parts kept from overlapping."""
    # laid out at the size that letters have in the file: hinted at another they are of other widths
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def plain_label(text: str, signs: int = LABEL_SIGNS) -> str:
    """Foreign text as a figure shows it: on one line, not too long, and with a mark for signs that the font lacks."""
    font = _font()
    return "".join(
        sign if font.get_char_index(ord(sign)) else "\N{REPLACEMENT CHARACTER}" for sign in shorten(text, signs)
    )


@cache
def _font() -> FT2Font:
    return get_font(findfont(FONT))


def finish(axes: Axes, *, x: str, y: str, title: str = "") -> None:
    """Name the axes, with their units, and draw the grid behind everything."""
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(visible=True, color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)


def integer_ticks(axes: Axes) -> None:
    """Keep the ticks along x to whole numbers: there is no half frame."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins="auto", min_n_ticks=1))


def log_axis(axes: Axes, axis_name: Literal["x", "y"], *, max_ratio: float = 500) -> None:
    """Make an axis logarithmic, with numbered ticks at 1, 2 and 5; at 1 alone if it is `max_ratio` times wide."""
    {"x": axes.set_xscale, "y": axes.set_yscale}[axis_name]("log")
    low, high = axes.get_xlim() if axis_name == "x" else axes.get_ylim()
    wide = low > 0 and high / low > max_ratio
    axis = axes.xaxis if axis_name == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
    axis.set_minor_locator(LogLocator(subs=(2.0, 5.0)) if wide else NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def add_heading(figure: Figure, text: str) -> None:
    """Say above the panels what they were measured on, so that a figure alone can be read."""
    figure.suptitle(plain_label(text, 110), fontsize=SMALL, color=FAINT, x=0.01, ha="left")


def draw_band(
    axes: Axes, x: Sequence[float], low: Sequence[float], high: Sequence[float], plot_style: PlotStyle
) -> None:
    """Draw an interval around a line; nan leaves a gap."""
    axes.fill_between(x, np.asarray(low), np.asarray(high), color=plot_style.color, alpha=0.18, linewidth=0)


def draw_bars(
    axes: Axes, x: Sequence[float], low: Sequence[float], high: Sequence[float], plot_style: PlotStyle
) -> None:
    """Draw intervals as upright bars, all as one shape; nan leaves one out."""
    ends = np.stack([np.repeat(np.asarray(x, dtype=float), 2), np.ravel([low, high], order="F")], axis=1)
    ends = ends[np.repeat(np.isfinite(ends).all(axis=1).reshape(-1, 2).all(axis=1), 2)]
    if len(ends):
        shape = Path(ends, np.tile([Path.MOVETO, Path.LINETO], len(ends) // 2))
        axes.add_patch(
            PathPatch(shape, fill=False, edgecolor=plot_style.color, linewidth=1.4, alpha=0.6, capstyle="butt")
        )
        axes.autoscale_view()


def draw_paper_points(axes: Axes, points: Sequence[tuple[float, float]], plot_style: PlotStyle) -> None:
    """Draw values of the paper."""
    if points:
        x, y = zip(*points, strict=True)
        axes.plot(
            x, y, linestyle="none", marker=plot_style.marker, markersize=7, markerfacecolor="white",
            markeredgecolor=plot_style.color, markeredgewidth=1.4, zorder=4,
        )  # fmt: skip


def legend(
    figure: Figure,
    style: Mapping[str, PlotStyle],
    labels: Sequence[str],
    *,
    hollow: str | None = None,
    lines: bool = True,
    rest: Mapping[str, str] | None = None,
) -> None:
    """Name the systems beneath the panels.

    Args:
        figure: with its panels.
        style: label to look.
        labels: those that are drawn.
        hollow: what hollow markers are; None if there are none.
        lines: whether systems are drawn as lines.
        rest: what else is drawn, as dotted lines: label to colour.
    """
    handles = [
        Line2D(
            [],
            [],
            color=style[label].color,
            marker=style[label].marker,
            linestyle=style[label].dash if lines else "none",
            markersize=5,
            linewidth=1.4,
        )
        for label in labels
    ]
    texts = [plain_label(label) for label in labels]
    for label, color in (rest or {}).items():
        handles.append(Line2D([], [], color=color, linestyle=":", linewidth=1.2))
        texts.append(plain_label(label))
    if hollow is not None:
        handles.append(
            Line2D([], [], linestyle="none", marker="o", markersize=7, markerfacecolor="white", markeredgecolor=FAINT)
        )
        texts.append(hollow)
    longest = max((len(text) for text in texts), default=1)
    most = max(1, int(figure.get_figwidth() / (_INCHES_PER_SIGN * longest + _INCHES_PER_HANDLE)))
    columns = math.ceil(len(texts) / math.ceil(len(texts) / most))  # rows that are about equally full
    figure.legend(handles, texts, loc="outside lower center", ncols=columns, frameon=False, handlelength=3.2)
