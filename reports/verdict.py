"""The first thing that a reader sees: what was measured, who is best, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.record import MetricFacts, Record
from reports.formatting import count, decimals_for, escaped, joined, milliseconds, number, size, times
from reports.latency_table import LatencyTable
from reports.paper import Paper
from reports.quality_table import QualityRow, QualityTable
from reports.quality_text import in_order
from reports.tables import Tables

HEADLINE = ("psnr", "ssim", "lmd", "fid", "aperture_correlation")
"""Metrics that are told of a model that has no rival."""


def verdict(tables: Tables, paper: Paper) -> list[str]:
    """Sentences made from the data, as markdown.

    Args:
        tables: of one run.
        paper: for the names of corpora.

    Returns:
        The best model per metric and quality table, the fastest per latency table, and where the controls stay below.
        Controls that do not are told by `findings`.
    """
    sentences = [sentence for table in tables.quality if (sentence := _best(table, paper))]
    sentences += [sentence for table in tables.latency if (sentence := _fastest(table))]
    return sentences + _unbeaten(tables, paper)


def _unbeaten(tables: Tables, paper: Paper) -> list[str]:
    """That the controls stay below, with the metrics by which they were compared at all."""
    compared: dict[str, list[str]] = {}
    for table in tables.quality:
        titles = [escaped(metric.title) for metric in table.metrics if table.rivals(metric)]
        if titles and table.finding() is None:
            compared.setdefault(joined(titles), []).append(place(table, paper))
    return [
        f"No control beats every model on any metric compared: {titles} ({'; '.join(places)})."
        for titles, places in compared.items()
    ]


def findings(tables: Tables, paper: Paper) -> list[str]:
    """That controls beat every model, each sentence once with the tables it is true of, as markdown."""
    found: dict[str, list[str]] = {}
    for table in tables.quality:
        finding = table.finding()
        if finding:
            found.setdefault(finding, []).append(place(table, paper))
    return [f"{escaped(finding[:-1])} ({'; '.join(places)})." for finding, places in found.items()]


def place(table: QualityTable, paper: Paper) -> str:
    """Name of a quality table's condition, such as "GRID, predicted durations"."""
    corpus = escaped(paper.corpora.get(table.corpus.name, table.corpus.name))
    return f"{corpus}, {table.durations} durations"


def coverage(records: Sequence[Record]) -> str:
    """How many cells were measured, and how many failed, as one sentence of markdown."""
    failed = sum(record.status == "failed" for record in records)
    measured = len(records) - failed
    parts = []
    for kind in ("quality", "latency"):
        number_of = sum(record.status == "measured" and record.cell.kind == kind for record in records)
        if number_of:
            parts.append(f"{number_of} of {kind}")
    text = f"**{count(measured, 'cell')} measured**" + (f" ({joined(parts)})" if parts else "")
    return f"{text}, **{failed} failed**." if failed else f"{text}, none failed."


def _fastest(table: LatencyTable) -> str | None:
    found = table.fastest()
    if found is None:
        return None
    length, row = found
    cell = row.measured[length]
    facts = [
        table.device.upper(),
        table.dtype,
        f"batch {table.batch}",
        f"preset {table.preset}" if table.preset else "",
    ]
    asked = escaped(", ".join(fact for fact in facts if fact))
    where = f"{count(length, 'frame')} on {escaped(table.hardware)} ({asked})"
    models = [r for r in table.rows if r.kind == "model" and length in r.measured]
    name = f"**{escaped(row.label)}**"
    claim = f"{name} is the fastest of {len(models)} models" if len(models) > 1 else f"{name} is the only model timed"
    text = f"{claim}: {milliseconds(cell.wall.median)} ms for {where}"
    if cell.speedup is not None and row.label != table.baseline:
        text += f", {times(cell.speedup.value)} as fast as {escaped(table.baseline)}"
    return f"{text}."


def _best(table: QualityTable, paper: Paper) -> str | None:
    models = table.models
    if not models:
        return None
    if all(row.untrained for row in models):
        return f"On {place(table, paper)}: no model was trained, so its quality numbers are of random weights."
    if len(models) == 1:
        return _alone(models[0], table, paper)
    by_winner: dict[str, list[str]] = {}
    close: list[str] = []
    for metric in table.metrics:
        best = table.best(metric)
        if not best:
            continue
        title = escaped(metric.title)
        by_winner.setdefault(joined(row.label for row in best), []).append(title)
        if len(best) == 1 and _overlaps(table, metric, best[0]):
            close.append(title)
    if not by_winner:
        return None
    claims = "; ".join(f"**{escaped(winner)}** by {joined(titles)}" for winner, titles in by_winner.items())
    doubt = f" (intervals overlap with another model's on {joined(close)})" if close else ""
    return f"Best on {place(table, paper)}: {claims}{doubt}."


def _alone(model: QualityRow, table: QualityTable, paper: Paper) -> str | None:
    """What the only model scores on what readers look for first."""
    told = [
        f"{escaped(metric.title)} {number(mean.value, decimals_for([mean.value]))} {escaped(metric.unit)}".rstrip()
        for metric in in_order(table.metrics)
        if metric.name in HEADLINE and metric.name in model.cells
        for mean in [model.cells[metric.name].mean]
    ]
    return f"On {place(table, paper)}, **{escaped(model.label)}** has {joined(told)}." if told else None


def _overlaps(table: QualityTable, metric: MetricFacts, best: QualityRow) -> bool:
    """Whether the best model's interval meets another model's."""
    own = best.cells[metric.name].mean.interval
    others = [
        row.cells[metric.name].mean.interval for row in table.models if row is not best and metric.name in row.cells
    ]
    return own is not None and any(o is not None and o.low <= own.high and own.low <= o.high for o in others)


def sizes(tables: Tables, paper: Paper) -> str | None:
    """One sentence if the run's frames are not of the paper's size."""
    found = {table.frame_size for table in tables.quality if table.frame_size}
    found |= {frame_size for table in tables.latency for frame_size in table.frame_sizes}
    other = sorted(found - {paper.frame_size})
    if not other:
        return None
    shown = joined(size(frame_size) for frame_size in other)
    pixels = paper.frame_size[0] * paper.frame_size[1]
    share = joined(number(height * width / pixels, 2) for height, width in other)
    subject = "Some frames" if paper.frame_size in found else "Frames"
    return f"{subject} here have {shown} pixels, {share} times the area of the paper's {size(paper.frame_size)}."
