"""What the page's player shows: a board per quality table, with its clips' values, and sheets of some of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lipbench.records.quality import ClipScore, MetricFacts
from lipbench.reports.formatting import count, decimals_for, join_words
from lipbench.reports.inputs.saved_clips import SavedClips, find_saved_clips
from lipbench.reports.page.clip_choice import ClipChoice, choose_clips, clip_metrics, split_evenly
from lipbench.reports.page.links import record_anchor
from lipbench.reports.page.sprite_sheet import MAX_FRAMES, NoClipError, SpriteSheet, read_sheet
from lipbench.reports.tables.quality import QualityRow, QualityTable

CLIPS = 12
"""Default number of clips on a page."""
MAX_LISTED = 1000
"""Clips of one board that are listed; of more, so many spread evenly."""
_MORE_CLIPS_HINT = "lipbench report RUN clips=N sets how many."
_KEEP_CLIPS_HINT = (
    "lipbench evaluate keeps clips unless keep_clips=false; bench keeps none unless it times natural lengths. They are "
    "found as long as generated/ and real/ lie beside records/."
)
_DASHES = {"-": "", "--": "7 4", "-.": "7 3 2 3", ":": "2 3"}
"""Matplotlib's dashes as SVG has them, in pixels."""


class LineStyle(Protocol):
    """How a system is drawn, see `lipbench.reports.figures.Look`."""

    @property
    def color(self) -> str:
        """Hex."""
        ...

    @property
    def dash(self) -> str:
        """As Matplotlib names it."""
        ...


@dataclass(frozen=True, kw_only=True)
class Player:
    """Everything that the player needs, ready to be written as JSON."""

    boards: list[dict[str, Any]]
    sheets: list[dict[str, object]]
    notes: list[str]
    """What is shown, how it was chosen, and what is absent and why: plain text."""

    def for_page(self) -> dict[str, Any]:
        """As the page's script takes it."""
        return {"boards": self.boards, "sheets": self.sheets}


@dataclass
class _SheetStore:
    """Sheets by file, each read once."""

    sheets: list[dict[str, object]] = field(default_factory=list)
    found: dict[Path, tuple[int, SpriteSheet] | str] = field(default_factory=dict)

    def take(self, path: Path) -> tuple[int, SpriteSheet] | str:
        """A sheet and its place, or why there is none."""
        if path not in self.found:
            try:
                sheet = read_sheet(path)
            except NoClipError as error:
                self.found[path] = str(error)
            else:
                self.found[path] = len(self.sheets), sheet
                self.sheets.append(sheet.for_page())
        return self.found[path]


def load_player(
    tables: Sequence[QualityTable], root: Path, *, style: Mapping[str, LineStyle], limit: int = CLIPS
) -> Player | None:
    """Gather what the player shows from a run's records and the clips that it kept.

    Args:
        tables: a run's quality tables.
        root: the run's folder.
        style: label of each model's row to its look.
        limit: show no more clips, all tables together.

    Returns:
        None if no table has a model that was measured.
    """
    model_tables = [table for table in tables if table.models]
    if not model_tables:
        return None
    saved_by_table = [{row.label: find_saved_clips(row, root) for row in table.models} for table in model_tables]
    full = [
        i
        for i, saved_by_label in enumerate(saved_by_table)
        if any(saved_clips.files for saved_clips in saved_by_label.values())
    ]
    places = dict(zip(full, split_evenly(limit, len(full)), strict=True)) if full else {}
    shelf, boards, missing = _SheetStore(), [], []
    for i, table in enumerate(model_tables):
        choices = choose_clips(table, saved_by_table[i], places.get(i, 0))
        board, absent = _board(table, saved_by_table[i], choices, shelf, style, limit)
        boards.append({"title": table.place, **board})
        missing += [f"{reason} ({table.place})" if len(model_tables) > 1 else reason for reason in absent]
    return Player(
        boards=boards, sheets=shelf.sheets, notes=[*_summary_sentence(model_tables[0], boards, limit), *missing]
    )


def _summary_sentence(table: QualityTable, boards: Sequence[Mapping[str, Any]], limit: int) -> list[str]:
    """How clips were chosen, in a sentence or two."""
    n_played = sum(clip["play"] is not None for board in boards for clip in board["clips"])
    total = sum(board["total"] for board in boards)
    metric = next(iter(clip_metrics(table)), None)
    if n_played == 0:
        return [
            f"None of {count(total, 'clip')} can be played; their values are in the list. "
            f"{_KEEP_CLIPS_HINT if limit else _MORE_CLIPS_HINT}"
        ]
    extremes = f"the worst and the best of each model by {metric.title}, " if metric else ""
    return [
        f"{n_played} of {count(total, 'clip')} can be played: {extremes}the shortest, the longest, and others spread "
        f"evenly. {_MORE_CLIPS_HINT}",
        "Frames are packed as WebP pictures for looking at; every value was measured on the frames themselves.",
    ]


def _board(
    table: QualityTable,
    saved_clips: Mapping[str, SavedClips],
    choices: Sequence[ClipChoice],
    shelf: _SheetStore,
    style: Mapping[str, LineStyle],
    limit: int,
) -> tuple[dict[str, Any], list[str]]:
    """One table's clips, and what of them is absent and why."""
    models, metrics = table.models, clip_metrics(table)
    absent: dict[str, list[str]] = {}
    for row in models:
        if reason := saved_clips[row.label].reason:
            absent.setdefault(reason, []).append(row.label)
    missing = [f"No clips of {join_words(labels)}: {reason}." for reason, labels in absent.items()]
    scores = {row.label: {score.utterance: score for score in row.scores} for row in models}
    play_by_clip = {c.clip: {"rank": i, **_play(c, models, scores, saved_clips, shelf)} for i, c in enumerate(choices)}
    missing += _missing_sentences(models, play_by_clip)
    utterances = sorted({utterance for score_by_clip in scores.values() for utterance in score_by_clip})
    listed_clips = _choose_listed(utterances, play_by_clip)
    if len(listed_clips) < len(utterances):
        missing.append(
            f"{len(listed_clips)} of {len(utterances)} clips are listed, spread evenly; the records have all of them."
        )
    return {
        "metrics": [_metric(metric, models) for metric in metrics],
        "systems": [
            {
                "label": row.label,
                "anchor": record_anchor(row.record),
                "color": style[row.label].color,
                "dash": _DASHES[style[row.label].dash],
            }
            for row in models
        ],
        "total": len(utterances),
        "unplayed": None if play_by_clip else "; ".join(absent) or f"clips={limit} left no place for one of this table",
        "clips": [_clip(utterance, models, scores, metrics, play_by_clip.get(utterance)) for utterance in listed_clips],
    }, missing


def _choose_listed(utterances: list[str], play_by_clip: Mapping[str, object]) -> list[str]:
    if len(utterances) <= MAX_LISTED:
        return utterances
    spread = {utterances[i * len(utterances) // MAX_LISTED] for i in range(MAX_LISTED - len(play_by_clip))}
    return sorted(spread | set(play_by_clip))


def _metric(metric: MetricFacts, models: Sequence[QualityRow]) -> dict[str, Any]:
    values = [score.values[metric.name] for row in models for score in row.scores if metric.name in score.values]
    return {
        "name": metric.name,
        "title": metric.title,
        "unit": metric.unit,
        "higher": metric.higher_is_better,
        "decimals": decimals_for(values),
    }


def _clip(
    utterance: str,
    models: Sequence[QualityRow],
    scores: Mapping[str, Mapping[str, ClipScore]],
    metrics: Sequence[MetricFacts],
    play: dict[str, Any] | None,
) -> dict[str, Any]:
    clip_scores = [scores[row.label].get(utterance) for row in models]
    first = next(score for score in clip_scores if score is not None)
    return {
        "id": utterance,
        "speaker": first.speaker,
        "text": first.text,
        "frames": first.frames,
        "values": [
            None if score is None else [_value(score.values.get(m.name)) for m in metrics] for score in clip_scores
        ],
        "play": play,
    }


def _play(
    choice: ClipChoice,
    models: Sequence[QualityRow],
    scores: Mapping[str, Mapping[str, ClipScore]],
    saved_clips: Mapping[str, SavedClips],
    shelf: _SheetStore,
) -> dict[str, Any]:
    """Sheets and openings of one clip: the truth first, then every model."""
    files = [saved_clips[row.label].files.get(choice.clip) for row in models]
    real = next((path for row in models if (path := saved_clips[row.label].real.get(choice.clip))), None)
    curves = [scores[row.label].get(choice.clip) for row in models]
    sides = [_side(real, next((c.aperture_truth for c in curves if c and c.aperture_truth), []), shelf)]
    sides += [_side(path, c.aperture if c else [], shelf) for path, c in zip(files, curves, strict=True)]
    rates = [side["fps"] for side in sides if side["sheet"] is not None]
    return {"why": choice.why, "fps": rates[0] if rates else 25.0, "sides": sides}


def _side(path: Path | None, aperture: Sequence[float | None], shelf: _SheetStore) -> dict[str, Any]:
    sheet_or_reason = "not kept" if path is None else shelf.take(path)
    opening_curve = [None if value is None else round(value, 2) for value in aperture[:MAX_FRAMES]]
    if isinstance(sheet_or_reason, str):
        return {"sheet": None, "reason": sheet_or_reason, "aperture": opening_curve}
    place, sheet = sheet_or_reason
    return {"sheet": place, "fps": sheet.fps, "length": sheet.length, "aperture": opening_curve}


def _missing_sentences(models: Sequence[QualityRow], play_by_clip: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What the clips shown lack, in sentences."""
    sentences: list[str] = []
    if not play_by_clip:
        return sentences
    labels = ["the ground truth", *(row.label for row in models)]
    for i, label in enumerate(labels):
        reasons = {
            str(play["sides"][i].get("reason")) for play in play_by_clip.values() if play["sides"][i]["sheet"] is None
        }
        if i == 0 and reasons == {"not kept"}:
            sentences.append(
                "The ground truth was not kept: these records are older than that. Evaluate again to have it."
            )
        elif reasons - {"not kept"}:
            sentences.append(f"Some clips of {label} cannot be shown: {join_words(sorted(reasons - {'not kept'}))}.")
    sides = [side for play in play_by_clip.values() for side in play["sides"]]
    if not any(side["aperture"] for side in sides):
        sentences.append(f"There are no curves of the mouth's opening: {_no_opening(models)}.")
    if any(side.get("length", 0) > MAX_FRAMES for side in sides):
        sentences.append(f"Of longer clips the first {MAX_FRAMES} frames are shown.")
    return sentences


def _no_opening(models: Sequence[QualityRow]) -> str:
    """Why no record has the opening of the lips."""
    reasons = (row.not_measured.get(name) for row in models for name in ("aperture_correlation", "lmd"))
    return next(
        filter(None, reasons), "the records are older than these, or no metric that takes landmarks was asked for"
    )


def _value(value: float | None) -> float | str | None:
    """A number that JSON can hold; infinity as its name."""
    if value is None or math.isnan(value):
        return None
    return float(f"{value:.6g}") if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
