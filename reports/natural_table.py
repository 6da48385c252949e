"""Times of real utterances at the lengths that models choose: one table per corpus, timer, device and preset."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmarks.record import Failure, Natural, Record
from reports.formatting import NOTHING, between, code, count, escaped, joined, milliseconds, number, significant, times
from reports.paper import Paper
from reports.statistics import TOO_SMALL, Mean, mean_by_cluster
from reports.systems import Kind, Naming, accepts, hardware, labels, variant
from reports.text_table import TIED, TextTable, failed_text, marked, stacked
from reports.timings import Ratio, Timing, ratio_of_sums, timing


@dataclass(frozen=True, kw_only=True)
class NaturalRow:
    """One system."""

    name: str
    label: str
    kind: Kind
    result: Natural | None
    """None if the cell failed."""
    record: str
    """Key of the cell whose record this is."""
    mean: Mean | None = None
    """Seconds per clip, which is what the paper's Table 3 has."""
    wall: Timing | None = None
    """The same clips' median and percentiles: clips differ in length, so this is no scatter of one call."""
    speedup: Ratio | None = None
    """Over the baseline on the clips that both were timed on."""
    best: bool = False
    """The model with the smallest mean of at least two."""
    tied: bool = False
    """A model's that is not told from that one, see `mark_ties`."""
    failure: Failure | None = None


@dataclass(frozen=True, kw_only=True)
class NaturalTable:
    """Systems that were timed alike on the same utterances."""

    corpus: str
    fingerprint: str
    timer: str
    device: str
    hardware: str
    dtype: str
    preset: str | None
    baseline: str | None
    """Label of the row that speed-ups are relative to; None if it was not measured."""
    rows: list[NaturalRow]


def natural_tables(records: Sequence[Record], names: Naming, paper: Paper) -> list[NaturalTable]:
    """Sort times of real utterances into tables.

    Args:
        records: a run's records, of any kind.
        names: see `reports.systems.naming`.
        paper: whose baseline speed-ups are relative to.

    Returns:
        The tables. A failed cell stands in every table that it fits; where nothing of its condition was measured there
        is no table to put it in.
    """
    groups: dict[tuple[str, ...], list[tuple[Record, Natural]]] = {}
    for record in records:
        if isinstance(record.result, Natural):
            groups.setdefault(_key(record, record.result), []).append((record, record.result))
    failed = [r for r in records if r.status == "failed" and r.cell.kind == "natural"]
    return [_table(group, failed, names, paper) for _, group in sorted(groups.items())]


def _key(record: Record, result: Natural) -> tuple[str, ...]:
    place = hardware(record.machine, result.device)
    corpus = (record.cell.corpus or "", result.corpus_fingerprint)
    return (*corpus, result.timer, result.device, place, result.dtype, result.system.preset or "")


def _table(group: list[tuple[Record, Natural]], failed: list[Record], names: Naming, paper: Paper) -> NaturalTable:
    first, result = group[0]
    cell = first.cell
    failures = [
        r
        for r in failed
        if accepts(r.cell.device, result.device)
        and accepts(r.cell.preset, cell.preset)
        and accepts(r.cell.corpus, cell.corpus)
        and accepts(r.cell.timer, result.timer)
    ]
    titles = labels([variant(record, names) for record in [*(record for record, _ in group), *failures]])
    base = next((i for i, (record, _) in enumerate(group) if record.cell.system == paper.baseline), None)
    slow = None if base is None else _walls(group[base][1])
    rows = [_row(record, one, title, slow, names) for (record, one), title in zip(group, titles, strict=False)]
    rows += [
        NaturalRow(
            name=r.cell.system,
            label=title,
            kind=names.kinds[r.cell.system],
            result=None,
            record=r.cell.key,
            failure=r.failure,
        )
        for r, title in zip(failures, titles[len(group) :], strict=True)
    ]
    rows = mark_ties(rows)
    rows.sort(key=lambda row: (row.kind == "control", names.place(row.name), row.label))
    return NaturalTable(
        corpus=cell.corpus or "corpus not named",
        fingerprint=result.corpus_fingerprint,
        timer=result.timer,
        device=result.device,
        hardware=hardware(first.machine, result.device),
        dtype=result.dtype,
        preset=result.system.preset,
        baseline=None if base is None else titles[base],
        rows=rows,
    )


def mark_ties(rows: Sequence[NaturalRow]) -> list[NaturalRow]:
    """Mark the fastest model by its mean, and those that are not told from it.

    Tied is a model of which the bootstrap interval of the ratio of sums, over the utterances that both were timed on,
    holds 1: the rule by which `lipbench compare` shows no difference. Too few utterances make no tie.

    Args:
        rows: of systems that were timed alike.
    """
    models = [row for row in rows if row.kind == "model" and row.mean is not None]
    first = min(models, key=lambda row: row.mean.value if row.mean else math.inf, default=None)
    if first is None or len(models) < 2:
        return list(rows)
    others = [id(row) for row in models if row is not first and _is_tied(first, row)]
    return [replace(row, best=row is first, tied=id(row) in others) for row in rows]


def _is_tied(first: NaturalRow, other: NaturalRow) -> bool:
    fast, slow = (_walls(row.result) if row.result else {} for row in (first, other))
    common = sorted(fast.keys() & slow.keys())
    if not common:
        return False
    interval = ratio_of_sums([slow[name] for name in common], [fast[name] for name in common]).interval
    return interval is not None and interval.low <= 1 <= interval.high


def _walls(result: Natural) -> dict[str, float]:
    return {clip.utterance: clip.wall_s for clip in result.clips}


def _row(record: Record, result: Natural, label: str, slow: Mapping[str, float] | None, names: Naming) -> NaturalRow:
    walls = _walls(result)
    common = sorted(walls.keys() & slow.keys()) if slow else []
    return NaturalRow(
        name=result.system.name,
        label=label,
        kind=names.kinds[result.system.name],
        result=result,
        record=record.cell.key,
        # each clip counts for itself: no name of a speaker is in the record
        mean=mean_by_cluster(list(walls.values()), [""] * len(walls)),
        wall=timing(list(walls.values())),
        speedup=ratio_of_sums([slow[n] for n in common], [walls[n] for n in common]) if slow and common else None,
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


def natural_frame(table: NaturalTable) -> pd.DataFrame:
    """The table for programs: one row per system and clip, times in seconds."""
    return pd.DataFrame(
        [
            {
                "system": row.name,
                "label": row.label,
                "utterance": clip.utterance,
                "frames": clip.frames,
                "true_frames": clip.true_frames,
                "wall_s": clip.wall_s,
                "device_s": clip.device_s,
            }
            for row in table.rows
            if row.result is not None
            for clip in row.result.clips
        ],
        columns=["system", "label", "utterance", "frames", "true_frames", "wall_s", "device_s"],
    )
