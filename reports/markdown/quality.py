"""The part on quality: each table in several parts, what a length rule did, and which differences are no chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median_high

from lipbench.records.quality import CorpusFacts, CorpusScore, MetricFacts, group_by_reason
from lipbench.reports.files import slug
from lipbench.reports.formatting import (
    code,
    count,
    decimals_for,
    decimals_within,
    escape,
    interval_text,
    join_words,
    number,
    paper_number,
    range_text,
    signed,
    significant_digits,
    size_text,
)
from lipbench.reports.markdown.cells import Column, Mark, Row, Span, Table, TableCell, Text, failed_cell, metric_column
from lipbench.reports.markdown.data import ReportData
from lipbench.reports.markdown.length_rule import length_table
from lipbench.reports.markdown.quality_notes import quality_notes
from lipbench.reports.markdown.section import DataFile, Part, Section, with_shared_notes
from lipbench.reports.tables.csv import quality_frame
from lipbench.reports.tables.differences import DifferenceRow, DifferenceTable
from lipbench.reports.tables.metric_order import PARTS, in_order
from lipbench.reports.tables.quality import QualityCell, QualityRow, QualityTable
from lipbench.statistics.intervals import TOO_SMALL
from lipbench.statistics.paired import ALPHA, POWER, Difference

OTHER_METRICS = "Other metrics"
"""Title of the part with all others."""
NAMES_SHOWN = 10
"""So many clips that were left out are named; the record has them all."""
MINUS = " − "
"""Between the two sides in a difference's title."""
NOT_TESTED = "not tested"


def quality_part(data: ReportData) -> Part | None:
    """Every quality table with what belongs to it."""
    pairs = zip(data.tables.quality, data.tables.differences, strict=True)
    return with_shared_notes("Quality", [quality_section(i, *pair) for i, pair in enumerate(pairs, 1)])


def quality_section(index: int, table: QualityTable, paired_differences: DifferenceTable | None) -> Section:
    """One quality table with its notes and its differences."""
    frames = f"frames of {size_text(table.frame_size)} pixels" if table.frame_size else "frame size not recorded"
    devices = sorted({row.device for row in table.models if row.device})
    speakers = count(table.speakers, "speaker") if table.speakers else "speakers not known"
    facts = [
        f"{escape(table.corpus.split)} split, {speakers}",
        frames,
        f"generated on {join_words(device.upper() for device in devices)}" if devices else "",
        f"protocol **{escape(table.protocol.name)}** {code(table.protocol.fingerprint[:12])}",
    ]
    # where every n is too small, the table above says all that can be said
    differences = paired_differences if paired_differences is not None and paired_differences.family else None
    notes = [*quality_notes(table), *left_out_notes(table), *not_measured_notes(table)]
    name = slug(str(index), table.corpus.name, table.durations, table.protocol.name)
    return Section(
        kind="quality",
        title=table.place,
        text=["; ".join(fact for fact in facts if fact)],
        tables=[*metric_tables(table), *([differences_table(differences)] if differences else [])],
        notes=[*notes, difference_note(differences)] if differences else notes,
        csv=DataFile(f"tables/quality-{name}.csv", quality_frame(table)),
    )


def metric_tables(table: QualityTable) -> list[Table]:
    """A quality table for reading: models, then controls, in as many parts as its metrics need.

    Metrics that no row has a value of are left out: `not_measured_notes` says why. What the length rule did to the
    models is the last part, where it did anything.
    """
    found = [metric for metric in table.metrics if any(metric.name in row.cells for row in table.rows)]
    of_part = {title: [m for m in in_order(found) if m.name in names] for title, names in PARTS.items()}
    placed = {metric.name for metrics in of_part.values() for metric in metrics}
    of_part[OTHER_METRICS] = [metric for metric in found if metric.name not in placed]
    first = next(iter(PARTS))
    # a run that measured none of the paper's metrics, or in which all failed, still has its rows
    parts = [_part(title, metrics, table) for title, metrics in of_part.items() if metrics or title == first]
    lengths = length_table(table)
    return parts if lengths is None else [*parts, lengths]


def _part(title: str, metrics: Sequence[MetricFacts], table: QualityTable) -> Table:
    is_first = title == next(iter(PARTS))
    columns = (Column(title, left=True), *map(metric_column, metrics), *([Column("Clips")] if is_first else []))
    decimals = {metric.name: _metric_decimals(table, metric) for metric in metrics}
    rows = [_row(row, table.corpus, decimals, is_first=is_first) for row in table.rows if is_first or not row.failure]
    return Table(columns, tuple(rows))


def _row(row: QualityRow, corpus: CorpusFacts, decimals: dict[str, int], *, is_first: bool) -> Row:
    cells = [TableCell(row.label, lines=tuple(_facts(row, corpus)) if is_first else ())]
    if row.failure is not None:
        cells.append(failed_cell(row.failure))
    else:
        cells += [_metric_cell(row.cells.get(metric), places) for metric, places in decimals.items()]
        if is_first:
            clips = f"{row.clips} of {row.clips + len(row.left_out)}" if row.left_out else str(row.clips)
            cells.append(TableCell(clips, row.clips))
    return Row(tuple(cells), record=row.record, control=row.kind == "control")


def _metric_decimals(table: QualityTable, metric: MetricFacts) -> int:
    cells = [row.cells[metric.name] for row in table.rows if metric.name in row.cells]
    least = decimals_for(value for cell in cells for value in (cell.mean.value, float(cell.paper or 0)))
    # one number of decimals for a column, so that it can be read down: what the interval of a middling model needs
    means = [row.cells[metric.name].mean for row in table.models if metric.name in row.cells]
    needs = [decimals_within(mean.value, mean.interval, least) for mean in means if mean.interval is not None]
    return max(least, median_high(needs)) if needs else least


def _facts(row: QualityRow, corpus: CorpusFacts) -> Iterator[Text]:
    """What a reader must know of a model before its numbers, line by line."""
    if row.system is None or row.kind == "control":
        return
    system, training = row.system, row.system.training
    parts: list[str | Span] = [Span("untrained", "strong")] if row.untrained else []
    parts += ["from video files"] if system.videos else []
    parts += [f"{name}=true" for name in ("resize", "ignore_rates") if system.videos and system.options.get(name)]
    parts += [f"{number(training.steps, 0)} steps"] if training else []
    parts += [f"{number(system.parameters / 1e6, 1)} M parameters"] if system.parameters else []
    if parts:
        yield tuple(piece for part in parts for piece in (", ", part))[1:]
    if training is not None and training.corpus != corpus.name:
        yield Span(f"trained on {training.corpus}", "strong")
    elif training is not None and training.corpus_fingerprint != corpus.fingerprint:
        yield (
            Span(f"trained on another {training.corpus}", "strong"),
            " ",
            Span(training.corpus_fingerprint[:8], "code"),
        )


def _metric_cell(cell: QualityCell | None, decimals: int) -> TableCell:
    if cell is None:
        return TableCell()
    mean = cell.mean
    # the value says itself that it is not finite, and a note under the table says where n is too small
    reason = None if mean.reason and mean.reason.startswith(("not finite", TOO_SMALL)) else mean.reason
    # a control that scores every clip alike needs no interval of no width
    interval = interval_text(
        mean.interval if mean.interval and mean.interval.low < mean.interval.high else None, decimals
    )
    lines: list[Text] = [] if interval or not reason else [reason]
    lines += [f"{mean.n} of {mean.n + mean.missing} clips"] if mean.missing else []
    lines += _corpus_score_notes(cell.together, decimals) if cell.together else []
    if cell.paper is not None and cell.difference is not None:
        lines.append(Span(f"paper {paper_number(cell.paper)} ({signed(cell.difference, decimals)})", "em"))
    lines += [Span("beats every model", "strong")] if cell.above_models else []
    return TableCell(
        number(mean.value, decimals), mean.value, mark=mark(cell), interval=interval or "", lines=tuple(lines)
    )


def mark(cell: QualityCell) -> Mark | None:
    """Best of its column, or tied with that."""
    return "best" if cell.best else "tied" if cell.tied else None


def _corpus_score_notes(score: CorpusScore, decimals: int) -> Iterator[str]:
    """What a reader must know of a distance between corpora: its floor, and the frames that are not in it."""
    if score.floor is not None:
        yield f"floor {number(score.floor, decimals)}"
    if score.failed_frames or score.real_failed_frames:
        yield f"without {score.failed_frames} generated and {score.real_failed_frames} real frames, nothing found"


def not_measured_notes(table: QualityTable) -> list[str]:
    """Why metrics that were asked for have no value, each reason once with its metrics."""
    titles = {metric.name: metric.title for metric in table.metrics}
    reasons: dict[str, dict[str, None]] = {}
    measured_metrics = {name for row in table.rows for name in row.cells}
    for row in table.rows:
        for name, reason in row.not_measured.items():
            # a control has no timing of its own where models have: no news
            if name not in measured_metrics or row.kind == "model":
                reasons.setdefault(reason, {})[titles[name]] = None
    return [f"Not measured: {escape(join_words(names))} ({escape(reason)})." for reason, names in reasons.items()]


def left_out_notes(table: QualityTable) -> list[str]:
    """Which clips of which row were not scored, and why."""
    notes: list[str] = []
    for row in table.rows:
        if row.left_out:
            parts = [
                f"{len(names)} as {reason} ({_first_names(names)})"
                for reason, names in group_by_reason(row.left_out).items()
            ]
            total = count(row.clips + len(row.left_out), "clip")
            notes.append(
                f"Left out of {escape(row.label)}: {len(row.left_out)} of {total}: {escape('; '.join(parts))}."
            )
    return notes


def _first_names(names: Sequence[str]) -> str:
    first_names = ", ".join(names[:NAMES_SHOWN])
    return (
        f"{first_names} and {len(names) - NAMES_SHOWN} more, see the record"
        if len(names) > NAMES_SHOWN
        else first_names
    )


def differences_table(table: DifferenceTable) -> Table:
    """The differences for reading: one row per pair, whose names lead to the records of both."""
    decimals = {
        # of small differences their intervals say how many more
        metric.name: min(
            3, decimals_for(row.cells[metric.name].value for row in table.rows if metric.name in row.cells)
        )
        for metric in table.metrics
    }
    rows = [
        Row((_pair(row), *(_difference_cell(row.cells.get(name), places) for name, places in decimals.items())))
        for row in table.rows
    ]
    return Table((Column("Difference", left=True), *map(metric_column, table.metrics)), tuple(rows))


def _pair(row: DifferenceRow) -> TableCell:
    first, second = (Span(side.label, record=side.record) for side in (row.first, row.second))
    return TableCell((first, MINUS, second))


def _difference_cell(one: Difference | None, decimals: int) -> TableCell:
    if one is None or one.n == 0:
        return TableCell()
    decimals = decimals_within(one.value, one.interval, decimals)
    around = one.interval
    lines: list[Text] = []
    if one.p_holm is None:
        lines.append(TOO_SMALL if one.p is None else NOT_TESTED)
    else:
        p = "< 0.001" if one.p_holm < 0.001 else f"= {significant_digits(one.p_holm)}"
        lines += [f"p {p}", f"detectable {'–' if one.detectable is None else number(one.detectable, decimals)}"]
    lines += [f"{one.n} clips, {one.left_out} on one side only"] if one.left_out else []
    return TableCell(
        signed(one.value, decimals),
        one.value,
        mark="significant" if one.significant else None,
        interval=range_text(signed(around.low, decimals), signed(around.high, decimals)) if around else "",
        lines=tuple(lines),
    )


def difference_note(table: DifferenceTable) -> str:
    """What the differences are, as one note of markdown."""
    units = {cell.unit for row in table.rows for cell in row.cells.values()}
    flip_unit = " and ".join(sorted(units))
    introduction = (
        "Differences are paired: first minus second on the same clips; arrows as above, so above 0 the first is better "
        "where more is better (↑), and worse where less is (↓). [ ]: 95 % bootstrap interval"
    )
    if not table.tested:
        return (
            f"{introduction} by {flip_unit}. None was tested: of {table.family} differences at once none could have "
            "had a "
            f"Holm-corrected p below {ALPHA:g}, with so few {flip_unit}s or resamples."
        )
    return (
        f"{introduction} by {flip_unit}. "
        f"p: sign-flip test by {flip_unit}, Holm-corrected over the {table.family} differences of the table; bold "
        "below "
        f"{ALPHA:g}. Detectable: the smallest true difference that a test of this n finds {POWER:.0%} of the time."
    )
