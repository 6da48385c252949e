"""Quality records as tables: one per corpus, durations mode, protocol and frame size, never two of them in one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.record import Corpus, Failure, MetricFacts, Protocol, Quality, Record, System
from reports.formatting import joined
from reports.paper import Paper, QualityCondition
from reports.statistics import Mean, mean_by_cluster
from reports.systems import CEILINGS, Kind, Naming, labels


@dataclass(frozen=True, kw_only=True)
class QualityCell:
    """One system under one metric."""

    mean: Mean
    paper: float | None
    best: bool = False
    """Best of at least two models."""

    @property
    def difference(self) -> float | None:
        """Ours minus the paper's, in the metric's unit."""
        return None if self.paper is None else self.mean.value - self.paper


@dataclass(frozen=True, kw_only=True)
class QualityRow:
    """One system."""

    name: str
    label: str
    kind: Kind
    system: System | None = None
    """None if the cell failed."""
    clips: int = 0
    cells: dict[str, QualityCell]
    """Metric name to value; a metric that this system was not scored by is absent."""
    length_error: Mean | None = None
    """Mean of |generated - true| in frames; None where true durations were given."""
    failure: Failure | None = None

    @property
    def untrained(self) -> bool:
        """A model without a checkpoint: its quality says nothing about the model."""
        return self.kind == "model" and self.system is not None and self.system.checkpoint is None


@dataclass(frozen=True, kw_only=True)
class QualityTable:
    """Systems that were scored alike."""

    corpus: Corpus
    durations: str
    protocol: Protocol
    frame_size: tuple[int, int] | None
    speakers: int
    """Speakers among the clips scored."""
    metrics: list[MetricFacts]
    rows: list[QualityRow]
    """Models, then controls."""
    condition: QualityCondition | None
    """The paper's table for this corpus and mode, if the split scored is the test split."""
    same_clips: bool
    """Whether every row was scored on the same clips."""

    @property
    def models(self) -> list[QualityRow]:
        """Rows of models that were measured."""
        return [row for row in self.rows if row.kind == "model" and row.failure is None]

    @property
    def controls(self) -> list[QualityRow]:
        """Rows of controls that were measured."""
        return [row for row in self.rows if row.kind == "control" and row.failure is None]

    def best(self, metric: MetricFacts) -> list[QualityRow]:
        """Models with the best mean of a metric; empty if it has no direction or no model a value."""
        sign = _sign(metric)
        scores = [(sign * row.cells[metric.name].mean.value, row) for row in self.models if metric.name in row.cells]
        scores = [(score, row) for score, row in scores if not math.isnan(score)]
        if sign == 0 or not scores:
            return []
        top = max(score for score, _ in scores)
        return [row for score, row in scores if score == top]

    def above_models(self, metric: MetricFacts) -> list[QualityRow]:
        """Controls that beat every model on a metric, the truth itself not counted."""
        best = self.best(metric)
        if not best:
            return []
        sign = _sign(metric)
        bar = sign * best[0].cells[metric.name].mean.value
        candidates = [row for row in self.controls if row.name not in CEILINGS and metric.name in row.cells]
        return [row for row in candidates if sign * row.cells[metric.name].mean.value > bar]

    def finding(self) -> str | None:
        """One sentence on the controls that beat every model; None if none does."""
        beaten: dict[str, list[str]] = {}
        for metric in self.metrics:
            for row in self.above_models(metric):
                beaten.setdefault(row.label, []).append(metric.title)
        if not beaten:
            return None
        rivals = "every model" if len(self.models) > 1 else f"the only model ({self.models[0].label})"
        claims = joined(f"{label} on {joined(titles)}" for label, titles in beaten.items())
        subject = "A control beats" if len(beaten) == 1 else "Controls beat"
        return f"{subject} {rivals}: {claims}."

    @property
    def shows_paper(self) -> bool:
        """Whether any value of the paper stands beside ours."""
        return any(cell.paper is not None for row in self.rows for cell in row.cells.values())


def _sign(metric: MetricFacts) -> int:
    return 0 if metric.higher_is_better is None else 1 if metric.higher_is_better else -1


def quality_tables(records: Sequence[Record], names: Naming, paper: Paper) -> list[QualityTable]:
    """Sort quality records into tables.

    Args:
        records: a run's records, of any kind.
        names: see `reports.systems.naming`.
        paper: what to set beside ours.

    Returns:
        The tables, predicted durations first. A failed cell is a row of every table that it fits; where nothing of its
        condition was measured there is no table to put it in.
    """
    groups: dict[tuple[object, ...], list[tuple[Record, Quality]]] = {}
    for record in records:
        if isinstance(record.result, Quality):
            groups.setdefault(quality_key(record.result), []).append((record, record.result))
    failed = [r for r in records if r.status == "failed" and r.cell.kind == "quality"]
    tables = []
    for group in groups.values():
        failures = [record for record in failed if _belongs(record, group)]
        tables.append(_table([quality for _, quality in group], failures, names, paper))
    order = list(paper.corpora)
    tables.sort(
        key=lambda t: (
            order.index(t.corpus.name) if t.corpus.name in order else len(order),
            t.corpus.name,
            t.durations,
            t.protocol.name,
            t.frame_size or (0, 0),
        )
    )
    return tables


def quality_key(quality: Quality) -> tuple[object, ...]:
    """What two results must share to stand in one table."""
    corpus = quality.corpus
    return (
        corpus.name,
        corpus.fingerprint,
        corpus.split,
        quality.durations,
        quality.protocol.fingerprint,
        quality.system.frame_size,
    )


def _belongs(failed: Record, group: list[tuple[Record, Quality]]) -> bool:
    """Whether a failed cell asked for what a table shows. A cell that named no preset fits every preset."""
    cell = failed.cell
    first = group[0][1]
    presets = {record.cell.preset for record, quality in group if quality.system.kind == "model"}
    return (
        cell.corpus in (None, first.corpus.name)
        and cell.durations in (None, first.durations)
        and (cell.preset is None or not presets or cell.preset in presets)
    )


def _table(results: list[Quality], failures: list[Record], names: Naming, paper: Paper) -> QualityTable:
    first = results[0]
    condition = paper.condition(first.corpus.name, first.durations) if first.corpus.split == "test" else None
    titles = labels([result.system for result in results])
    rows = [_row(result, label, condition) for result, label in zip(results, titles, strict=True)]
    rows += [
        QualityRow(
            name=record.cell.system,
            label=names.titles[record.cell.system],
            kind=names.kinds[record.cell.system],
            cells={},
            failure=record.failure or Failure(type="unknown", message="the record gives no reason"),
        )
        for record in failures
    ]
    rows.sort(key=lambda row: (row.kind == "control", names.place(row.name)))
    table = QualityTable(
        corpus=first.corpus,
        durations=first.durations,
        protocol=first.protocol,
        frame_size=first.system.frame_size,
        speakers=len({clip.speaker for result in results for clip in result.clips}),
        metrics=list({metric.name: metric for result in results for metric in result.metrics}.values()),
        rows=rows,
        condition=condition,
        same_clips=len({frozenset(clip.utterance for clip in result.clips) for result in results}) == 1,
    )
    return _with_best(table)


def _row(result: Quality, label: str, condition: QualityCondition | None) -> QualityRow:
    system = result.system
    speakers = [clip.speaker for clip in result.clips]
    entry = condition.entry(system.name) if condition is not None and system.kind == "model" else None
    cells = {
        metric.name: QualityCell(
            mean=mean_by_cluster([clip.values.get(metric.name, math.nan) for clip in result.clips], speakers),
            paper=entry.values.get(metric.name) if entry is not None else None,
        )
        for metric in result.metrics
    }
    errors = [float(abs(clip.generated_frames - clip.frames)) for clip in result.clips]
    return QualityRow(
        name=system.name,
        label=label,
        kind=system.kind,
        system=system,
        clips=len(result.clips),
        cells=cells,
        length_error=mean_by_cluster(errors, speakers) if result.durations == "predicted" else None,
    )


def _with_best(table: QualityTable) -> QualityTable:
    """Mark the best model per metric, where there are at least two to choose from."""
    if len(table.models) < 2:
        return table
    winners = {metric.name: {id(row) for row in table.best(metric)} for metric in table.metrics}
    rows = [
        replace(
            row,
            cells={name: replace(cell, best=id(row) in winners[name]) for name, cell in row.cells.items()},
        )
        for row in table.rows
    ]
    return replace(table, rows=rows)
