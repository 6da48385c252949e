"""Times of real utterances at the lengths that models choose: one table per corpus, timer, device and preset."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from lipbench.records.latency import UtteranceLatency
from lipbench.records.record import Failure, Record
from lipbench.reports.paper import load_paper
from lipbench.reports.tables.labels import Kind, SystemNames, hardware, labels, matches_request, variant
from lipbench.statistics.intervals import Mean, mean_by_cluster
from lipbench.statistics.timings import Ratio, Timing, ratio_of_sums, summarise_timing


@dataclass(frozen=True, kw_only=True)
class UtteranceLatencyRow:
    """One system."""

    name: str
    label: str
    kind: Kind
    result: UtteranceLatency | None
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
class UtteranceLatencyTable:
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
    rows: list[UtteranceLatencyRow]


def utterance_latency_tables(records: Sequence[Record], names: SystemNames) -> list[UtteranceLatencyTable]:
    """Sort times of real utterances into tables.

    Args:
        records: a run's records, of any kind.
        names: see `lipbench.reports.tables.labels.collect_names`.

    Returns:
        The tables. A failed cell stands in every table that it fits; where nothing of its condition was measured there
        is no table to put it in.
    """
    groups: dict[tuple[str, ...], list[tuple[Record, UtteranceLatency]]] = {}
    for record in records:
        if isinstance(record.result, UtteranceLatency):
            groups.setdefault(_key(record, record.result), []).append((record, record.result))
    failed_records = [r for r in records if r.status == "failed" and r.cell.kind == "natural"]
    return [_table(group, failed_records, names) for _, group in sorted(groups.items())]


def _key(record: Record, result: UtteranceLatency) -> tuple[str, ...]:
    place = hardware(record.machine, result.device)
    corpus = (record.cell.corpus or "", result.corpus_fingerprint)
    return (*corpus, result.timer, result.device, place, result.dtype, result.system.preset or "")


def _table(
    group: list[tuple[Record, UtteranceLatency]], failed_records: list[Record], names: SystemNames
) -> UtteranceLatencyTable:
    first, result = group[0]
    cell = first.cell
    failures = [
        r
        for r in failed_records
        if matches_request(r.cell.device, result.device)
        and matches_request(r.cell.preset, cell.preset)
        and matches_request(r.cell.corpus, cell.corpus)
        and matches_request(r.cell.timer, result.timer)
    ]
    titles = labels([variant(record, names) for record in [*(record for record, _ in group), *failures]])
    base = next((i for i, (record, _) in enumerate(group) if record.cell.system == load_paper().baseline), None)
    slow = None if base is None else _walls(group[base][1])
    rows = [
        _row(record, utterance_latency, title, slow, names)
        for (record, utterance_latency), title in zip(group, titles, strict=False)
    ]
    rows += [
        UtteranceLatencyRow(
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
    return UtteranceLatencyTable(
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


def mark_ties(rows: Sequence[UtteranceLatencyRow]) -> list[UtteranceLatencyRow]:
    """Mark the fastest model by its mean, and those not significantly slower.

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


def _is_tied(first: UtteranceLatencyRow, other: UtteranceLatencyRow) -> bool:
    fast, slow = (_walls(row.result) if row.result else {} for row in (first, other))
    common = sorted(fast.keys() & slow.keys())
    if not common:
        return False
    interval = ratio_of_sums([slow[name] for name in common], [fast[name] for name in common]).interval
    return interval is not None and interval.low <= 1 <= interval.high


def _walls(result: UtteranceLatency) -> dict[str, float]:
    return {clip.utterance: clip.wall_s for clip in result.clips}


def _row(
    record: Record, result: UtteranceLatency, label: str, slow: Mapping[str, float] | None, names: SystemNames
) -> UtteranceLatencyRow:
    walls = _walls(result)
    common = sorted(walls.keys() & slow.keys()) if slow else []
    return UtteranceLatencyRow(
        name=result.system.name,
        label=label,
        kind=names.kinds[result.system.name],
        result=result,
        record=record.cell.key,
        # each clip counts for itself: no name of a speaker is in the record
        mean=mean_by_cluster(list(walls.values()), [""] * len(walls)),
        wall=summarise_timing(list(walls.values())),
        speedup=ratio_of_sums([slow[n] for n in common], [walls[n] for n in common]) if slow and common else None,
    )


def utterance_latency_frame(table: UtteranceLatencyTable) -> pd.DataFrame:
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
