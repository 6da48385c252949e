"""What must be said beneath a table so that its numbers are read for what they are."""

from __future__ import annotations

from reports.formatting import count, decimals_for, escaped, joined, number, size
from reports.latency_table import LatencyTable
from reports.paper import Paper, QualityCondition
from reports.quality_table import QualityTable
from reports.statistics import MIN_CLUSTERS, MIN_LENGTHS, MIN_SAMPLES, TOO_SMALL


def incomparable(frame_size: tuple[int, int] | None, paper: Paper) -> str | None:
    """Why paper values cannot be compared in absolute terms, or None if frames have the paper's size."""
    if frame_size == paper.frame_size:
        return None
    here = f"{size(frame_size)} pixels here" if frame_size else "the frame size here is not recorded"
    return f"not comparable in absolute terms: {here}, {size(paper.frame_size)} in the paper"


def quality_notes(table: QualityTable, paper: Paper) -> list[str]:
    """Notes under a quality table, as markdown."""
    notes = [*_paper_notes(table, paper), _interval_note(table)]
    untrained = [row.label for row in table.models if row.untrained]
    if untrained:
        notes.append(f"Untrained, so these numbers are of random weights: {escaped(joined(untrained))}.")
    if not table.same_clips:
        notes.append("The rows were scored on different sets of clips: differences between them are partly that.")
    if not table.controls:
        notes.append("No control was measured in this condition: nothing shows what a motionless mouth would score.")
    if any(metric.higher_is_better is None for metric in table.metrics):
        notes.append("↔: the best value lies in between, so none is marked.")
    return notes


def _paper_notes(table: QualityTable, paper: Paper) -> list[str]:
    condition = table.condition
    if condition is None or not table.shows_paper:
        known = table.corpus.name in paper.corpora and table.corpus.split != "test"
        return [f"The paper's values are for the test split, this is {escaped(table.corpus.split)}."] if known else []
    notes = [
        f"*Paper*: {condition.source}, with ours minus the paper's in brackets. {condition.remark} "
        "The paper does not state its metric protocol."
    ]
    reason = incomparable(table.frame_size, paper)
    if reason:
        notes.append(f"**Paper values are {reason}.**")
    others = _other_variants(table, condition)
    return [*notes, others] if others else notes


def _other_variants(table: QualityTable, condition: QualityCondition) -> str | None:
    """The paper's variants that found no place in a row."""
    others = [row for row in condition.rows if row.variant is not None and row.variant != condition.beside]
    if not others:
        return None
    metrics = [metric for metric in table.metrics if any(metric.name in row.values for row in others)]
    texts = []
    for row in others:
        values = [
            f"{metric.title} {number(row.values[metric.name], decimals_for([row.values[metric.name]]))}"
            for metric in metrics
            if metric.name in row.values
        ]
        texts.append(f"{row.variant}: {', '.join(values)}")
    return f"{condition.source} also has {escaped('; '.join(texts))}."


def _interval_note(table: QualityTable) -> str:
    means = [cell.mean for row in table.rows for cell in row.cells.values()]
    units = {mean.unit for mean in means}
    note = f"[ ]: 95 % bootstrap interval of the mean over clips, resampled by {joined(sorted(units)) or 'clip'}"
    if units == {"clip"}:
        note += " because there is one speaker, so it says nothing about others"
    small = sorted({mean.reason for mean in means if mean.reason and mean.reason.startswith(TOO_SMALL)})
    if small:
        note += f"; not given for fewer than {MIN_CLUSTERS} ({joined(small)})"
    return f"{note}."


def latency_notes(table: LatencyTable, paper: Paper) -> list[str]:
    """Notes under a latency table, as markdown."""
    notes = [
        "Median wall time of a call, from before it to after the device has finished. [ ]: 95 % interval of the median "
        f"from order statistics (at least {MIN_SAMPLES} calls). RTF: latency over the clip's own duration at "
        f"{joined(f'{fps:g}' for fps in table.fps)} fps; below 1 is faster than real time."
    ]
    if any(row.line is not None for row in table.rows):
        notes.append(
            f"Fit: least squares through the medians, a + b L, with 95 % t intervals (at least {MIN_LENGTHS} lengths)."
        )
    if table.shows_paper:
        notes.append(f"*Paper*: Table 3, measured on {paper.hardware}. {paper.latency_remark}")
        reasons = {incomparable(frame_size, paper) for frame_size in table.frame_sizes or {None}} - {None}
        notes += [f"**Paper values are {reason}.**" for reason in sorted(filter(None, reasons))]
    unsettled = sum(not cell.settled for row in table.rows for cell in row.measured.values())
    if unsettled:
        notes.append(f"{count(unsettled, 'cell')} had not settled when the warm-up ended at its limit: read with care.")
    if not any(cell.speedup for row in table.rows for cell in row.measured.values()):
        notes.append(f"No speed-up is given: {escaped(table.baseline)} was not measured here.")
    return notes
