"""A quality table as text for people, in several parts, and as a data frame for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median_high

import pandas as pd

from benchmarks.record import Corpus, CorpusScore, MetricFacts, Training, by_reason
from reports.formatting import (
    NOTHING,
    code,
    count,
    decimals_for,
    decimals_within,
    escaped,
    interval_of,
    joined,
    number,
    printed,
    signed,
)
from reports.length_effect import length_columns, length_text
from reports.quality_table import QualityCell, QualityRow, QualityTable
from reports.statistics import TOO_SMALL, Mean
from reports.text_table import TIED, TextTable, arrow, failed_text, marked, stacked

CONTROLS_HEAD = "*Controls*"
"""First cell of the row that opens the block of controls."""
PARTS: dict[str, tuple[str, ...]] = {
    "System": ("psnr", "ssim", "ms_ssim", "lmd", "fid"),
    "Motion and timing": (
        "aperture_correlation", "aperture_range_ratio", "motion_energy_ratio", "motion_range_ratio",
        "landmark_velocity_error", "flicker", "token_duration_error", "length_error", "length_error_share",
    ),
}  # fmt: skip
"""First column's title to the metrics of that part; the first part has those of the paper."""
REST = "Other metrics"
"""Title of the part with all others."""
NAMES_SHOWN = 10
"""So many clips that were left out are named; the record has them all."""


def in_order(metrics: Sequence[MetricFacts]) -> list[MetricFacts]:
    """Metrics as tables show them: by part, then in the order that they came in."""
    places = {name: place for place, name in enumerate(name for names in PARTS.values() for name in names)}
    return sorted(metrics, key=lambda metric: places.get(metric.name, len(places)))


def quality_texts(table: QualityTable) -> list[TextTable]:
    """A quality table for reading: models, then controls, in as many parts as its metrics need.

    Metrics that no row has a value of are left out: `not_measured_notes` says why. What the length rule did to the
    models is the last part, where it did anything.
    """
    found = [metric for metric in table.metrics if any(metric.name in row.cells for row in table.rows)]
    of_part = {title: [m for m in in_order(found) if m.name in names] for title, names in PARTS.items()}
    placed = {metric.name for metrics in of_part.values() for metric in metrics}
    of_part[REST] = [metric for metric in found if metric.name not in placed]
    first = next(iter(PARTS))
    # a run that measured none of the paper's metrics, or in which all failed, still has its rows
    parts = [_part(title, metrics, table) for title, metrics in of_part.items() if metrics or title == first]
    lengths = length_text(table)
    return parts if lengths is None else [*parts, lengths]


def _part(title: str, metrics: Sequence[MetricFacts], table: QualityTable) -> TextTable:
    is_first = title == next(iter(PARTS))
    header = [title, *(stacked(f"{escaped(m.title)} {arrow(m)}", escaped(m.unit)) for m in metrics)]
    header += ["Clips"] if is_first else []
    decimals = {metric.name: _metric_decimals(table, metric) for metric in metrics}
    rows: list[tuple[str, ...]] = []
    for row in table.rows:
        if row.failure is not None and not is_first:
            continue
        if row.kind == "control" and CONTROLS_HEAD not in {shown[0] for shown in rows}:
            rows.append((CONTROLS_HEAD,))
        rows.append(_quality_row(row, table.corpus, decimals, is_first=is_first))
    return TextTable(tuple(header), tuple(rows))


def not_measured_notes(table: QualityTable) -> list[str]:
    """Why metrics that were asked for have no value, each reason once with its metrics."""
    titles = {metric.name: metric.title for metric in table.metrics}
    reasons: dict[str, dict[str, None]] = {}
    measured = {name for row in table.rows for name in row.cells}
    for row in table.rows:
        for name, reason in row.not_measured.items():
            # a control has no timing of its own where models have: no news
            if name not in measured or row.kind == "model":
                reasons.setdefault(reason, {})[titles[name]] = None
    return [f"Not measured: {escaped(joined(names))} ({escaped(reason)})." for reason, names in reasons.items()]


def left_out_notes(table: QualityTable) -> list[str]:
    """Which clips of which row were not scored, and why."""
    notes: list[str] = []
    for row in table.rows:
        if row.left_out:
            parts = [f"{len(names)} as {reason} ({_some(names)})" for reason, names in by_reason(row.left_out).items()]
            total = count(row.clips + len(row.left_out), "clip")
            notes.append(
                f"Left out of {escaped(row.label)}: {len(row.left_out)} of {total}: {escaped('; '.join(parts))}."
            )
    return notes


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMES_SHOWN])
    return f"{shown} and {len(names) - NAMES_SHOWN} more, see the record" if len(names) > NAMES_SHOWN else shown


def _metric_decimals(table: QualityTable, metric: MetricFacts) -> int:
    cells = [row.cells[metric.name] for row in table.rows if metric.name in row.cells]
    least = decimals_for(value for cell in cells for value in (cell.mean.value, float(cell.paper or 0)))
    # one number of decimals for a column, so that it can be read down: what the interval of a middling model needs
    means = [row.cells[metric.name].mean for row in table.models if metric.name in row.cells]
    needs = [decimals_within(mean.value, mean.interval, least) for mean in means if mean.interval is not None]
    return max(least, median_high(needs)) if needs else least


def _quality_row(row: QualityRow, corpus: Corpus, decimals: dict[str, int], *, is_first: bool) -> tuple[str, ...]:
    name = stacked(escaped(row.label), _facts(row, corpus) if is_first else None)
    if row.failure is not None:
        return (name, failed_text(row.failure))
    cells = [_quality_cell(row.cells.get(metric), places) for metric, places in decimals.items()]
    clips = f"{row.clips} of {row.clips + len(row.left_out)}" if row.left_out else str(row.clips)
    return (name, *cells, *([clips] if is_first else []))


def _facts(row: QualityRow, corpus: Corpus) -> str | None:
    """What a reader must know of a model before its numbers."""
    if row.system is None or row.kind == "control":
        return None
    parts = ["**untrained**" if row.untrained else "", "from video files" if row.system.videos else ""]
    parts += [
        f"{name}=true" for name in ("resize", "ignore_rates") if row.system.videos and row.system.options.get(name)
    ]
    trained = row.system.training
    if trained is not None:
        parts.append(f"{number(trained.steps, 0)} steps")
    parts.append(f"{number(row.system.parameters / 1e6, 1)} M parameters" if row.system.parameters else "")
    facts = ", ".join(part for part in parts if part)
    foreign = _foreign_training(trained, corpus) if trained is not None else ""
    return "<br>".join(part for part in (facts, foreign) if part) or None


def _foreign_training(trained: Training, scored: Corpus) -> str:
    """What a model was trained on, if that is something else than what it was scored on."""
    if trained.corpus != scored.name:
        return f"**trained on {escaped(trained.corpus)}**"
    if trained.corpus_fingerprint != scored.fingerprint:
        return f"**trained on another {escaped(trained.corpus)}** {code(trained.corpus_fingerprint[:8])}"
    return ""


def _quality_cell(cell: QualityCell | None, decimals: int) -> str:
    if cell is None:
        return NOTHING
    text = _mean_text(cell.mean, decimals, bold=cell.best)
    if cell.together is not None:
        text = stacked(text, *_of_corpora(cell.together, decimals))
    beside = None
    if cell.paper is not None and cell.difference is not None:
        beside = f"*paper {printed(cell.paper)} ({signed(cell.difference, decimals)})*"
    return stacked(text, TIED if cell.tied else None, beside, "**beats every model**" if cell.above_models else None)


def _of_corpora(score: CorpusScore, decimals: int) -> Iterator[str]:
    """What a reader must know of a distance between corpora: its floor, and the frames that are not in it."""
    if score.floor is not None:
        yield f"floor {number(score.floor, decimals)}"
    if score.failed_frames or score.real_failed_frames:
        yield f"without {score.failed_frames} generated and {score.real_failed_frames} real frames, nothing found"


def _mean_text(mean: Mean, decimals: int, *, bold: bool = False) -> str:
    value = number(mean.value, decimals)
    coverage = f"{mean.n} of {mean.n + mean.missing} clips" if mean.missing else None
    # the value says itself that it is not finite, and a note under the table says where n is too small
    reason = None if mean.reason and mean.reason.startswith(("not finite", TOO_SMALL)) else mean.reason
    # a control that scores every clip alike needs no interval of no width
    interval = mean.interval if mean.interval and mean.interval.low < mean.interval.high else None
    return stacked(marked(value, best=bold), interval_of(interval, decimals) or reason, coverage)


def quality_frame(table: QualityTable) -> pd.DataFrame:
    """A quality table for programs: one row per system and plain columns per metric."""
    rows = []
    for row in table.rows:
        entry: dict[str, object] = {
            "system": row.name,
            "label": row.label,
            "kind": row.kind,
            "status": "failed" if row.failure else "measured",
            "failure": f"{row.failure.type}: {row.failure.message}" if row.failure else None,
            "untrained": row.untrained,
            "trained_on": row.system.training.corpus if row.system and row.system.training else None,
            "clips": row.clips,
            "left_out": len(row.left_out),
            **length_columns(row),
        }
        for metric in table.metrics:
            cell = row.cells.get(metric.name)
            entry |= _mean_columns(metric.name, cell.mean if cell else None)
            entry[f"{metric.name}_paper"] = float(cell.paper) if cell and cell.paper is not None else None
            entry[f"{metric.name}_difference"] = cell.difference if cell else None
            entry[f"{metric.name}_best"] = cell.best if cell else None
            entry[f"{metric.name}_tied"] = cell.tied if cell else None
            if cell is not None and cell.together is not None:
                entry[f"{metric.name}_floor"] = cell.together.floor
                entry[f"{metric.name}_failed_frames"] = cell.together.failed_frames
                entry[f"{metric.name}_real_failed_frames"] = cell.together.real_failed_frames
            entry[f"{metric.name}_not_measured"] = row.not_measured.get(metric.name)
        rows.append(entry)
    return pd.DataFrame(rows)


def _mean_columns(name: str, mean: Mean | None) -> dict[str, object]:
    interval = mean.interval if mean else None
    return {
        name: mean.value if mean else None,
        f"{name}_low": interval.low if interval else None,
        f"{name}_high": interval.high if interval else None,
        f"{name}_clips": mean.n if mean else None,
    }
