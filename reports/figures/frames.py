"""Sample frames beside the truth, after the paper's figure 3."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from reports.figures.style import FAINT, STYLE
from reports.strips import TRUTH, Strip, StripRow

_LABEL_INCHES = 1.75
"""Room for the names beside a strip."""


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
    with mpl.rc_context(STYLE):
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
