"""A quality table as text for people, in several parts, and as a data frame for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median_high

from lipbench.records.quality import Corpus, CorpusScore, MetricFacts, by_reason
from lipbench.records.system import Training
from lipbench.reports.formatting import (
    NOTHING,
    TIED,
    TextTable,
    arrow,
    between,
    code,
    count,
    decimals_for,
    decimals_within,
    escaped,
    failed_text,
    interval_of,
    joined,
    marked,
    number,
    printed,
    signed,
    significant,
    size,
    stacked,
)
from lipbench.reports.markdown.length_rule import length_text
from lipbench.reports.markdown.quality_notes import quality_notes
from lipbench.reports.markdown.section import Section
from lipbench.reports.paper import Paper
from lipbench.reports.tables.differences import DifferenceRow, DifferenceTable
from lipbench.reports.tables.quality import PARTS, QualityCell, QualityRow, QualityTable, in_order
from lipbench.statistics.intervals import TOO_SMALL, Mean
from lipbench.statistics.paired import ALPHA, POWER, Difference

TOO_MANY = "not tested"
HEAD = "Difference"
"""First column's title."""
MINUS = " − "
"""Between the two sides in a row's title."""


def pair_title(row: DifferenceRow) -> str:
    """What a row is called, as plain text."""
    return f"{row.first.label}{MINUS}{row.second.label}"


def difference_text(table: DifferenceTable) -> TextTable:
    """The table for reading: one row per pair."""
    heads = (stacked(f"{escaped(metric.title)} {arrow(metric)}", escaped(metric.unit)) for metric in table.metrics)
    header = (HEAD, *heads)
    decimals = {
        # of small differences their intervals say how many more
        metric.name: min(
            3, decimals_for(row.cells[metric.name].value for row in table.rows if metric.name in row.cells)
        )
        for metric in table.metrics
    }
    rows = tuple(
        (
            escaped(pair_title(row)),
            *(_cell(row.cells.get(metric.name), decimals[metric.name]) for metric in table.metrics),
        )
        for row in table.rows
    )
    return TextTable(header, rows)


def _cell(one: Difference | None, decimals: int) -> str:
    if one is None or one.n == 0:
        return NOTHING
    decimals = decimals_within(one.value, one.interval, decimals)
    value = signed(one.value, decimals)
    lines = [f"**{value}**" if one.significant else value]
    if one.interval is not None:
        lines.append(between(signed(one.interval.low, decimals), signed(one.interval.high, decimals)))
    if one.p_holm is None:
        lines.append(TOO_SMALL if one.p is None else TOO_MANY)
    else:
        detectable = NOTHING if one.detectable is None else number(one.detectable, decimals)
        lines += [f"p {_p(one.p_holm)}", f"detectable {detectable}"]
    if one.left_out:
        lines.append(f"{one.n} clips, {one.left_out} on one side only")
    return stacked(*lines)


def _p(p: float) -> str:
    return "&lt; 0.001" if p < 0.001 else f"= {significant(p)}"


def difference_note(table: DifferenceTable) -> str:
    """What the differences are, as one note of markdown."""
    units = {cell.unit for row in table.rows for cell in row.cells.values()}
    flipped = " and ".join(sorted(units))
    about = (
        "Differences are paired: first minus second on the same clips; arrows as above, so above 0 the first is better "
        "where more is better (↑), and worse where less is (↓). [ ]: 95 % bootstrap interval"
    )
    if not table.tested:
        return (
            f"{about} by {flipped}. None was tested: of {table.family} differences at once none could have had a "
            f"Holm-corrected p below {ALPHA:g}, with so few {flipped}s or resamples."
        )
    return (
        f"{about} by {flipped}. "
        f"p: sign-flip test by {flipped}, Holm-corrected over the {table.family} differences of the table; bold below "
        f"{ALPHA:g}. Detectable: the smallest true difference that a test of this n finds {POWER:.0%} of the time."
    )


def quality_section(table: QualityTable, found: DifferenceTable | None, paper: Paper, *, csv: str) -> Section:
    """One quality table with its heading and notes."""
    frames = f"{size(table.frame_size)} pixels" if table.frame_size else "frame size not recorded"
    devices = sorted({row.device for row in table.models if row.device})
    speakers = count(table.speakers, "speaker") if table.speakers else "speakers not known"
    facts = [
        f"{escaped(table.corpus.split)} split, {speakers}",
        f"frames of {frames}" if table.frame_size else frames,
        f"generated on {joined(device.upper() for device in devices)}" if devices else "",
        f"protocol **{escaped(table.protocol.name)}** {code(table.protocol.fingerprint[:12])}",
    ]
    # where every n is too small, the table above says all that can be said
    differences = found if found is not None and found.family else None
    notes = [*quality_notes(table, paper), *left_out_notes(table), *not_measured_notes(table)]
    return Section(
        title=escaped(table.place),
        facts="; ".join(fact for fact in facts if fact),
        tables=[*quality_texts(table), *([difference_text(differences)] if differences else [])],
        notes=[*notes, difference_note(differences)] if differences else notes,
        csv=csv,
    )


CONTROLS_HEAD = "*Controls*"
"""First cell of the row that opens the block of controls."""
REST = "Other metrics"
"""Title of the part with all others."""
NAMES_SHOWN = 10
"""So many clips that were left out are named; the record has them all."""


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
