"""A comparison of two runs as tables, as lines for a terminal, and as data frames for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from lipbench.reports.compare.runs import MetricChange, QualityPair, Side, TimePair, TwoRuns
from lipbench.reports.formatting import (
    NOTHING,
    arrow,
    between,
    count,
    decimals_for,
    escaped,
    joined,
    milliseconds,
    number,
    shortened,
    signed,
    significant,
    times,
)
from lipbench.reports.markdown.provenance import provenance
from lipbench.reports.markdown.size_limit import Piece, fitted
from lipbench.reports.markdown.templating import part


@dataclass(frozen=True)
class PlainTable:
    """A table of plain text, foreign words among it: whoever writes it out escapes it."""

    kind: str
    """What it is to a size limit, see `lipbench.reports.markdown.size_limit.ORDER`."""
    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]


def verdict(found: TwoRuns) -> list[str]:
    """What came out, in plain sentences."""
    sentences: list[str] = []
    changes = [change for pair in found.quality for change in pair.changes]
    if changes:
        words = Counter(change.word for change in changes)
        shown = joined(f"{n} {word}" for word, n in words.most_common())
        sentences.append(f"{count(len(changes), 'metric')} of {count(len(found.quality), 'cell')} of quality: {shown}.")
        for word in ("worse", "better"):
            named = [
                f"{c.metric.title} of {pair.place}" for pair in found.quality for c in pair.changes if c.word == word
            ]
            if named:
                more = f" and {len(named) - 5} more" if len(named) > 5 else ""
                sentences.append(f"B is {word} than A in {'; '.join(named[:5])}{more}.")
    for title, pairs in (("latency", found.latency), ("real utterances timed", found.natural)):
        if pairs:
            words = Counter(pair.word for pair in pairs)
            shown = joined(f"{n} {word}" for word, n in words.most_common())
            sentences.append(f"{count(len(pairs), 'cell')} of {title}: {shown} in B.")
    if found.not_compared:
        sentences.append(f"{count(len(found.not_compared), 'cell')} not compared.")
    return sentences


def tables(found: TwoRuns) -> list[PlainTable]:
    """Everything that was compared, and what was not."""
    made = [_quality(pair) for pair in found.quality if any(not change.identical for change in pair.changes)]
    same = [(pair.place, _identical(pair)) for pair in found.quality if any(c.identical for c in pair.changes)]
    made += [PlainTable("identical", "Identical in every clip", ("Cell", "Metrics"), same)] if same else []
    made += [_times("latency", "Latency", found.latency)] if found.latency else []
    made += (
        [_times("natural", "Real utterances at the lengths that models choose", found.natural)] if found.natural else []
    )
    unread = [(f"{name}: {one.name}", one.problem) for name, side in sides(found) for one in side.unread]
    if found.not_compared or unread:
        rows = [(place, shortened(reason, 300)) for place, reason in [*found.not_compared, *unread]]
        made.append(PlainTable("not compared", "Not compared", ("Cell", "Why"), rows))
    return made


def sides(found: TwoRuns) -> list[tuple[str, Side]]:
    """Both runs with their names."""
    return [("A", found.a), ("B", found.b)]


def _quality(pair: QualityPair) -> PlainTable:
    header = ("Metric", "A", "B", "B − A", "95 %", "p", "Clips", "Finding")
    name, _, fingerprint = pair.protocol.rpartition(" ")
    title = f"{pair.place}; protocol {name} {fingerprint[:12]}"
    title += f"; {count(pair.only_one, 'clip')} in one run only" if pair.only_one else ""
    return PlainTable("quality", title, header, [_metric(change) for change in pair.changes if not change.identical])


def _identical(pair: QualityPair) -> str:
    same = [change.metric.title for change in pair.changes if change.identical]
    clips = max((c.difference.n for c in pair.changes if c.difference), default=0)
    which = f"all {len(same)}" if len(same) == len(pair.changes) else joined(same)
    return f"{which} ({count(clips, 'clip')})"


def _metric(change: MetricChange) -> tuple[str, ...]:
    one = change.difference
    decimals = decimals_for([change.a, change.b])
    finer = decimals + 1  # of a difference that is small beside the values
    title = f"{change.metric.title} {arrow(change.metric)} {change.metric.unit}".rstrip()
    values = (title, number(change.a, decimals), number(change.b, decimals))
    if one is None:
        return (*values, signed(change.b - change.a, finer), NOTHING, NOTHING, NOTHING, change.word)
    around = one.interval
    ends = between(signed(around.low, finer), signed(around.high, finer)) if around else NOTHING
    p = NOTHING if one.p_holm is None else "< 0.001" if one.p_holm < 0.001 else significant(one.p_holm)
    return (*values, signed(one.value, finer), ends, p, str(one.n), change.word)


def _times(kind: str, title: str, pairs: Sequence[TimePair]) -> PlainTable:
    header = ("System", "A ms", "B ms", "B / A", "95 %", "n", "Finding")
    return PlainTable(kind, title, header, [_time(pair) for pair in pairs])


def _time(pair: TimePair) -> tuple[str, ...]:
    around = pair.ratio.interval
    word = f"{pair.word}; {pair.lengths_differ} of other lengths" if pair.lengths_differ else pair.word
    return (
        pair.system,
        milliseconds(pair.a.median),
        milliseconds(pair.b.median),
        times(pair.ratio.value),
        between(times(around.low), times(around.high)) if around else NOTHING,
        str(pair.n),
        word,
    )


def about(name: str, side: Side) -> str:
    """What a run is, on one line of plain text."""
    created = sorted(record.created for record in side.records)
    commits = sorted({(record.software.commit or "no commit")[:12] for record in side.records})
    return f"{name}: {side.folder}; {count(len(side.records), 'record')} of {created[0]}; commit {joined(commits)}"


def terminal(found: TwoRuns) -> list[str]:
    """The comparison as lines; signs that steer a terminal are dropped."""
    lines = [about(name, side) for name, side in sides(found)]
    lines += [f"unlike: {doubt}" for doubt in found.doubts]
    for table in tables(found):
        widths = [max(len(row[i]) for row in (table.header, *table.rows)) for i in range(len(table.header))]
        lines += ["", table.title]
        for row in (table.header, *table.rows):
            padded = [
                cell.ljust(width) if i in (0, len(widths) - 1) else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append(f"  {'  '.join(padded)}".rstrip())
    lines += ["", *verdict(found)]
    return ["".join(c for c in line if c.isprintable()) for line in lines]


def quality_frame(found: TwoRuns) -> pd.DataFrame:
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
            one.value if one else c.b - c.a,
            one.interval.low if one and one.interval else None,
            one.interval.high if one and one.interval else None,
            one.p if one else None,
            one.p_holm if one else None,
            one.n if one else None,
            one.left_out if one else None,
            c.word,
        )
        for pair in found.quality
        for c in pair.changes
        for one in [c.difference]
    ]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def time_frame(pairs: Sequence[TimePair]) -> pd.DataFrame:
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


NOTES = (
    "Quality: means over the clips that both runs scored, weighted by their protocol. B − A: paired, clip by clip, "
    "with its 95 % bootstrap interval by speaker (by clip where there is one). p: sign-flip test, Holm-corrected over "
    "all metrics of this comparison that changed; better and worse are said below 0.05 only.",
    "Latency: B / A of medians, of real utterances of sums over the same ones, with a 95 % bootstrap interval over "
    "calls or utterances. It covers the scatter within each run, not what happens from run to run: the same code "
    "timed twice can differ by more, and the intervals are not corrected for their number. lipbench gate alternates "
    "the two and decides.",
)
"""What a reader must know, as plain text."""


IN_FULL = "lipbench compare A B out=DIR writes it all."


def markdown(found: TwoRuns, *, limit: int | None = None) -> str:
    """The comparison for reading, the verdict first and the provenance of both runs last; records' words are escaped.

    Args:
        found: what was compared.
        limit: most bytes of UTF-8; sections are dropped as `lipbench.reports.markdown.size_limit` has it. None: nothing
            is dropped.
    """
    opening = part(
        "compared",
        [escaped(sentence) for sentence in verdict(found)],
        [escaped(about(name, side)) for name, side in sides(found)],
        [escaped(doubt) for doubt in found.doubts],
        NOTES,
    )
    pieces = [Piece(table.kind, _table(table)) for table in tables(found)]
    for name, side in sides(found):
        traced = provenance(side.records)
        pieces.append(Piece("provenance", part("sources", f"Provenance of {name}", traced)))
        options = part("recipes", traced)
        pieces += [Piece("recipes", options)] if options else []
    return fitted(opening, pieces, limit, in_full=IN_FULL)


def _table(table: PlainTable) -> str:
    marks = (":--", *("--:" for _ in table.header[1:-1]), ":--")
    rows = [tuple(map(escaped, row)) for row in (table.header, *table.rows)]
    lines = [f"| {' | '.join(row)} |" for row in (rows[0], marks, *rows[1:])]
    return "\n".join([f"## {escaped(table.title)}", "", *lines])
