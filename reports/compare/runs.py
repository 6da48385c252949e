"""Two runs side by side: the same cells, clip by clip where the same clips were scored."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lipbench.errors import UserError
from lipbench.records.latency import EAGER, Latency, UtteranceLatency
from lipbench.records.quality import MetricFacts, Quality
from lipbench.records.record import Record
from lipbench.reports.compare.caveats import caveats
from lipbench.reports.compare.changes import MetricChange, QualityComparison, TimeComparison
from lipbench.reports.inputs.run import RunInputs, UnreadableRecord, read_run
from lipbench.reports.paper import load_paper
from lipbench.reports.tables.labels import hardware
from lipbench.reports.tables.metric_order import in_order
from lipbench.statistics import paired
from lipbench.statistics.paired import correct_family
from lipbench.statistics.timings import ratio_of_sums, speedup, summarise_timing


@dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """One of the runs."""

    folder: Path
    records: list[Record]
    unread: list[UnreadableRecord]


@dataclass(frozen=True, kw_only=True)
class RunComparison:
    """Everything that two runs have in common, and what they have not."""

    a: ComparedRun
    b: ComparedRun
    quality: list[QualityComparison]
    latency: list[TimeComparison]
    natural: list[TimeComparison]
    not_compared: list[tuple[str, str]]
    """Cell and reason."""
    caveats: list[str]
    """What differs between the runs beside what is compared."""


def compare_runs(a: Path, b: Path) -> RunComparison:
    """Compare two runs from their records alone.

    Args:
        a: the run that differences are taken from, as `lipbench.reports.inputs.run.read_run` takes it.
        b: the other one.

    Returns:
        What is in both. Cells are the same if they ask for the same: of which checkpoint, from which store, of how many
        clips and on which device of quality may differ, and is said.

    Raises:
        UserError: a run cannot be read, the two were scored under unlike protocols, or have no cell in common.
    """
    first, second = read_run(a), read_run(b)
    record_pairs, unmatched = _match(first.records, second.records)
    pairs = [
        (record_a, record_b)
        for record_a, record_b in record_pairs
        if record_a.result is not None and record_b.result is not None
    ]
    unmatched += [
        (_place(record_a), _failed_side(record_a, record_b))
        for record_a, record_b in record_pairs
        if None in (record_a.result, record_b.result)
    ]
    same_size_pairs = [
        (record_a, record_b) for record_a, record_b in pairs if _frame_size(record_a) == _frame_size(record_b)
    ]
    unmatched += [
        (_place(record_a), f"frames of {_frame_size(record_a)} pixels in A, of {_frame_size(record_b)} in B")
        for record_a, record_b in pairs
        if _frame_size(record_a) != _frame_size(record_b)
    ]
    if not same_size_pairs:
        reasons = "; ".join(f"{place}: {reason}" for place, reason in unmatched[:3])
        raise UserError(
            f"{a} and {b} have no measured cell in common ({reasons})",
            remedy="Compare runs of the same models, corpus, lengths and devices; for two models see one run's report",
        )
    return RunComparison(
        a=_side(a, first),
        b=_side(b, second),
        quality=_quality(same_size_pairs),
        latency=[
            _latency(record_a, record_b)
            for record_a, record_b in same_size_pairs
            if isinstance(record_a.result, Latency)
        ],
        natural=[pair for record_a, record_b in same_size_pairs if (pair := _natural(record_a, record_b, unmatched))],
        not_compared=unmatched,
        caveats=caveats(same_size_pairs),
    )


def _side(folder: Path, run_inputs: RunInputs) -> ComparedRun:
    return ComparedRun(folder=folder, records=run_inputs.records, unread=run_inputs.unread)


# Which cells are the same ----------------------------------------------------------------------------------------

_RecordPair = tuple[Record, Record]


def _key(record: Record) -> str:
    """What two cells must have asked for alike to be compared, the protocol apart."""
    cell = record.cell
    free = {"checkpoint": None, "corpus_options": {}, "limit": None, "metrics": None, "protocol": None}
    if cell.kind == "quality":
        free["device"] = None
    if cell.kind == "latency" and cell.variant is None:
        free["variant"] = EAGER
    return cell.model_copy(update=free).model_dump_json()


def _protocol(record: Record) -> str | None:
    """Fingerprint of a scored cell's protocol."""
    return record.result.protocol.fingerprint if isinstance(record.result, Quality) else None


def _match(a: Sequence[Record], b: Sequence[Record]) -> tuple[list[_RecordPair], list[tuple[str, str]]]:
    """Pairs of the same cell, and the cells that have no partner with the reason."""
    groups: dict[str, tuple[list[Record], list[Record]]] = {}
    for side, records in enumerate((a, b)):
        for record in records:
            groups.setdefault(_key(record), ([], []))[side].append(record)
    pairs: list[_RecordPair] = []
    unmatched: list[tuple[str, str]] = []
    for records_a, records_b in groups.values():
        for is_same_cell in (_is_same_cell, _is_similar_cell):
            pairs += _take_unique_pairs(records_a, records_b, is_same_cell)
        if records_a and records_b:
            _refuse_unlike_protocols(records_a, records_b)
        reason = "several cells fit" if records_a and records_b else None
        unmatched += [(_place(record), reason or "only in A") for record in records_a]
        unmatched += [(_place(record), reason or "only in B") for record in records_b]
    return pairs, unmatched


def _is_same_cell(record_a: Record, record_b: Record) -> bool:
    return record_a.cell == record_b.cell and _is_similar_cell(record_a, record_b)


def _is_similar_cell(record_a: Record, record_b: Record) -> bool:
    fingerprints = {_protocol(record_a), _protocol(record_b)}
    # a cell that failed has no fingerprint, and none that speaks against it
    return len(fingerprints - {None}) <= 1


def _take_unique_pairs(
    records_a: list[Record], records_b: list[Record], is_same_cell: Callable[[Record, Record], bool]
) -> list[_RecordPair]:
    """Take the pairs that are each other's only partner out of both lists."""
    pairs: list[_RecordPair] = []
    for record_a in list(records_a):
        partners = [record_b for record_b in records_b if is_same_cell(record_a, record_b)]
        if len(partners) == 1 and sum(is_same_cell(other, partners[0]) for other in records_a) == 1:
            pairs.append((record_a, partners[0]))
            records_a.remove(record_a)
            records_b.remove(partners[0])
    return pairs


def _refuse_unlike_protocols(records_a: Sequence[Record], records_b: Sequence[Record]) -> None:
    protocols_b = {_protocol(record_b) for record_b in records_b} - {None}
    for record_a in records_a:
        if isinstance(record_a.result, Quality) and protocols_b and _protocol(record_a) not in protocols_b:
            protocol_b = next(
                record_b.result.protocol for record_b in records_b if isinstance(record_b.result, Quality)
            )
            protocol_a = record_a.result.protocol
            raise UserError(
                f"the runs were scored under unlike protocols: {_place(record_a)} under {protocol_a.name} "
                f"{protocol_a.fingerprint[:12]} "
                f"in A and {protocol_b.name} {protocol_b.fingerprint[:12]} in B",
                remedy="Score one of them again under the other's protocol: lipbench score run=… protocol=…",
            )


def _failed_side(record_a: Record, record_b: Record) -> str:
    parts = [
        f"{record.status.replace('_', ' ')} in {side}: {record.failure.type}: {record.failure.message}"
        for side, record in (("A", record_a), ("B", record_b))
        if record.failure is not None
    ]
    return "; ".join(parts)


def _frame_size(record: Record) -> str | None:
    size = record.result.system.frame_size if record.result else None
    return None if size is None else f"{size[0]}x{size[1]}"


def _place(record: Record) -> str:
    """What a cell is of, for people."""
    cell, paper = record.cell, load_paper()
    title = record.result.system.title if record.result else paper.systems.get(cell.system, cell.system)
    extra = [f"{name}={value}" for name, value in sorted(cell.options.items())]
    extra += [cell.variant] if cell.variant not in (None, EAGER) else []
    system_name = f"{title} ({', '.join(extra)})" if extra else title
    preset = cell.preset if cell.role == "model" else None
    parts = [system_name, preset, _condition(record)]
    return ", ".join(part for part in parts if part)


def _condition(record: Record) -> str:
    cell = record.cell
    if cell.kind == "quality":
        corpus = load_paper().corpora.get(cell.corpus or "", cell.corpus or "corpus not named")
        return f"{corpus} {cell.split or ''}, {cell.durations} durations".replace(" ,", ",")
    device_text = f"{(cell.device or 'device not named').upper()}, batch {cell.batch or 1}"
    return f"{cell.frames} frames, {device_text}" if cell.kind == "latency" else f"{cell.timer} timer, {device_text}"


# Quality ---------------------------------------------------------------------------------------------------------


def _quality(pairs: Sequence[_RecordPair]) -> list[QualityComparison]:
    """All metrics of all cells, their p values corrected as one family."""
    quality_pairs = [
        _quality_pair(_place(record_a), record_a.result, record_b.result)
        for record_a, record_b in pairs
        if isinstance(record_a.result, Quality) and isinstance(record_b.result, Quality)
    ]
    family = [c.difference for pair in quality_pairs for c in pair.changes if c.difference and c.tested]
    corrected_differences = iter(correct_family(family))
    return [
        replace(
            pair,
            changes=[
                replace(c, difference=next(corrected_differences)) if c.difference and c.tested else c
                for c in pair.changes
            ],
        )
        for pair in quality_pairs
    ]


def _quality_pair(place: str, a: Quality, b: Quality) -> QualityComparison:
    common = {m.name for m in a.metrics} & {m.name for m in b.metrics}
    metrics = [metric for metric in in_order(a.metrics) if metric.name in common]
    changes = [change for metric in metrics if (change := _change(metric, a, b))]
    names = [{clip.utterance for clip in result.clips} for result in (a, b)]
    return QualityComparison(
        place=place,
        protocol=f"{a.protocol.name} {a.protocol.fingerprint}",
        changes=changes,
        only_one=len(names[0] ^ names[1]),
    )


def _change(metric: MetricFacts, a: Quality, b: Quality) -> MetricChange | None:
    if metric.per == "corpus":
        before, after = a.mean(metric.name), b.mean(metric.name)
        if before is None or after is None:
            return None
        return MetricChange(metric=metric, a=before, b=after, identical=before == after, difference=None)
    sides = [_metric_scores(metric.name, result) for result in (a, b)]
    common_clips = sorted(sides[0].values.keys() & sides[1].values.keys())
    if not common_clips:
        return None
    speakers = {clip.utterance: clip.speaker for result in (a, b) for clip in result.clips}
    means = [
        statistics.fmean([side.values[name] for name in common_clips], [side.weights[name] for name in common_clips])
        for side in sides
    ]
    return MetricChange(
        metric=metric,
        a=means[0],
        b=means[1],
        identical=all(sides[0].values[name] == sides[1].values[name] for name in common_clips),
        difference=paired.paired_differences([(sides[1], sides[0])], speakers)[0],
    )


def _metric_scores(metric: str, result: Quality) -> paired.MetricScores:
    clips = [clip for clip in result.clips if metric in clip.values]
    return paired.MetricScores(
        values={clip.utterance: clip.values[metric] for clip in clips},
        weights={clip.utterance: clip.weights.get(metric, 1.0) for clip in clips},
    )


# Latency ---------------------------------------------------------------------------------------------------------


def _latency(record_a: Record, record_b: Record) -> TimeComparison:
    assert isinstance(record_a.result, Latency)
    assert isinstance(record_b.result, Latency)
    walls = [[sample.wall_s for sample in result.samples] for result in (record_a.result, record_b.result)]
    return TimeComparison(
        system=_place(record_a),
        frames=record_a.result.frames,
        where=(hardware(record_a.machine, record_a.result.device), hardware(record_b.machine, record_b.result.device)),
        a=summarise_timing(walls[0]),
        b=summarise_timing(walls[1]),
        ratio=speedup(walls[1], walls[0]),
        n=min(map(len, walls)),
    )


def _natural(record_a: Record, record_b: Record, unmatched: list[tuple[str, str]]) -> TimeComparison | None:
    if not isinstance(record_a.result, UtteranceLatency) or not isinstance(record_b.result, UtteranceLatency):
        return None
    clips = [{clip.utterance: clip for clip in result.clips} for result in (record_a.result, record_b.result)]
    common_clips = sorted(clips[0].keys() & clips[1].keys())
    if not common_clips:
        unmatched.append((_place(record_a), "no utterance in common"))
        return None
    walls = [[side[name].wall_s for name in common_clips] for side in clips]
    return TimeComparison(
        system=_place(record_a),
        frames=None,
        where=(hardware(record_a.machine, record_a.result.device), hardware(record_b.machine, record_b.result.device)),
        a=summarise_timing(walls[0]),
        b=summarise_timing(walls[1]),
        ratio=ratio_of_sums(walls[1], walls[0]),
        n=len(common_clips),
        lengths_differ=sum(clips[0][name].frames != clips[1][name].frames for name in common_clips),
    )
