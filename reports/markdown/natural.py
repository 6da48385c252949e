"""Latency at the model's own lengths, as markdown."""

from __future__ import annotations

import numpy as np

from lipbench.reports.formatting import (
    NOTHING,
    TIED,
    TextTable,
    between,
    code,
    count,
    escaped,
    failed_text,
    joined,
    marked,
    milliseconds,
    number,
    significant,
    stacked,
    times,
)
from lipbench.reports.markdown.section import Section
from lipbench.reports.paper import Paper
from lipbench.reports.tables.natural import NaturalRow, NaturalTable
from lipbench.statistics.intervals import TOO_SMALL


def natural_section(table: NaturalTable, paper: Paper, *, csv: str) -> Section:
    """One table of natural lengths with its heading and notes."""
    return Section(
        title=natural_title(table, paper),
        facts=natural_facts(table),
        tables=[natural_text(table)],
        notes=natural_notes(table),
        csv=csv,
    )


def natural_text(table: NaturalTable) -> TextTable:
    """The table for reading."""
    per_clip = (stacked(f"{name} ↓", "ms per clip") for name in ("Mean", "Median", "p90", "p95", "p99"))
    header = ("System", *per_clip, stacked("Frames made", "mean per clip"), stacked("Pace ↓", "ms per frame"))
    header += (stacked("RTF ↓", "s per s of clip"), "Clips")
    ratio = any(row.speedup for row in table.rows)
    header += (stacked("Speed-up ↑", f"over {escaped(table.baseline)}"),) if ratio and table.baseline else ()
    return TextTable(header, tuple(_shown(row, table, ratio=ratio) for row in table.rows))


def _shown(row: NaturalRow, table: NaturalTable, *, ratio: bool) -> tuple[str, ...]:
    if row.result is None or row.mean is None or row.wall is None:
        return (escaped(row.label), failed_text(row.failure) if row.failure else NOTHING)
    clips = row.result.clips
    frames, seconds = sum(clip.frames for clip in clips), sum(clip.wall_s for clip in clips)
    around = row.mean.interval
    ends = between(milliseconds(around.low), milliseconds(around.high)) if around else TOO_SMALL
    true = number(float(np.mean([clip.true_frames for clip in clips])), 1)
    cells = [
        escaped(row.label),
        stacked(marked(milliseconds(row.mean.value), best=row.best), ends, TIED if row.tied else None),
        *(milliseconds(s) for s in (row.wall.median, row.wall.p90, row.wall.p95, row.wall.p99)),
        stacked(number(frames / len(clips), 1), f"true {true}"),
        significant(1000 * seconds / frames) if frames else NOTHING,
        significant(seconds * row.result.fps / frames) if frames else NOTHING,
        str(len(clips)),
    ]
    return (*cells, _ratio(row, itself=row.label == table.baseline)) if ratio else tuple(cells)


def _ratio(row: NaturalRow, *, itself: bool) -> str:
    if itself:
        return "1×"
    if row.speedup is None:
        return NOTHING
    ends = row.speedup.interval
    return stacked(times(row.speedup.value), between(times(ends.low), times(ends.high)) if ends else TOO_SMALL)


def natural_notes(table: NaturalTable) -> list[str]:
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
    checked = [row.label for row in table.rows if row.result is not None and row.result.scored]
    unchecked = [row.label for row in table.rows if row.result is not None and not row.result.scored]
    if checked:
        notes.append(f"Timed clips were found to equal the scored ones: {escaped(joined(checked))}.")
    if unchecked:
        notes.append(f"There were no scored clips to compare the timed ones with: {escaped(joined(unchecked))}.")
    return notes


def natural_title(table: NaturalTable, paper: Paper) -> str:
    """Name of the table's condition, as markdown."""
    corpus = paper.corpora.get(table.corpus, table.corpus)
    parts = [f"{corpus}, {table.timer} timer", table.device.upper(), table.dtype]
    return escaped(", ".join([*parts, f"preset {table.preset}"] if table.preset else parts))


def natural_facts(table: NaturalTable) -> str:
    """Where and on how much it was taken, as markdown."""
    clips = sorted({len(row.result.clips) for row in table.rows if row.result is not None})
    counted = " or ".join(count(n, "clip") for n in clips)
    return f"{escaped(table.hardware)}; {counted} of the corpus {code(table.fingerprint[:12])}"
