"""Records as lines of text, for whoever watches a run."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.record import Quality, Record
from models.errors import UserError

SHOWN = ("psnr", "ssim", "lmd", "fid", "aperture_correlation", "motion_energy_ratio")
"""Metrics that a line has room for; the report has them all."""


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
    return f"{head} {len(result.clips)} clips   {'   '.join(parts)}"


def refuse_failures(records: Sequence[Record]) -> None:
    """End with an error if cells failed: their records are kept, and say why.

    Raises:
        UserError: some did.
    """
    failed = [record for record in records if record.failure]
    if failed:
        named = "; ".join(f"{record.cell.key}: {record.failure.message}" for record in failed if record.failure)
        raise UserError(
            f"{len(failed)} of {len(records)} cells failed ({named})", remedy="Mend the cause and run it again"
        )
