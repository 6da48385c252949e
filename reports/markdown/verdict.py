"""The first thing that a reader sees: what was measured, who is best, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from lipbench.records.quality import MetricFacts
from lipbench.records.record import Record
from lipbench.reports.formatting import (
    count,
    decimals_for,
    escape,
    join_words,
    milliseconds,
    number,
    ratio_text,
    size_text,
)
from lipbench.reports.paper import load_paper
from lipbench.reports.tables.differences import DifferenceTable
from lipbench.reports.tables.latency import LatencyTable
from lipbench.reports.tables.make import Tables
from lipbench.reports.tables.metric_order import in_order
from lipbench.reports.tables.quality import QualityRow, QualityTable

HEADLINE = ("psnr", "ssim", "lmd", "fid", "aperture_correlation")
"""Metrics that the verdict gives for a single model."""
KINDS = {"natural": "latency at natural lengths"}
"""What a kind of cell is called where its own name does not say it."""


def verdict(tables: Tables) -> list[str]:
    """Sentences made from the data, as markdown.

    Args:
        tables: of one run.

    Returns:
        The best model per metric and quality table, the fastest per latency table, and where the controls stay below.
        Controls that do not are told by `findings`.
    """
    sentences = [
        sentence
        for table, differences in zip(tables.quality, tables.differences, strict=True)
        if (sentence := _best(table, differences))
    ]
    sentences += [sentence for table in tables.latency if (sentence := _fastest(table))]
    return sentences + _controls_below_sentence(tables)


def _title_in_list(metric: MetricFacts) -> str:
    """A metric's title as it can stand in a list of several: "LMD, centred" would look like two."""
    name, _, more = metric.title.partition(", ")
    return escape(f"{name} ({more})" if more else name)


def _controls_below_sentence(tables: Tables) -> list[str]:
    """That the controls stay below, with the metrics by which they were compared at all."""
    places_by_metrics: dict[str, list[str]] = {}
    for table in tables.quality:
        titles = [_title_in_list(metric) for metric in table.metrics if table.rivals(metric)]
        if titles and table.finding() is None:
            places_by_metrics.setdefault(join_words(titles), []).append(escape(table.place))
    return [
        f"No control beats every model on any metric compared: {titles} ({'; '.join(places)})."
        for titles, places in places_by_metrics.items()
    ]


def findings(tables: Tables) -> list[str]:
    """That controls beat every model, each sentence once with the tables it is true of, as markdown."""
    places_by_finding: dict[str, list[str]] = {}
    for table in tables.quality:
        finding = table.finding()
        if finding:
            places_by_finding.setdefault(finding, []).append(escape(table.place))
    return [f"{escape(finding[:-1])} ({'; '.join(places)})." for finding, places in places_by_finding.items()]


def coverage(records: Sequence[Record]) -> str:
    """How many cells were measured, how many failed, and how many were not tried, as one sentence of markdown."""
    n_failed, n_not_attempted = (
        sum(record.status == status for record in records) for status in ("failed", "not_attempted")
    )
    n_measured = len(records) - n_failed - n_not_attempted
    parts = []
    for kind in ("quality", "latency", "natural"):
        number_of = sum(record.status == "measured" and record.cell.kind == kind for record in records)
        if number_of:
            parts.append(f"{number_of} of {KINDS.get(kind, kind)}")
    text = f"**{count(n_measured, 'cell')} measured**" + (f" ({join_words(parts)})" if parts else "")
    text += f", **{n_failed} failed**" if n_failed else ", none failed"
    return f"{text}, {n_not_attempted} not attempted." if n_not_attempted else f"{text}."


def _fastest(table: LatencyTable) -> str | None:
    fastest_row = table.fastest()
    if fastest_row is None:
        return None
    length, row = fastest_row
    cell = row.measured[length]
    facts = [
        table.device.upper(),
        table.dtype,
        f"batch {table.batch}",
        f"preset {table.preset}" if table.preset else "",
    ]
    condition_text = escape(", ".join(fact for fact in facts if fact))
    work_text = f"{count(length, 'frame')} on {escape(table.hardware)} ({condition_text})"
    models = [r for r in table.rows if r.kind == "model" and length in r.measured]
    name = f"**{escape(row.label)}**"
    claim = f"{name} is the fastest of {len(models)} models" if len(models) > 1 else f"{name} is the only model timed"
    text = f"{claim}: {milliseconds(cell.wall.median)} ms for {work_text}"
    if cell.speedup is not None and row.label != table.baseline:
        text += f", {ratio_text(cell.speedup.value)} as fast as {escape(table.baseline)}"
    return f"{text}."


def _best(table: QualityTable, differences: DifferenceTable | None) -> str | None:
    models = table.models
    if not models:
        return None
    if all(row.untrained for row in models):
        return f"On {escape(table.place)}: no model was trained, so its quality numbers are of random weights."
    if len(models) == 1:
        return _single_model_sentence(models[0], table)
    by_winner: dict[str, list[str]] = {}
    close: dict[str, list[str]] = {}
    for metric in table.metrics:
        best = table.winners(metric)
        if not best:
            continue
        title = _title_in_list(metric)
        by_winner.setdefault(join_words(row.label for row in best), []).append(title)
        tied_labels = [row.label for row in table.models if metric.name in row.cells and row.cells[metric.name].tied]
        if tied_labels:
            close.setdefault(join_words(tied_labels), []).append(title)
    if not by_winner:
        return None
    claims = "; ".join(f"**{escape(winner)}** by {join_words(titles)}" for winner, titles in by_winner.items())
    ties = join_words(f"{escape(labels)} on {join_words(titles)}" for labels, titles in close.items())
    doubt = f" (tied by the paired test: {ties})" if ties else ""
    if differences is None or not differences.tested:
        doubt = " (too few clips or speakers to test whether chance explains it)"
    return f"Best on {escape(table.place)}: {claims}{doubt}."


def _single_model_sentence(model: QualityRow, table: QualityTable) -> str | None:
    """What the only model scores on what readers look for first."""
    score_texts = [
        f"{escape(metric.title)} {number(mean.value, decimals_for([mean.value]))} {escape(metric.unit)}".rstrip()
        for metric in in_order(table.metrics)
        if metric.name in HEADLINE and metric.name in model.cells
        for mean in [model.cells[metric.name].mean]
    ]
    return (
        f"On {escape(table.place)}, **{escape(model.label)}** has {join_words(score_texts)}." if score_texts else None
    )


def sizes(tables: Tables) -> str | None:
    """One sentence if the run's frames are not of the paper's size."""
    paper = load_paper()
    frame_sizes = {table.frame_size for table in tables.quality if table.frame_size}
    frame_sizes |= {frame_size for table in tables.latency for frame_size in table.frame_sizes}
    foreign_sizes = sorted(frame_sizes - {paper.frame_size})
    if not foreign_sizes:
        return None
    size_list = join_words(size_text(frame_size) for frame_size in foreign_sizes)
    pixels = paper.frame_size[0] * paper.frame_size[1]
    share = join_words(number(height * width / pixels, 2) for height, width in foreign_sizes)
    subject = "Some frames" if paper.frame_size in frame_sizes else "Frames"
    return (
        f"{subject} here have {size_list} pixels, {share} times the area of the paper's {size_text(paper.frame_size)}."
    )
