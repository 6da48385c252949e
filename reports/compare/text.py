"""A comparison of two runs as a report, as lines for a terminal, and as data frames for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from lipbench.reports.compare.changes import MetricChange, QualityComparison, TimeComparison
from lipbench.reports.compare.runs import ComparedRun, RunComparison
from lipbench.reports.formatting import (
    count,
    decimals_for,
    escape,
    join_words,
    milliseconds,
    number,
    range_text,
    ratio_text,
    shorten,
    signed,
    significant_digits,
)
from lipbench.reports.markdown.cells import Column, Row, Table, TableCell, Text, listing, metric_column, number_cell
from lipbench.reports.markdown.console import table_lines
from lipbench.reports.markdown.provenance import trace
from lipbench.reports.markdown.render import render_markdown
from lipbench.reports.markdown.section import Part, Report, Section

NOTES = (
    "Quality: means over the clips that both runs scored, weighted by their protocol. B − A: paired, clip by clip, "
    "with its 95 % bootstrap interval by speaker (by clip where there is one). p: sign-flip test, Holm-corrected over "
    "all metrics of this comparison that changed; better and worse are said below 0.05 only.",
    "Latency: B / A of medians, of real utterances of sums over the same ones, with a 95 % bootstrap interval over "
    "calls or utterances. It covers the scatter within each run, not what happens from run to run: the same code "
    "timed twice can differ by more, and the intervals are not corrected for their number. lipbench gate alternates "
    "the two and decides.",
)
"""What a reader must know."""
OMISSION_ORDER = {
    "recipes": "options and training recipes",
    "identical": "metrics that are identical",
    "natural": "times of real utterances",
    "latency": "latency",
    "quality": "quality",
    "not compared": "cells not compared",
    "provenance": "provenance",
}
COMPARISON_HINT = "lipbench compare A B out=DIR writes it all."


def markdown(comparison: RunComparison, *, limit: int | None = None) -> str:
    """The comparison for reading, the verdict first and the provenance of both runs last; records' words are escaped.

    Args:
        comparison: what was compared.
        limit: most bytes of UTF-8; sections are dropped in the order of `OMISSION_ORDER`. None: nothing is dropped.
    """
    opening = {
        "": comparison_verdict(comparison),
        "The runs:": [describe_run(name, side) for name, side in named_runs(comparison)],
        "**The runs are not alike:**": comparison.caveats,
        "How to read it:": NOTES,
    }
    report = Report(
        title="Comparison of two runs",
        lists=[(intro, list(map(escape, points))) for intro, points in opening.items()],
        parts=[
            *parts(comparison),
            *(trace(f"Provenance of {name}", side.records) for name, side in named_runs(comparison)),
        ],
    )
    return render_markdown(report, OMISSION_ORDER, limit=limit, in_full=COMPARISON_HINT)


def comparison_verdict(comparison: RunComparison) -> list[str]:
    """The result in plain sentences."""
    sentences: list[str] = []
    changes = [change for pair in comparison.quality for change in pair.changes]
    if changes:
        words = Counter(change.word for change in changes)
        counts_text = join_words(f"{n} {word}" for word, n in words.most_common())
        sentences.append(
            f"{count(len(changes), 'metric')} of {count(len(comparison.quality), 'cell')} of quality: {counts_text}."
        )
        for word in ("worse", "better"):
            cell_names = [
                f"{c.metric.title} of {pair.place}"
                for pair in comparison.quality
                for c in pair.changes
                if c.word == word
            ]
            if cell_names:
                more = f" and {len(cell_names) - 5} more" if len(cell_names) > 5 else ""
                sentences.append(f"B is {word} than A in {'; '.join(cell_names[:5])}{more}.")
    for title, pairs in (("latency", comparison.latency), ("real utterances timed", comparison.natural)):
        if pairs:
            words = Counter(pair.word for pair in pairs)
            counts_text = join_words(f"{n} {word}" for word, n in words.most_common())
            sentences.append(f"{count(len(pairs), 'cell')} of {title}: {counts_text} in B.")
    if comparison.not_compared:
        sentences.append(f"{count(len(comparison.not_compared), 'cell')} not compared.")
    return sentences


def parts(found: RunComparison) -> list[Part]:
    """Everything that was compared, and what was not, a table each."""
    made = [_quality(pair) for pair in found.quality if any(not change.identical for change in pair.changes)]
    same = [(pair.place, _identical(pair)) for pair in found.quality if any(c.identical for c in pair.changes)]
    made += [_part("identical", "Identical in every clip", listing(("Cell", "Metrics"), same))] if same else []
    timed = (
        ("latency", "Latency", found.latency),
        ("natural", "Real utterances at the lengths that models choose", found.natural),
    )
    made += [_part(kind, title, _times(pairs)) for kind, title, pairs in timed if pairs]
    unread = [(f"{name}: {one.name}", one.problem) for name, side in named_runs(found) for one in side.unread]
    rows: list[tuple[Text, ...]] = [(place, shorten(reason, 300)) for place, reason in (*found.not_compared, *unread)]
    return [*made, _part("not compared", "Not compared", listing(("Cell", "Why"), rows))] if rows else made


def _part(kind: str, title: str, table: Table) -> Part:
    return Part(title=title, sections=[Section(kind=kind, tables=[table])])


def named_runs(comparison: RunComparison) -> list[tuple[str, ComparedRun]]:
    """Both runs with their names."""
    return [("A", comparison.a), ("B", comparison.b)]


def _quality(pair: QualityComparison) -> Part:
    name, _, fingerprint = pair.protocol.rpartition(" ")
    title = f"{pair.place}; protocol {name} {fingerprint[:12]}"
    title += f"; {count(pair.only_one, 'clip')} in one run only" if pair.only_one else ""
    numbers = map(Column, ("A", "B", "B − A", "95 %", "p", "Clips"))
    rows = tuple(_metric(change) for change in pair.changes if not change.identical)
    columns = (Column("Metric", left=True), *numbers, Column("Finding", left=True))
    return _part("quality", title, Table(columns, rows))


def _identical(pair: QualityComparison) -> str:
    identical_titles = [change.metric.title for change in pair.changes if change.identical]
    clips = max((c.difference.n for c in pair.changes if c.difference), default=0)
    metrics_text = (
        f"all {len(identical_titles)}" if len(identical_titles) == len(pair.changes) else join_words(identical_titles)
    )
    return f"{metrics_text} ({count(clips, 'clip')})"


def _metric(change: MetricChange) -> Row:
    difference, column = change.difference, metric_column(change.metric)
    decimals = decimals_for([change.a, change.b])
    apart = difference.value if difference else change.b - change.a
    # one digit finer, of a difference that is small beside the values
    cells = [
        TableCell(f"{column.head} {column.unit}".rstrip()),
        *(TableCell(number(value, decimals), value) for value in (change.a, change.b)),
        TableCell(signed(apart, decimals + 1), apart),
    ]
    interval, p = (difference.interval, difference.p_holm) if difference else (None, None)
    cells += [
        TableCell(range_text(signed(interval.low, decimals + 1), signed(interval.high, decimals + 1)))
        if interval
        else TableCell(),
        number_cell(p, lambda value: "< 0.001" if value < 0.001 else significant_digits(value)),
        TableCell(str(difference.n), difference.n) if difference else TableCell(),
        TableCell(change.word),
    ]
    return Row(tuple(cells))


def _times(pairs: Sequence[TimeComparison]) -> Table:
    numbers = map(Column, ("A ms", "B ms", "B / A", "95 %", "n"))
    columns = (Column("System", left=True), *numbers, Column("Finding", left=True))
    return Table(columns, tuple(map(_time, pairs)))


def _time(pair: TimeComparison) -> Row:
    interval = pair.ratio.interval
    word = f"{pair.word}; {pair.lengths_differ} of other lengths" if pair.lengths_differ else pair.word
    cells = (
        TableCell(pair.system),
        *(number_cell(side.median, milliseconds) for side in (pair.a, pair.b)),
        number_cell(pair.ratio.value, ratio_text),
        TableCell(range_text(ratio_text(interval.low), ratio_text(interval.high))) if interval else TableCell(),
        TableCell(str(pair.n), pair.n),
        TableCell(word),
    )
    return Row(cells)


def describe_run(name: str, side: ComparedRun) -> str:
    """What a run is, on one line of plain text."""
    created = sorted(record.created for record in side.records)
    commits = sorted({(record.software.commit or "no commit")[:12] for record in side.records})
    return f"{name}: {side.folder}; {count(len(side.records), 'record')} of {created[0]}; commit {join_words(commits)}"


def terminal_lines(comparison: RunComparison) -> list[str]:
    """The comparison as lines; signs that steer a terminal are dropped."""
    lines = [describe_run(name, side) for name, side in named_runs(comparison)]
    lines += [f"unlike: {caveat}" for caveat in comparison.caveats]
    for part in parts(comparison):
        lines += ["", part.title]
        for section in part.sections:
            lines += [line for table in section.tables for line in table_lines(table)]
    lines += ["", *comparison_verdict(comparison)]
    return ["".join(c for c in line if c.isprintable()) for line in lines]


def quality_frame(comparison: RunComparison) -> pd.DataFrame:
    """For programs: one row per cell and metric."""
    columns = ["cell", "protocol", "metric", "unit", "higher_is_better", "a", "b", "difference", "low", "high", "p",
               "p_holm", "clips", "clips_one_side", "finding"]  # fmt: skip
    rows = [
        (
            pair.place,
            pair.protocol,
            c.metric.name,
            c.metric.unit,
            c.metric.higher_is_better,
            c.a,
            c.b,
            difference.value if difference else c.b - c.a,
            difference.interval.low if difference and difference.interval else None,
            difference.interval.high if difference and difference.interval else None,
            difference.p if difference else None,
            difference.p_holm if difference else None,
            difference.n if difference else None,
            difference.left_out if difference else None,
            c.word,
        )
        for pair in comparison.quality
        for c in pair.changes
        for difference in [c.difference]
    ]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def time_frame(pairs: Sequence[TimeComparison]) -> pd.DataFrame:
    """For programs: one row per timed cell, times in seconds."""
    columns = [
        "cell",
        "frames",
        "machine_a",
        "machine_b",
        "a_median_s",
        "b_median_s",
        "ratio",
        "low",
        "high",
        "n",
        "finding",
    ]
    rows = [
        (
            pair.system,
            pair.frames,
            *pair.where,
            pair.a.median,
            pair.b.median,
            pair.ratio.value,
            pair.ratio.interval.low if pair.ratio.interval else None,
            pair.ratio.interval.high if pair.ratio.interval else None,
            pair.n,
            pair.word,
        )
        for pair in pairs
    ]
    return pd.DataFrame(rows, columns=pd.Index(columns))
