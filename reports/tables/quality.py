"""Quality records as tables: one per corpus, durations mode, protocol and frame size, never two of them in one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np

from lipbench.records.quality import ClipScore, CorpusFacts, CorpusScore, MetricFacts, ProtocolFacts, Quality
from lipbench.records.record import Failure, Record
from lipbench.records.system import System
from lipbench.reports.formatting import join_words, size_text
from lipbench.reports.paper import QualityCondition, QualityEntry, load_paper
from lipbench.reports.tables.labels import CEILINGS, Kind, SystemNames, labels, matches_request, variant
from lipbench.statistics.intervals import Mean, means_by_cluster


@dataclass(frozen=True, kw_only=True)
class QualityCell:
    """One system under one metric."""

    mean: Mean
    paper: Decimal | None
    """In the paper's own digits."""
    best: bool = False
    """Best of at least two models."""
    tied: bool = False
    """A model's that the paired test does not tell from the best; see
    `lipbench.reports.tables.differences.mark_ties`."""
    above_models: bool = False
    """A control's, better than that of every model."""
    together: CorpusScore | None = None
    """Of a distance between corpora: what it was computed from, and that between two halves of the real clips."""

    @property
    def difference(self) -> float | None:
        """Ours minus the paper's, in the metric's unit."""
        return None if self.paper is None else self.mean.value - float(self.paper)


@dataclass(frozen=True, kw_only=True)
class QualityRow:
    """One system."""

    name: str
    label: str
    kind: Kind
    system: System | None = None
    """None if the cell failed."""
    scores: Sequence[ClipScore] = ()
    """Every clip's own values."""
    cells: dict[str, QualityCell]
    """Metric name to value; a metric that this system was not scored by is absent."""
    not_measured: Mapping[str, str] = field(default_factory=dict)
    """Metric name to the reason why it has no value."""
    device: str | None = None
    """Where its clips were generated."""
    entry: QualityEntry | None = None
    """The paper's row that stands beside this one."""
    strip: str | None = None
    """File with sample frames, relative to the run's folder."""
    generated: str | None = None
    """Folder with kept clips, relative to the run's folder."""
    record: str = ""
    """Key of the cell whose record this is."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Clip to the reason why it was not scored."""
    failure: Failure | None = None

    @property
    def clips(self) -> int:
        """Clips scored."""
        return len(self.scores)

    @property
    def papers_losses(self) -> bool | None:
        """Whether its losses are those of the paper's row beside it; None if there is none or nothing tells."""
        training = self.system.training if self.system is not None else None
        return self.entry.trained_so(training.recipe if training else None) if self.entry is not None else None

    @property
    def untrained(self) -> bool:
        """A model that ran without a checkpoint: its quality says nothing about the model."""
        system = self.system
        return self.kind == "model" and system is not None and system.checkpoint is None and system.videos is None


@dataclass(frozen=True, kw_only=True)
class QualityTable:
    """Systems that were scored alike."""

    title: str
    """Corpus and durations in plain text, such as "GRID, predicted durations"."""
    apart: tuple[str, ...]
    """What tells the table from others of the same title, such as "protocol eat-2023"; empty if there is none."""
    corpus: CorpusFacts
    durations: str
    protocol: ProtocolFacts
    frame_size: tuple[int, int] | None
    speakers: int
    """Speakers among the clips scored, as far as they are known."""
    metrics: list[MetricFacts]
    rows: list[QualityRow]
    """Models, then controls."""
    condition: QualityCondition | None
    """The paper's table for this corpus and mode, if the clips scored are a test split that may be the paper's."""
    other_split: bool
    """Whether the paper has a table for this corpus and mode, but of another split."""
    same_clips: bool
    """Whether every row was scored on the same clips."""

    @property
    def place(self) -> str:
        """A name in plain text that no other table of the report has."""
        return ", ".join([self.title, *self.apart])

    @property
    def models(self) -> list[QualityRow]:
        """Rows of models that were measured."""
        return [row for row in self.rows if row.kind == "model" and row.failure is None]

    @property
    def controls(self) -> list[QualityRow]:
        """Rows of controls that were measured."""
        return [row for row in self.rows if row.kind == "control" and row.failure is None]

    @property
    def split_option(self) -> str | None:
        """How the prepared store was split; None if the record does not tell."""
        return split_option(self.corpus)

    def best(self, metric: MetricFacts) -> list[QualityRow]:
        """Models with the best mean of a metric; empty if it has no direction or no model a value."""
        sign = _sign(metric)
        scores = [(sign * row.cells[metric.name].mean.value, row) for row in self.models if metric.name in row.cells]
        scores = [(score, row) for score, row in scores if not math.isnan(score)]
        if sign == 0 or not scores:
            return []
        top = max(score for score, _ in scores)
        return [row for score, row in scores if score == top]

    def winners(self, metric: MetricFacts) -> list[QualityRow]:
        """The same, but empty where there is no choice: of a single model, or of models that are all equal."""
        best = self.best(metric)
        return best if len(best) < sum(metric.name in row.cells for row in self.models) else []

    def rivals(self, metric: MetricFacts) -> list[QualityRow]:
        """Controls that the best model can be compared with on a metric, the truth itself not counted."""
        if not self.best(metric):
            return []
        return [row for row in self.controls if row.name not in CEILINGS and metric.name in row.cells]

    def above_models(self, metric: MetricFacts) -> list[QualityRow]:
        """Controls that beat every model on a metric, the truth itself not counted."""
        rivals = self.rivals(metric)
        if not rivals:
            return []
        sign = _sign(metric)
        bar = sign * self.best(metric)[0].cells[metric.name].mean.value
        return [row for row in rivals if sign * row.cells[metric.name].mean.value > bar]

    def finding(self) -> str | None:
        """One sentence on the controls that beat every model; None if none does."""
        titles_by_control: dict[str, list[str]] = {}
        for metric in self.metrics:
            for row in self.above_models(metric):
                titles_by_control.setdefault(row.label, []).append(metric.title)
        if not titles_by_control:
            return None
        rivals = "every model" if len(self.models) > 1 else f"the only model ({self.models[0].label})"
        claim_texts = join_words(f"{label} on {join_words(titles)}" for label, titles in titles_by_control.items())
        subject = "A control beats" if len(titles_by_control) == 1 else "Controls beat"
        return f"{subject} {rivals}: {claim_texts}."

    @property
    def shows_paper(self) -> bool:
        """Whether any value of the paper stands beside ours."""
        return any(cell.paper is not None for row in self.rows for cell in row.cells.values())


def split_option(corpus: CorpusFacts) -> str | None:
    """How the store behind a corpus was split (``lipbench prepare split=…``); None if its options do not tell."""
    return None if (option := corpus.options.get("split")) is None else str(option)


def _sign(metric: MetricFacts) -> int:
    return 0 if metric.higher_is_better is None else 1 if metric.higher_is_better else -1


def quality_tables(records: Sequence[Record], names: SystemNames) -> list[QualityTable]:
    """Sort quality records into tables.

    Args:
        records: a run's records, of any kind.
        names: see `lipbench.reports.tables.labels.collect_names`.

    Returns:
        The tables, predicted durations first. A failed cell is a row of every table that it fits; where nothing of its
        condition was measured there is no table to put it in.
    """
    groups: dict[tuple[object, ...], list[tuple[Record, Quality]]] = {}
    for record in records:
        if isinstance(record.result, Quality):
            groups.setdefault(quality_key(record.result), []).append((record, record.result))
    failed_records = [r for r in records if r.status == "failed" and r.cell.kind == "quality"]
    tables = []
    for group in groups.values():
        failures = [record for record in failed_records if _belongs(record, group)]
        tables.append(_table(group, failures, names))
    order = list(load_paper().corpora)
    tables.sort(
        key=lambda t: (
            order.index(t.corpus.name) if t.corpus.name in order else len(order),
            t.corpus.name,
            t.durations,
            t.protocol.name,
            t.frame_size or (0, 0),
        )
    )
    return [replace(table, apart=_distinctions(table, tables)) for table in tables]


def _distinctions(table: QualityTable, tables: Sequence[QualityTable]) -> tuple[str, ...]:
    """What of the table's key differs among the tables of its title, in words."""
    same_title_tables = [other for other in tables if other.title == table.title]
    distinctions = [words(table) for words in _DISTINGUISHERS if len({words(other) for other in same_title_tables}) > 1]
    name, fingerprint = table.protocol.name, table.protocol.fingerprint
    if any(other.protocol.name == name and other.protocol.fingerprint != fingerprint for other in same_title_tables):
        distinctions.append(f"protocol's fingerprint {fingerprint[:6]}")
    return tuple(distinctions)


_DISTINGUISHERS: tuple[Callable[[QualityTable], str], ...] = (
    lambda table: f"protocol {table.protocol.name}",
    lambda table: f"{size_text(table.frame_size)} pixels" if table.frame_size else "frames of their own size",
    lambda table: f"{table.corpus.split} split",
    lambda table: f"corpus {table.corpus.fingerprint[:6]}",
)
"""Words for each part of a table's key that its title lacks; the protocol's fingerprint only where its name fails."""


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


def _belongs(failed_record: Record, group: list[tuple[Record, Quality]]) -> bool:
    """Whether a failed cell asked for what a table shows. Whatever a cell did not name fits everything."""
    cell = failed_record.cell
    presets = {record.cell.preset for record, quality in group if quality.system.kind == "model"} - {None}
    return (cell.preset is None or not presets or cell.preset in presets) and any(
        matches_request(cell.corpus, quality.corpus.name)
        # options are of a corpus: without its name there are none
        and (cell.corpus is None or cell.corpus_options == record.cell.corpus_options)
        and matches_request(cell.split, quality.corpus.split)
        and matches_request(cell.protocol, quality.protocol.name)
        and matches_request(cell.durations, quality.durations)
        for record, quality in group
    )


def _table(group: list[tuple[Record, Quality]], failures: list[Record], names: SystemNames) -> QualityTable:
    paper = load_paper()
    results = [result for _, result in group]
    first = results[0]
    paper_condition = paper.condition(first.corpus.name, first.durations)
    same_split = paper_condition is not None and _is_papers_split(first.corpus, paper_condition)
    condition = paper_condition if same_split else None
    titles = iter(labels([variant(record, names) for record in [*(record for record, _ in group), *failures]]))
    rows = [replace(_row(result, next(titles), condition), record=record.cell.key) for record, result in group]
    rows += [
        QualityRow(
            name=record.cell.system,
            label=next(titles),
            kind=names.kinds[record.cell.system],
            cells={},
            failure=record.failure,
            record=record.cell.key,
        )
        for record in failures
    ]
    rows = _without_other_losses(rows)
    rows.sort(key=lambda row: (row.kind == "control", names.place(row.name), row.label))
    table = QualityTable(
        title=f"{paper.corpora.get(first.corpus.name, first.corpus.name)}, {first.durations} durations",
        apart=(),
        corpus=first.corpus,
        durations=first.durations,
        protocol=first.protocol,
        frame_size=first.system.frame_size,
        speakers=len({clip.speaker for result in results for clip in result.clips} - {""}),
        metrics=list({metric.name: metric for result in results for metric in result.metrics}.values()),
        rows=rows,
        condition=condition,
        other_split=paper_condition is not None and not same_split,
        same_clips=len({frozenset(clip.utterance for clip in result.clips) for result in results}) == 1,
    )
    return _mark_best(table)


def _without_other_losses(rows: Sequence[QualityRow]) -> list[QualityRow]:
    """Of systems that some row trained as the paper did, the others have no value of the paper beside them."""
    matching_names = {row.name for row in rows if row.papers_losses}
    return [
        replace(row, entry=None, cells={name: replace(cell, paper=None) for name, cell in row.cells.items()})
        if row.name in matching_names and row.papers_losses is False
        else row
        for row in rows
    ]


def _is_papers_split(corpus: CorpusFacts, paper_condition: QualityCondition) -> bool:
    """Whether clips are of a test split that is drawn as the paper's, as far as the record tells."""
    option = split_option(corpus)
    return corpus.split == "test" and (
        None in (option, paper_condition.split_option) or option == paper_condition.split_option
    )


def _row(result: Quality, label: str, condition: QualityCondition | None) -> QualityRow:
    system = result.system
    entry = None
    if condition is not None and system.kind == "model":
        entry = condition.entry(system.name, system.training.recipe if system.training else None)
    together = {score.metric: score for score in result.corpus_scores}
    means = _means(result)
    cells = {
        metric.name: QualityCell(
            mean=means[metric.name],
            paper=entry.values.get(metric.name) if entry is not None else None,
            together=together.get(metric.name),
        )
        for metric in result.metrics
        if metric.name not in result.not_measured
    }
    return QualityRow(
        name=system.name,
        label=label,
        kind=system.kind,
        system=system,
        scores=result.clips,
        cells=cells,
        not_measured=result.not_measured,
        device=result.device,
        entry=entry,
        strip=result.strip,
        generated=result.generated,
        left_out=result.left_out,
    )


def _means(result: Quality) -> dict[str, Mean]:
    """Every metric over all clips: the one value that they have together, or the mean of their own."""
    together = {score.metric: score for score in result.corpus_scores}
    names = [metric.name for metric in result.metrics if metric.name not in together]
    values = np.array([[clip.values.get(name, math.nan) for clip in result.clips] for name in names])
    weights = np.array([[clip.weights.get(name, 1.0) for clip in result.clips] for name in names])
    shape = len(names), len(result.clips)
    speakers = [clip.speaker for clip in result.clips]
    means = means_by_cluster(values.reshape(shape), speakers, weights=weights.reshape(shape))
    return dict(zip(names, means, strict=True)) | {
        name: Mean(
            value=score.value,
            interval=None,
            reason=None,
            n=score.clips,
            missing=len(result.clips) - score.clips,
            clusters=score.clips,
            unit="clip",
        )
        for name, score in together.items()
    }


def _mark_best(table: QualityTable) -> QualityTable:
    """Mark the best model per metric, where models differ, and the controls above all."""
    best = {metric.name: {row.label for row in table.winners(metric)} for metric in table.metrics}
    above = {metric.name: {row.label for row in table.above_models(metric)} for metric in table.metrics}
    rows = []
    for row in table.rows:
        cells = {
            name: replace(cell, best=row.label in best[name], above_models=row.label in above[name])
            for name, cell in row.cells.items()
        }
        rows.append(replace(row, cells=cells))
    return replace(table, rows=rows)
