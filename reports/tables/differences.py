"""Which differences between the systems of a quality table are larger than chance."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from lipbench.records.quality import MetricFacts
from lipbench.reports.tables.metric_order import in_order
from lipbench.reports.tables.quality import QualityRow, QualityTable
from lipbench.statistics.paired import Difference, MetricScores, correct_family, paired_differences

MOTIONLESS_CONTROL = "first_frame"
"""The control that every model is compared with: it knows nothing that a model does not."""
REDUNDANT_METRICS = frozenset(
    {"lmd_centred", "length_error_share", "landmark_failure_preds", "landmark_failure_target"}
)
"""Metrics that say the same as another, or how often another could not be had: comparing them too would only make the
correction stricter."""


@dataclass(frozen=True, kw_only=True)
class DifferenceRow:
    """One pair of systems."""

    first: QualityRow
    second: QualityRow
    cells: dict[str, Difference]
    """Metric name to first minus second."""


@dataclass(frozen=True, kw_only=True)
class DifferenceTable:
    """All pairs of one quality table; p values are corrected over the whole of it."""

    metrics: list[MetricFacts]
    rows: list[DifferenceRow]

    @property
    def tested(self) -> bool:
        """Whether chance could have been ruled out for any of them."""
        return any(cell.p_holm is not None for row in self.rows for cell in row.cells.values())

    @property
    def family(self) -> int:
        """Differences that were tested together."""
        return sum(cell.p is not None for row in self.rows for cell in row.cells.values())

    def against(self, label: str, metric: str) -> dict[str, Difference]:
        """Every other model of a pair with the one of this label, with their difference in a metric."""
        difference_by_label: dict[str, Difference] = {}
        for row in self.rows:
            labels = (row.first.label, row.second.label)
            other = row.second if label == labels[0] else row.first
            if label in labels and other.kind == "model" and metric in row.cells:
                difference_by_label[other.label] = row.cells[metric]
        return difference_by_label


def difference_table(table: QualityTable) -> DifferenceTable | None:
    """Compare models with one another and with a mouth that never moves.

    Args:
        table: systems that were scored alike.

    Returns:
        The paired differences, or None if there is no pair of systems to compare.
    """
    still = [row for row in table.controls if row.name == MOTIONLESS_CONTROL]
    row_pairs = [*itertools.combinations(table.models, 2), *itertools.product(table.models, still)]
    metrics = [
        m
        for m in in_order(table.metrics)
        if m.per == "clip" and m.higher_is_better is not None and m.name not in REDUNDANT_METRICS
    ]
    metrics = [m for m in metrics if any(all(m.name in row.cells for row in pair) for pair in row_pairs)]
    pair_metrics = [
        (place, metric.name)
        for place, pair in enumerate(row_pairs)
        for metric in metrics
        if all(metric.name in row.cells for row in pair)
    ]
    if not pair_metrics:
        return None
    sides = {(row.label, metric.name): _side(row, metric.name) for row in table.rows for metric in metrics}
    pairs = [
        (sides[a.label, name], sides[b.label, name]) for place, name in pair_metrics for a, b in [row_pairs[place]]
    ]
    speakers = {clip.utterance: clip.speaker for row in table.rows for clip in row.scores}
    cells: list[dict[str, Difference]] = [{} for _ in row_pairs]
    for (place, name), difference in zip(
        pair_metrics, correct_family(paired_differences(pairs, speakers)), strict=True
    ):
        cells[place][name] = difference
    difference_rows = [DifferenceRow(first=a, second=b, cells=c) for (a, b), c in zip(row_pairs, cells, strict=True)]
    return DifferenceTable(metrics=metrics, rows=difference_rows)


def mark_ties(table: QualityTable, differences: DifferenceTable | None) -> QualityTable:
    """Mark the models that the paired test does not tell from the best, metric by metric.

    Args:
        table: systems that were scored alike.
        differences: of the table. Where they hold no test of a metric (one value of all clips, too few clips), no
            model is marked: a tie by eye is none.
    """
    if differences is None:
        return table
    tied_cells = {
        (label, metric.name)
        for metric in differences.metrics
        for best in table.winners(metric)
        for label, difference in differences.against(best.label, metric.name).items()
        if difference.p_holm is not None and not difference.significant
    }
    rows = [
        replace(
            row,
            cells={
                name: replace(cell, tied=not cell.best and (row.label, name) in tied_cells)
                for name, cell in row.cells.items()
            },
        )
        if row.kind == "model"
        else row
        for row in table.rows
    ]
    return replace(table, rows=rows)


def _side(row: QualityRow, metric: str) -> MetricScores:
    """Values and weights as the means of the table have them."""
    scored_clips = [clip for clip in row.scores if metric in clip.values]
    return MetricScores(
        {clip.utterance: clip.values[metric] for clip in scored_clips},
        {clip.utterance: clip.weights[metric] for clip in scored_clips if metric in clip.weights},
    )
