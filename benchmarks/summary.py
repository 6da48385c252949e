"""Records as lines of text, for whoever watches a run."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.record import Quality, Record, by_reason, changed_lengths, total_effect
from models.errors import UserError

SHOWN = ("psnr", "ssim", "lmd", "fid", "aperture_correlation", "motion_energy_ratio")
"""Metrics that a line has room for; the report has them all."""
NAMES_SHOWN = 5


def describe(record: Record) -> str:
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
        if mean is not None and (len(result.metrics) <= len(SHOWN) or facts.name in SHOWN):
            parts.append(f"{facts.title} {mean:.3f} {facts.unit}".rstrip())
    return f"{head} {scored(result)}   {'   '.join(parts)}"


def describe_whole(record: Record) -> str:
    """One quality record as a line of text, and lines for whatever is not plainly scored; see `account`."""
    lines = account(record.result) if isinstance(record.result, Quality) else []
    return "\n".join([describe(record), *lines])


def scored(result: Quality) -> str:
    """How many clips were scored, and of how many if some were left out, such as "97 of 100 clips"."""
    return f"{len(result.clips)} of {result.asked} clips" if result.left_out else f"{len(result.clips)} clips"


def account(result: Quality) -> list[str]:
    """What became of the clips and the metrics of one result, as lines of text: whatever is not plainly scored."""
    lines = [
        f"  left out: {len(names)}, as {reason}: {some(names)}" for reason, names in by_reason(result.left_out).items()
    ]
    cut_off = [clip.utterance for clip in result.clips if clip.cut_off]
    if cut_off:
        lines.append(f"  cut off at the model's longest length, without a stop token: {len(cut_off)}: {some(cut_off)}")
    lines += _lengths(result)
    for reason, names in by_reason(result.not_measured).items():
        lines.append(f"  not measured, as {reason}: {', '.join(names)}")
    return lines


def _lengths(result: Quality) -> list[str]:
    """What the protocol's length rule did."""
    changed = changed_lengths(result.clips)
    if not changed:
        return []
    effect = total_effect(changed)
    done = {
        "generated frames left out": effect.preds_dropped,
        "real frames left out": effect.target_dropped,
        "generated frames compared again": effect.preds_repeated,
        "real frames compared again": effect.target_repeated,
    } if effect else {}  # fmt: skip
    most = max(abs(clip.generated_frames - clip.frames) for clip in changed)
    rule = f"by the rule of the protocol {result.protocol.name}"
    rule += f" ({result.protocol.length})" if result.protocol.length else ""
    said = ", ".join(f"{n} {what}" for what, n in done.items() if n) or "with an effect that is not recorded"
    return [
        f"  other lengths: {len(changed)} of {len(result.clips)} clips scored, by at most {most} frames, "
        f"compared {rule}: {said}"
    ]


def some(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    shown = ", ".join(names[:NAMES_SHOWN])
    return f"{shown} and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else shown


def refuse_failures(records: Sequence[Record]) -> None:
    """End with an error if cells failed: their records are kept, and say why.

    Raises:
        UserError: some did.
    """
    failed = [record for record in records if record.status == "failed"]
    if failed:
        named = "; ".join(f"{record.cell.key}: {record.failure.message}" for record in failed if record.failure)
        raise UserError(
            f"{len(failed)} of {len(records)} cells failed ({named})", remedy="Mend the cause and run it again"
        )
