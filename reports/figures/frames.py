"""Sample frames beside the truth, after the paper's figure 3."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lipbench.reports.figures.figure import ReportFigure, quality_condition
from lipbench.reports.figures.style import FAINT, SMALL, WIDTH, house_style, plain_label
from lipbench.reports.formatting import join_words
from lipbench.reports.inputs.strips import TRUTH, Strip, StripRow

STRIP = "strip"
"""Name of these figures."""
TITLE = "Sample frames"
LABEL_INCHES = 1.4
"""Room for the names beside a strip."""
MOST_COLUMNS = 9
"""More frames than this would be too small to see teeth in."""
LABEL_SIGNS = 22
GAP = 0.03
"""Inches between frames."""


def draw_strip(strip: Strip) -> ReportFigure:
    """Figure 3 with its words: one utterance.

    Args:
        strip: see `strip_figure`.
    """
    systems = list(dict.fromkeys(row.label for row in strip.rows if row.label != TRUTH))
    case = f", the {strip.case} case" if strip.case else ""
    length = f", {strip.frames} frames" if strip.frames is not None else ""
    caption = (
        f"Frames of {strip.utterance}, “{strip.text}”{length}{case} (the paper's figure 3); "
        f"{quality_condition(strip.table)}; n = 1 clip. Numbers are places in the clip. Look down a column: the mouth "
        "should be as open and of the same shape as in the uppermost row; look along a row for frames that grow vague."
    )
    return ReportFigure(
        name=STRIP,
        title=f"{TITLE}, {strip.case} case" if strip.case else TITLE,
        caption=caption,
        alt=f"Rows of frames of the clip {strip.utterance}: the truth, then {join_words(systems)}.",
        figure=strip_figure(strip),
    )


def strip_figure(strip: Strip) -> Figure:
    """One row per system, the truth on top, columns are moments of the clip with their frame numbers.

    Args:
        strip: at least one row. Where systems were sampled at other moments, the truth is repeated with its numbers.
    """
    columns = min(MOST_COLUMNS, max(len(row.frames) for row in strip.rows))
    height, width = strip.rows[0].frames.shape[1:3]
    pitch = (WIDTH - LABEL_INCHES - 0.02) / columns  # inches from one frame to the next
    tall = (pitch - GAP) * height / width
    tops, y = [], 0.2
    for i, row in enumerate(strip.rows):
        has_numbers = i == 0 or row.numbers != strip.rows[i - 1].numbers
        y += 0.17 if has_numbers else 0.0
        tops.append((y, has_numbers))
        y += tall + GAP
    with house_style():
        figure, axes = inches_figure(y + 0.02)
        length = f", {strip.frames} frames" if strip.frames is not None else ""
        case = f"{strip.case} case: " if strip.case else ""
        subtitle = f"{case}“{plain_label(strip.text, 60)}”{length}; {strip.table.durations} durations"
        axes.text(LABEL_INCHES, 0.02, subtitle, ha="left", va="top", fontsize=SMALL, color=FAINT)
        for row, (top, has_numbers) in zip(strip.rows, tops, strict=True):
            _draw_row(axes, row, top, pitch=pitch, tall=tall, has_numbers=has_numbers)
    return figure


def inches_figure(height: float) -> tuple[Figure, Axes]:
    """A figure of full width without axes to be seen; its coordinates are inches from the upper left corner."""
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    # a picture would fit the axes to itself
    axes.autoscale(enable=False)
    return figure, axes


def put_frame(axes: Axes, frame: np.ndarray, left: float, top: float, wide: float, tall: float) -> None:
    """Draw a picture, uint8 (H, W, 3), at a place in inches."""
    axes.imshow(frame, extent=(left, left + wide, top + tall, top), aspect="auto")


def put_label(axes: Axes, label: str, middle: float, *, bold: bool, right: float = LABEL_INCHES - 0.1) -> None:
    """Name a row, in two lines if one is too short."""
    words = plain_label(label, 2 * LABEL_SIGNS)
    if len(words) > LABEL_SIGNS:
        break_index = words.rfind(" ", 0, LABEL_SIGNS + 1)
        words = (
            f"{words[:break_index]}\n{words[break_index + 1 :]}" if break_index > 0 else plain_label(label, LABEL_SIGNS)
        )
    size = SMALL if "\n" in words else SMALL + 0.5
    axes.text(right, middle, words, ha="right", va="center", fontsize=size, weight="bold" if bold else "normal")


def _draw_row(axes: Axes, row: StripRow, top: float, *, pitch: float, tall: float, has_numbers: bool) -> None:
    put_label(axes, row.label, top + tall / 2, bold=row.label == TRUTH)
    frame_indices = np.linspace(0, len(row.frames) - 1, min(MOST_COLUMNS, len(row.frames))).round().astype(int)
    for column, frame_index in enumerate(frame_indices):
        left = LABEL_INCHES + column * pitch
        put_frame(axes, row.frames[frame_index], left, top, pitch - GAP, tall)
        if has_numbers:
            place = str(row.numbers[frame_index])
            axes.text(left + (pitch - GAP) / 2, top - 0.03, place, ha="center", va="bottom", fontsize=7, color=FAINT)
