"""What all figures share: how a system looks, type and axes, and the way into a file.

Figures are built on `matplotlib.figure.Figure` without pyplot, so nothing global is left behind.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DPI = 150
INK, FAINT, GRID = "#222222", "#666666", "#e4e4e4"
STYLE: dict[Any, Any] = {
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
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format=kind, dpi=DPI, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def empty_figure(width: float, height: float) -> Figure:
    """A figure of some inches, its parts kept from overlapping."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
