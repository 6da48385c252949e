"""How the losses fell while the models of a run were trained."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipbench.reports.figures.figure import MissingFigure, ReportFigure
from lipbench.reports.figures.style import (
    PlotStyle,
    add_heading,
    empty_figure,
    finish,
    house_style,
    legend,
    log_axis,
    plain_label,
    plot_styles,
)
from lipbench.reports.formatting import count, join_words, number
from lipbench.reports.inputs.training_logs import TrainingLog, TrainingLogs

TITLE = "Training"
MAX_TRAININGS = 8
"""Trainings in one figure: more lines cannot be told apart."""
SMOOTHING_SHARE = 0.05
"""Share of the logged values that a point of a line is the mean of: single ones are of twelve clips or so."""
_PANELS = {
    "l1": "L1",
    "ssim": "1 − SSIM",
    "duration": "duration",
    "stop": "stop token",
    "attention": "guided attention",
    "adversarial": "adversarial",
    "discriminator": "discriminator",
}


def draw_training(trainings: TrainingLogs) -> ReportFigure | MissingFigure:
    """The figure with its words.

    Args:
        trainings: of the run.
    """
    logs, unread = trainings
    unread_note = f" Not readable: {join_words(unread)}." if unread else ""
    if not logs:
        return MissingFigure(
            title=TITLE, reason=f"the run's folder has no logs of trainings (train/NAME/csv).{unread_note}"
        )
    shown_logs, omitted_logs = logs[:MAX_TRAININGS], logs[MAX_TRAININGS:]
    caption = (
        "Losses against updates taken, on training clips and before their weights; the last of each training is at its "
        f"end. Each point is a mean over {number(100 * SMOOTHING_SHARE, 0)} % of what was logged; the scales are "
        "logarithmic. "
        "Durations are in frames per token. A loss that falls does not say that the mouth moves: see the strips and "
        "the aperture correlation."
    )
    caption += (
        f" Not drawn, as more cannot be told apart: {join_words(log.name for log in omitted_logs)}."
        if omitted_logs
        else ""
    )
    return ReportFigure(
        name="training",
        title=TITLE,
        caption=caption + unread_note,
        alt=f"Losses over the updates of {count(len(shown_logs), 'training')}. "
        f"At the end: {'; '.join(map(_alt_text, shown_logs))}.",
        figure=training_figure(shown_logs),
    )


def smooth(values: pd.Series) -> pd.Series:
    """The mean over so many values around each as `SMOOTHING_SHARE` says, at the ends over those that there are."""
    reach = round(SMOOTHING_SHARE * len(values)) // 2
    return pd.Series(values.rolling(2 * reach + 1, center=True, min_periods=1).mean())


def training_figure(logs: Sequence[TrainingLog]) -> Figure:
    """One panel for each loss that any training has."""
    # folders are named MODEL-PRESET unless one was given a name, so most have their model's look
    style = plot_styles([(log.name.partition("-")[0], log.name) for log in logs])
    loss_names = dict.fromkeys(name for log in logs for name in log.losses)
    titles = {name: _PANELS.get(name, name) for name in (*_PANELS, *loss_names) if name in loss_names}
    columns = min(3, len(titles))
    rows = math.ceil(len(titles) / columns)
    with house_style():
        figure = empty_figure(0.6 + 2.0 * rows)
        panels = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
        for axes, (name, title) in zip(panels, titles.items(), strict=False):
            for log in logs:
                if name in log.losses:
                    _draw(axes, log.losses[name], style[log.name])
            finish(axes, x="updates", y="loss", title=plain_label(title))
            log_axis(axes, "y")
        for axes in panels[len(titles) :]:
            axes.remove()
        legend(figure, style, [log.name for log in logs])
        add_heading(figure, "Losses on training clips")
    return figure


def _draw(axes: Axes, losses: pd.Series, plot_style: PlotStyle) -> None:
    axes.plot(
        losses.index.to_numpy(), smooth(losses).to_numpy(),
                color=plot_style.color, linestyle=plot_style.dash, linewidth=1.2,
        marker=plot_style.marker, markersize=4.5, markevery=[-1],
    )  # fmt: skip


def _alt_text(log: TrainingLog) -> str:
    ends = {name: float(smooth(losses).iloc[-1]) for name, losses in log.losses.items()}
    return f"{log.name}: " + ", ".join(f"{_PANELS.get(name, name)} {number(end, 3)}" for name, end in ends.items())
