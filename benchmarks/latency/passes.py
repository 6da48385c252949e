"""Several passes over the same cells: which are done, and how a new pass is added to a cell."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from lipbench.benchmarks.latency.outputs import OutputMismatchError
from lipbench.records.latency import FirstFrame, Latency, LatencySample
from lipbench.records.record import Record


def is_pass_done(record: Record, number: int) -> bool:
    """Whether a record already has this pass, or takes no further one.

    A failed cell is tried again by the first pass only: in later ones it would fail as it did.
    """
    if isinstance(record.result, Latency):
        return record.result.blocks > number or record.result.lost is not None
    return number > 0 or record.status == "not_attempted"


def has_samples(record: Record | None) -> bool:
    """Whether a pass before this one was measured."""
    return record is not None and isinstance(record.result, Latency)


def add_pass(old: Record | None, measure: Callable[[], Latency | None]) -> Latency:
    """Take one more pass of a cell.

    Args:
        old: its record so far; None: there is none.
        measure: takes the pass.

    Returns:
        All passes. If this one fails, those before it are kept, with the reason in `lost`.

    Raises:
        VoidError: the model did not make what it should have, which voids the passes before too.
        Exception: the pass failed, and there is none before it.
    """
    before = old.result if old is not None and isinstance(old.result, Latency) else None
    try:
        new_pass = measure()
    except OutputMismatchError:
        raise
    except Exception as error:
        if before is None:
            raise
        return before.model_copy(update={"lost": f"pass {before.blocks + 1} failed: {type(error).__name__}: {error}"})
    assert new_pass is not None
    return join_passes(before, new_pass)


MAX_SPREAD = 0.10
"""How far medians may be apart (Triton's Perf Analyzer holds windows to the same 10 %)."""
HALVES_FROM = 6
"""Fewest samples of a block whose halves are compared."""


def instability(samples: Sequence[LatencySample], *, settled: bool) -> str | None:
    """Why a cell's samples do not agree.

    Args:
        samples: raw ones, in the order in which they were taken.
        settled: whether the warm-up ended because its calls were flat.

    Returns:
        The first that holds of: the warm-up did not settle, medians of the passes are more than `MAX_SPREAD` apart,
        those of the halves of a pass are. None if none does.
    """
    if not settled:
        return "the warm-up ended before its calls were flat"
    blocks: dict[int, list[float]] = {}
    for sample in samples:
        blocks.setdefault(sample.block, []).append(sample.wall_s)
    spread = _relative_spread([statistics.median(walls) for walls in blocks.values()])
    if spread > MAX_SPREAD:
        return f"medians of its {len(blocks)} passes are {spread:.0%} apart"
    for block, walls in blocks.items():
        half = len(walls) // 2
        spread = _relative_spread([statistics.median(walls[:half]), statistics.median(walls[half:])]) if half else 0.0
        if len(walls) >= HALVES_FROM and spread > MAX_SPREAD:
            return f"the halves of pass {block + 1} are {spread:.0%} apart"
    return None


def _relative_spread(medians: list[float]) -> float:
    return max(medians) / min(medians) - 1


def join_passes(before: Latency | None, new_pass: Latency) -> Latency:
    """Add a pass to those that a cell has.

    Raises:
        ValueError: the passes did not measure the same thing.
    """
    if before is None:
        return new_pass
    # as they are written: a tuple of a model's options comes back from a file as a list
    earlier_fields, new_fields = (
        part.model_dump(mode="json", include={"system", "costs", "dtype"}) for part in (before, new_pass)
    )
    changed_fields = [name for name, value in new_fields.items() if earlier_fields[name] != value]
    if changed_fields:
        raise ValueError(f"this pass did not measure what those before it did: {', '.join(changed_fields)} changed")
    block = before.blocks
    samples = [*before.samples, *(sample.model_copy(update={"block": block}) for sample in new_pass.samples)]
    is_settled = before.settled and new_pass.settled
    return before.model_copy(
        update={
            "samples": samples,
            "settled": is_settled,
            "unstable": instability(samples, settled=is_settled),
            "outputs": [*before.outputs, *new_pass.outputs],
            "first_frame": _join_first_frames(before.first_frame, new_pass.first_frame, block),
            "telemetry": [
                *before.telemetry,
                *(reading.model_copy(update={"block": block}) for reading in new_pass.telemetry),
            ],
        }
    )


def _join_first_frames(before: FirstFrame | None, new_start: FirstFrame | None, block: int) -> FirstFrame | None:
    if before is None or new_start is None:
        return before
    later = [sample.model_copy(update={"block": block}) for sample in new_start.samples]
    return before.model_copy(update={"samples": [*before.samples, *later]})
