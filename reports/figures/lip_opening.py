"""How far the mouth opens over time, generated on real: whether it moves, when, and how far."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipbench.records.quality import ClipScore
from lipbench.reports.figures.figure import MissingFigure, ReportFigure, quality_condition
from lipbench.reports.figures.style import (
    INK,
    SMALL,
    PlotStyle,
    add_heading,
    empty_figure,
    finish,
    house_style,
    integer_ticks,
    legend,
    plain_label,
)
from lipbench.reports.formatting import join_words, number
from lipbench.reports.tables.quality import QualityRow, QualityTable

TITLE = "Mouth opening over time"
METRIC = "aperture_correlation"
REAL = "ground truth"
MOST_LABELS = 3
"""Systems whose r still fits into a line."""


class Case(NamedTuple):
    """One utterance of several systems."""

    kind: str
    """Such as "worst"."""
    clips: dict[str, ClipScore]
    """Label to its clip of this utterance."""

    @property
    def first(self) -> ClipScore:
        """A clip that tells of the utterance."""
        return next(iter(self.clips.values()))


def draw_openings(table: QualityTable, style: Mapping[str, PlotStyle]) -> ReportFigure | MissingFigure:
    """The figure with its words.

    Args:
        table: of one condition.
        style: see `lipbench.reports.figures.style.plot_styles`.
    """
    rows = [row for row in table.models if any(_has_curves(clip) for clip in row.scores)]
    if not rows:
        return MissingFigure(
            title=TITLE,
            reason="no record of a model holds the opening over time: no metric of landmarks was scored, or it is "
            "older than that field (score again)",
        )
    cases = choose_cases(rows)
    if not cases:
        return MissingFigure(title=TITLE, reason="no clip has an opening over time from every model that has any")
    n = len(_common_clips(rows))
    caption = (
        "Opening of the inner lips over time, generated on real: the clips with the "
        f"{join_words(c.kind for c in cases)} "
        f"mean aperture correlation (r, beside each name) of the models, out of n = {n}; {quality_condition(table)}. "
        "A mouth that follows the truth opens when the black line does, and as far; a flat line is a mouth that does "
        "not move. Gaps: no face was found."
    )
    return ReportFigure(
        name="openings",
        title=TITLE,
        caption=caption,
        alt="Opening in pixels over frames, the truth in black. "
        + " ".join(
            f"{case.kind.capitalize()}, {case.first.utterance}: {_correlations(case, len(rows))}." for case in cases
        ),
        figure=openings_figure(cases, style, subtitle=quality_condition(table)),
    )


def _has_curves(clip: ClipScore) -> bool:
    return any(value is not None for value in clip.aperture) and any(value is not None for value in clip.aperture_truth)


def _common_clips(rows: Sequence[QualityRow]) -> dict[str, dict[str, ClipScore]]:
    """Utterance to label to clip, of those that every row has with curves and a correlation."""
    clips_by_utterance: dict[str, dict[str, ClipScore]] = {}
    for row in rows:
        for clip in row.scores:
            if _has_curves(clip) and METRIC in clip.values:
                clips_by_utterance.setdefault(clip.utterance, {})[row.label] = clip
    return {utterance: clips for utterance, clips in clips_by_utterance.items() if len(clips) == len(rows)}


def choose_cases(rows: Sequence[QualityRow]) -> list[Case]:
    """The clips with the highest, the middle and the lowest aperture correlation, meaned over the systems.

    Args:
        rows: at least one.

    Returns:
        Up to three cases, the best first; fewer where there are fewer clips.
    """
    common = _common_clips(rows)
    utterances = sorted(common, key=lambda u: (-_mean_correlation(common[u]), u))
    places = {"best": 0, "median": len(utterances) // 2, "worst": len(utterances) - 1}
    kind_by_rank: dict[int, str] = {}
    for kind, rank in places.items():
        if 0 <= rank < len(utterances):
            kind_by_rank.setdefault(rank, kind)
    return [Case(kind, common[utterances[rank]]) for rank, kind in sorted(kind_by_rank.items())]


def _mean_correlation(clips: Mapping[str, ClipScore]) -> float:
    return float(np.mean([clip.values[METRIC] for clip in clips.values()]))


def _correlations(case: Case, max_labels: int) -> str:
    parts = [f"{plain_label(label, 22)} r {number(clip.values[METRIC], 2)}" for label, clip in case.clips.items()]
    more = len(parts) - max_labels
    return ", ".join(parts[:max_labels]) + (f" and {more} more" if more > 0 else "")


def openings_figure(cases: Sequence[Case], style: Mapping[str, PlotStyle], *, subtitle: str) -> Figure:
    """A panel per case.

    Args:
        cases: at least one.
        style: label to look.
        subtitle: what was measured.
    """
    real = PlotStyle(INK, "", "-")
    with house_style():
        figure = empty_figure(0.75 + 1.7 * len(cases))
        panels = figure.subplots(len(cases), 1, squeeze=False)[:, 0]
        for axes, case in zip(panels, cases, strict=True):
            _draw(axes, case.first.aperture_truth, real, width=2.0)
            for label, clip in case.clips.items():
                _draw(axes, clip.aperture, style[label], width=1.3)
            finish(axes, x="", y="opening (px)")
            integer_ticks(axes)
            axes.set_xlim(left=0)
            axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
            heading = f"{case.kind}: {plain_label(case.first.utterance, 36)}, “{plain_label(case.first.text, 60)}”"
            axes.set_title(f"{heading}\n{_correlations(case, MOST_LABELS)}", fontsize=SMALL, weight="normal")
        panels[-1].set_xlabel("frame of the clip")
        labels = list(dict.fromkeys(label for case in cases for label in case.clips))
        legend(figure, {**style, REAL: real}, [REAL, *labels])
        add_heading(figure, subtitle)
    return figure


def _draw(axes: Axes, opening: Sequence[float | None], plot_style: PlotStyle, *, width: float) -> None:
    values = [math.nan if value is None else value for value in opening]
    marker_spacing = max(1, len(values) // 8)
    axes.plot(
        range(len(values)), values, color=plot_style.color, linestyle=plot_style.dash, linewidth=width,
        marker=plot_style.marker or None, markersize=4.5, markevery=(marker_spacing // 2, marker_spacing),
    )  # fmt: skip
