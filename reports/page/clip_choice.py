"""Which clips a page shows: of those that the run kept the worst, the best, the shortest, the longest and others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lipbench.records.quality import ClipScore, MetricFacts
from lipbench.reports.inputs.saved_clips import SavedClips
from lipbench.reports.tables.quality import QualityRow, QualityTable

RANKING_METRICS = ("aperture_correlation", "lmd", "ssim", "psnr")
"""Metrics to rank clips by, the first of them that was measured: a still mouth does well on the last two."""


@dataclass(frozen=True, kw_only=True)
class ClipChoice:
    """One clip to show."""

    clip: str
    why: str
    """What it was chosen for, such as "worst of HH-T2L by LMD"."""


def clip_metrics(table: QualityTable) -> list[MetricFacts]:
    """Metrics that single clips of a model have values of and that have a better side, the one to rank by first."""
    value_names = {name for row in table.models for score in row.scores for name in score.values}
    clip_level_metrics = [
        m for m in table.metrics if m.per == "clip" and m.name in value_names and m.higher_is_better is not None
    ]
    places = {name: i for i, name in enumerate(RANKING_METRICS)}
    return sorted(clip_level_metrics, key=lambda metric: places.get(metric.name, len(places)))


def rank_clips(scores: Sequence[ClipScore], metric: MetricFacts) -> list[ClipScore]:
    """Clips that have a value of a metric, the worst first."""
    sign = 1 if metric.higher_is_better else -1
    valued = [score for score in scores if not math.isnan(score.values.get(metric.name, math.nan))]
    return sorted(valued, key=lambda score: (sign * score.values[metric.name], score.utterance))


def choose_clips(table: QualityTable, saved_clips: Mapping[str, SavedClips], limit: int) -> list[ClipChoice]:
    """Choose clips to show, of those that at least one model's were kept of.

    Models take turns: the worst clip of each, the best of each, the shortest and the longest of all, then the second
    worst and so on for the first half of the places; the others are spread evenly over the clips.

    Args:
        table: whose models.
        saved_clips: label to what was kept.
        limit: choose no more.

    Returns:
        Choices, each clip once, in the order of choice.
    """
    models = [row for row in table.models if saved_clips[row.label].files]
    scores = {s.utterance: s for row in models for s in row.scores if s.utterance in saved_clips[row.label].files}
    reason_by_clip: dict[str, str] = {}
    for clip, why in _candidate_clips(table, models, scores):
        if len(reason_by_clip) >= min(limit, max(2 * len(models) + 2, limit // 2)):
            break
        reason_by_clip.setdefault(clip, why)
    rest = [clip for clip in sorted(scores) if clip not in reason_by_clip]
    free = min(limit - len(reason_by_clip), len(rest))
    reason_by_clip |= {rest[(2 * i + 1) * len(rest) // (2 * free)]: "spread over the clips" for i in range(free)}
    return [ClipChoice(clip=clip, why=why) for clip, why in reason_by_clip.items()]


def _candidate_clips(
    table: QualityTable, models: Sequence[QualityRow], scores: Mapping[str, ClipScore]
) -> Iterator[tuple[str, str]]:
    """Clips worth a look and why, the most telling first; a clip may come more than once."""
    metric = next(iter(clip_metrics(table)), None)
    orders: list[tuple[str, list[str]]] = []
    if metric is not None:
        for row in models:
            clips = [score.utterance for score in rank_clips(row.scores, metric) if score.utterance in scores]
            orders.append((f"{row.label} by {metric.title}", clips))
    by_length = sorted(scores.values(), key=lambda score: (score.frames, score.utterance))
    for turn in range(len(scores)):
        place = "" if turn == 0 else f"no. {turn + 1} "
        for name, end in (("worst", turn), ("best", -1 - turn)):
            for whose, clips in orders:
                if turn < len(clips):
                    yield clips[end], f"{place}{name} of {whose}"
        if turn == 0:
            yield by_length[0].utterance, "shortest"
            yield by_length[-1].utterance, "longest"


def split_evenly(limit: int, parts: int) -> list[int]:
    """A number of places shared out evenly, the first parts taking what does not divide.

    Example:
        >>> split_evenly(12, 5)
        [3, 3, 2, 2, 2]
    """
    return [limit // parts + (i < limit % parts) for i in range(parts)]
