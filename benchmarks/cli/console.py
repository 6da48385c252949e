"""Quality records as lines of text for the console."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np

from lipbench.benchmarks.timing.floors import over_floor
from lipbench.errors import UserError
from lipbench.records.latency import Latency, UtteranceLatency
from lipbench.records.quality import Quality, changed_lengths, group_by_reason, total_effect
from lipbench.records.record import Record
from lipbench.reports.markdown.console import table_lines
from lipbench.reports.markdown.latency import medians_table, speedup_table
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.latency import latency_tables

LINE_METRICS = ("psnr", "ssim", "lmd", "fid", "aperture_correlation", "motion_energy_ratio")
"""Metrics that a line has room for; the report has them all."""
NAMES_SHOWN = 5


def quality_line(record: Record) -> str:
    """One quality record as a line of text."""
    head = f"{record.cell.system:<16} {record.cell.durations or '':<10}"
    if record.failure is not None:
        return f"{head} failed: {record.failure.type}: {record.failure.message}"
    assert isinstance(record.result, Quality)
    result = record.result
    parts: list[str] = []
    for facts in result.metrics:
        mean = result.mean(facts.name)
        # of few metrics all are shown, of many those that come first in a report
        if mean is not None and (len(result.metrics) <= len(LINE_METRICS) or facts.name in LINE_METRICS):
            parts.append(f"{facts.title} {mean:.3f} {facts.unit}".rstrip())
    return f"{head} {scored_count(result)}   {'   '.join(parts)}"


def quality_lines(record: Record) -> str:
    """One quality record as a line of text, and lines for whatever is not plainly scored; see `exceptions_lines`."""
    lines = exceptions_lines(record.result) if isinstance(record.result, Quality) else []
    return "\n".join([quality_line(record), *lines])


def scored_count(result: Quality) -> str:
    """How many clips were scored, and of how many if some were left out, such as "97 of 100 clips"."""
    return f"{len(result.clips)} of {result.asked} clips" if result.left_out else f"{len(result.clips)} clips"


def exceptions_lines(result: Quality) -> list[str]:
    """Lines on clips and metrics of a result that were not scored, or were scored with a caveat."""
    lines = [
        f"  left out: {len(names)}, as {reason}: {first_names(names)}"
        for reason, names in group_by_reason(result.left_out).items()
    ]
    cut_off = [clip.utterance for clip in result.clips if clip.cut_off]
    if cut_off:
        lines.append(
            f"  cut off at the model's longest length, without a stop token: {len(cut_off)}: {first_names(cut_off)}"
        )
    lines += _lengths(result)
    for reason, names in group_by_reason(result.not_measured).items():
        lines.append(f"  not measured, as {reason}: {', '.join(names)}")
    return lines


def _lengths(result: Quality) -> list[str]:
    """What the protocol's length rule did."""
    changed_clips = changed_lengths(result.clips)
    if not changed_clips:
        return []
    effect = total_effect(changed_clips)
    frame_counts = {
        "generated frames left out": effect.preds_dropped,
        "real frames left out": effect.target_dropped,
        "generated frames compared again": effect.preds_repeated,
        "real frames compared again": effect.target_repeated,
    } if effect else {}  # fmt: skip
    most = max(abs(clip.generated_frames - clip.frames) for clip in changed_clips)
    rule = f"by the rule of the protocol {result.protocol.name}"
    rule += f" ({result.protocol.length})" if result.protocol.length else ""
    effect_text = (
        ", ".join(f"{n} {what}" for what, n in frame_counts.items() if n) or "with an effect that is not recorded"
    )
    return [
        f"  other lengths: {len(changed_clips)} of {len(result.clips)} clips scored, by at most {most} frames, "
        f"compared {rule}: {effect_text}"
    ]


def first_names(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    listing = ", ".join(names[:NAMES_SHOWN])
    return f"{listing} and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else listing


def raise_on_failures(records: Sequence[Record]) -> None:
    """End with an error if cells failed: their records are kept, and say why.

    Raises:
        UserError: some did.
    """
    failures = [record for record in records if record.status == "failed"]
    if failures:
        failure_text = "; ".join(
            f"{record.cell.key}: {record.failure.message}" for record in failures if record.failure
        )
        raise UserError(
            f"{len(failures)} of {len(records)} cells failed ({failure_text})", remedy="Mend the cause and run it again"
        )


def latency_line(record: Record) -> str:
    """One latency cell as a line: what a reader compares, and what makes it doubtful."""
    cell = record.cell
    head = f"{cell.system:<16} {cell.variant or 'eager':<10} {cell.frames:>4} frames"
    if record.failure is not None:
        word = "not attempted" if record.status == "not_attempted" else f"failed: {record.failure.type}"
        return f"{head}   {word}: {record.failure.message}"
    assert isinstance(record.result, Latency)
    result = record.result
    walls = [sample.wall_s for sample in result.samples]
    median = statistics.median(walls)
    # with few samples a high percentile is the slowest call by another name, so n stands beside them
    p90, p95, p99 = (float(value) * 1000 for value in np.percentile(walls, (90, 95, 99)))
    seconds = result.frames / result.fps
    parts = [
        f"median {median * 1000:.1f} ms (p90 {p90:.1f}, p95 {p95:.1f}, p99 {p99:.1f}; n {len(walls)})",
        f"{median * 1000 / (result.frames * result.batch):.2f} ms per frame",
        f"{result.frames * result.batch / median:.0f} frames/s",
        f"real-time factor {median / seconds:.3f}",
        f"first call {result.first_call_s * 1000:.1f} ms",
    ]
    if result.load_s is not None:
        parts.append(f"load {result.load_s * 1000:.0f} ms")
    if result.first_frame is not None:
        start = statistics.median(sample.wall_s for sample in result.first_frame.samples)
        parts.append(f"first frame {start * 1000:.1f} ms ({result.first_frame.rule})")
    if result.floor is not None:
        parts.append(f"{over_floor(walls, result.floor):.1f} x floor")
    if result.energy is not None:
        parts.append(f"{result.energy.joules / (result.energy.calls * result.batch):.2f} J per clip")
    parts += [f"UNSTABLE: {reason}" for reason in (result.unstable, result.lost) if reason]
    return f"{head}   {', '.join(parts)}"


def utterance_line(record: Record) -> str:
    """The time of real utterances as a line."""
    head = f"{record.cell.system:<16} test clips, {record.cell.timer} timer"
    if record.failure is not None:
        return f"{head}   failed: {record.failure.type}: {record.failure.message}"
    assert isinstance(record.result, UtteranceLatency)
    clips = record.result.clips
    mean = statistics.fmean(clip.wall_s for clip in clips)
    frames = statistics.fmean(clip.frames for clip in clips)
    comparison = "equal to the scored clips" if record.result.scored else "no scored clips to compare with"
    return f"{head}   mean {mean * 1000:.1f} ms over {len(clips)} clips of {frames:.1f} frames on average; {comparison}"


def fit_table(records: Sequence[Record]) -> list[str]:
    """Medians over lengths and speed-ups as a report has them, as lines."""
    walls_by_row = [
        (medians_table(table), speedup_table(table)) for table in latency_tables(records, collect_names(records))
    ]
    return [line for pair in walls_by_row for table in pair if table is not None for line in ["", *table_lines(table)]]
