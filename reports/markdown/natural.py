"""The part on times of real utterances."""

from __future__ import annotations

import numpy as np

from lipbench.reports.files import slug
from lipbench.reports.formatting import code, count, escape, join_words, milliseconds, number, significant_digits
from lipbench.reports.markdown.cells import Column, Row, Table, TableCell, failed_cell, number_cell
from lipbench.reports.markdown.data import ReportData
from lipbench.reports.markdown.latency import PACE, REAL_TIME, SYSTEM, milliseconds_interval, ratio_cell
from lipbench.reports.markdown.section import DataFile, Part, Section, with_shared_notes
from lipbench.reports.paper import load_paper
from lipbench.reports.tables.natural import (
    UtteranceLatencyRow,
    UtteranceLatencyTable,
    utterance_latency_frame,
    utterance_latency_tables,
)


def natural_part(data: ReportData) -> Part | None:
    """Every table of natural lengths with what belongs to it."""
    sections = [
        utterance_latency_section(i, table)
        for i, table in enumerate(utterance_latency_tables(data.records, data.names), 1)
    ]
    return with_shared_notes("Latency at natural lengths", sections)


def utterance_latency_section(index: int, table: UtteranceLatencyTable) -> Section:
    """One table of natural lengths with its notes."""
    clips = sorted({len(row.result.clips) for row in table.rows if row.result is not None})
    counted = " or ".join(count(n, "clip") for n in clips)
    name = slug(str(index), table.corpus, table.timer, table.device, table.preset or "")
    return Section(
        kind="natural",
        title=utterance_latency_title(table),
        text=[f"{escape(table.hardware)}; {counted} of the corpus {code(table.fingerprint[:12])}"],
        tables=[utterances_table(table)],
        notes=utterance_latency_notes(table),
        csv=DataFile(f"tables/natural-{name}.csv", utterance_latency_frame(table)),
    )


def utterance_latency_title(table: UtteranceLatencyTable) -> str:
    """Name of the table's condition."""
    corpus = load_paper().corpora.get(table.corpus, table.corpus)
    parts = [f"{corpus}, {table.timer} timer", table.device.upper(), table.dtype]
    return ", ".join([*parts, f"preset {table.preset}"] if table.preset else parts)


def utterances_table(table: UtteranceLatencyTable) -> Table:
    """The table for reading."""
    per_clip = (Column(name, "ms per clip", "lower") for name in ("Mean", "Median", "p90", "p95", "p99"))
    columns = [SYSTEM, *per_clip, Column("Frames made", "mean per clip"), PACE, REAL_TIME, Column("Clips")]
    ratio = any(row.speedup for row in table.rows) and table.baseline is not None
    columns += [Column("Speed-up", f"over {table.baseline}", "higher")] if ratio else []
    return Table(tuple(columns), tuple(_row(row, table, ratio=ratio) for row in table.rows))


def _row(row: UtteranceLatencyRow, table: UtteranceLatencyTable, *, ratio: bool) -> Row:
    if row.result is None or row.mean is None or row.wall is None:
        return Row((TableCell(row.label), failed_cell(row.failure)), record=row.record)
    clips, wall = row.result.clips, row.wall
    frames, seconds = sum(clip.frames for clip in clips), sum(clip.wall_s for clip in clips)
    made, true = frames / len(clips), number(float(np.mean([clip.true_frames for clip in clips])), 1)
    pace = (1000 * seconds / frames, seconds * row.result.fps / frames) if frames else (None, None)
    cells = [
        TableCell(row.label),
        TableCell(
            milliseconds(row.mean.value),
            row.mean.value,
            mark="best" if row.best else "tied" if row.tied else None,
            interval=milliseconds_interval(row.mean.interval),
        ),
        *(number_cell(s, milliseconds) for s in (wall.median, wall.p90, wall.p95, wall.p99)),
        TableCell(number(made, 1), made, lines=(f"true {true}",)),
        *(number_cell(value, significant_digits) for value in pace),
        TableCell(str(len(clips)), len(clips)),
    ]
    if ratio:
        cells.append(ratio_cell(row.speedup, itself=row.label == table.baseline))
    return Row(tuple(cells), record=row.record)


def utterance_latency_notes(table: UtteranceLatencyTable) -> list[str]:
    """What must be said beneath the table, as markdown."""
    notes = [
        "Each test utterance once, at the length that the model chose; percentiles are over clips. [ ]: 95 % bootstrap "
        "interval by clip. Speed-up: sum over sum of the clips that both were timed on."
    ]
    if any(row.tied for row in table.rows):
        notes.append(
            "Bold: the fastest model. Tied: the interval of the ratio of sums over the clips that both were timed on "
            "holds 1, the rule of lipbench compare; that does not prove them equal."
        )
    if table.timer == "unsynchronised":
        notes.append(
            "The clock stopped when the call returned, as the paper's does: on a GPU that is before its work is done."
        )
    checked_labels = [row.label for row in table.rows if row.result is not None and row.result.scored]
    unchecked = [row.label for row in table.rows if row.result is not None and not row.result.scored]
    if checked_labels:
        notes.append(f"Timed clips were found to equal the scored ones: {escape(join_words(checked_labels))}.")
    if unchecked:
        notes.append(f"There were no scored clips to compare the timed ones with: {escape(join_words(unchecked))}.")
    return notes
