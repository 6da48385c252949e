"""How wrong the lengths are that models choose: of the clip, and of each token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from lipbench.reports.figures.figure import MissingFigure, ReportFigure, quality_condition, sample_size_text
from lipbench.reports.figures.style import (
    PlotStyle,
    add_heading,
    empty_figure,
    finish,
    house_style,
    integer_ticks,
    legend,
)
from lipbench.reports.formatting import join_words, number, signed
from lipbench.reports.tables.quality import QualityRow, QualityTable

TITLE = "Duration error"
TOKENS = "token_duration_error"


def draw_durations(table: QualityTable, style: Mapping[str, PlotStyle]) -> ReportFigure | MissingFigure:
    """The figure with its words.

    Args:
        table: of one condition.
        style: see `lipbench.reports.figures.style.plot_styles`.
    """
    if table.durations != "predicted":
        return MissingFigure(title=TITLE, reason="the true durations were given, so there is no error")
    rows = [row for row in table.models if row.scores]
    if not rows:
        return MissingFigure(title=TITLE, reason="no model was scored")
    totals, tokens = total_errors(rows), token_errors(rows)
    silent = [row.label for row in rows if row.label not in tokens]
    caption = (
        f"Share of clips up to an error of duration; {quality_condition(table)}; {sample_size_text(rows, table)}. "
        "Left: frames of "
        "the generated clip minus those of the real one; a step at 0 is a model that is never wrong, a curve left of 0 "
        "one that stops too early. "
    )
    if tokens:
        caption += "Right: mean error of a token's duration within a clip; further left is better. "
    if silent:
        caption += f"No durations of tokens come from {join_words(silent)}."
    median_texts = [f"{label} {signed(float(np.median(errors)), 1)}" for label, errors in totals.items()]
    alt = f"Cumulative shares of clips. Median error of the length in frames: {', '.join(median_texts)}."
    if tokens:
        of_tokens = [f"{label} {number(float(np.median(errors)), 2)}" for label, errors in tokens.items()]
        alt += f" Median error of a token in frames: {', '.join(of_tokens)}."
    return ReportFigure(
        name="durations",
        title=TITLE,
        caption=caption.strip(),
        alt=alt,
        figure=durations_figure(totals, tokens, style, subtitle=quality_condition(table)),
    )


def total_errors(rows: Sequence[QualityRow]) -> dict[str, np.ndarray]:
    """Label to generated minus true frames of each clip, sorted."""
    return {row.label: np.sort([clip.generated_frames - clip.frames for clip in row.scores]) for row in rows}


def token_errors(rows: Sequence[QualityRow]) -> dict[str, np.ndarray]:
    """Label to mean absolute error per token of each clip in frames, sorted; without systems that have none."""
    errors_by_label = {row.label: np.sort([c.values[TOKENS] for c in row.scores if TOKENS in c.values]) for row in rows}
    return {label: errors for label, errors in errors_by_label.items() if len(errors)}


def durations_figure(
    totals: Mapping[str, np.ndarray], tokens: Mapping[str, np.ndarray], style: Mapping[str, PlotStyle], *, subtitle: str
) -> Figure:
    """Cumulative shares of clips: of the clip's length, and of tokens where there are any.

    Args:
        totals: see `total_errors`.
        tokens: see `token_errors`.
        style: label to look.
        subtitle: what was measured.
    """
    with house_style():
        figure = empty_figure(3.2)
        left, *right = figure.subplots(1, 2 if tokens else 1, squeeze=False)[0]
        for label, errors in totals.items():
            _draw_cumulative(left, errors, style[label])
        left.axvline(0, color="#8a8a8a", linewidth=1.0, zorder=1)
        finish(left, x="generated minus true length (frames)", y="share of clips", title="Length of the clip")
        integer_ticks(left)
        for axes in right:
            for label, errors in tokens.items():
                _draw_cumulative(axes, errors, style[label])
            finish(axes, x="mean error per token (frames)", y="share of clips", title="Duration of a token")
            axes.set_xlim(left=0)
        for axes in (left, *right):
            axes.set_ylim(0, 1.02)
            axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
        legend(figure, style, list(totals))
        add_heading(figure, subtitle)
    return figure


def _draw_cumulative(axes: Axes, errors: np.ndarray, plot_style: PlotStyle) -> None:
    """Steps up to the share of clips whose error is at most x."""
    values, counts = np.unique(errors, return_counts=True)
    shares = np.cumsum(counts) / len(errors)
    marker_spacing = max(1, len(values) // 6)
    axes.plot(
        [values[0], *values], [0.0, *shares], drawstyle="steps-post", color=plot_style.color, linestyle=plot_style.dash,
        linewidth=1.4, marker=plot_style.marker, markersize=4.5, markevery=(1, marker_spacing),
    )  # fmt: skip
