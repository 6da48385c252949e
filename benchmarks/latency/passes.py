"""Several passes over the same cells: which are there already, and what becomes of a cell when one more is taken."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.latency.outputs import VoidError
from benchmarks.record import Latency, Record
from benchmarks.timing.stability import joined


def fits(record: Record, number: int) -> bool:
    """Whether a record has a pass already, of those numbered from 0, or has ended for good.

    A failed cell is tried again by the first pass only: in later ones it would fail as it did.
    """
    if isinstance(record.result, Latency):
        return record.result.blocks > number or record.result.lost is not None
    return number > 0 or record.status == "not_attempted"


def has_samples(record: Record | None) -> bool:
    """Whether a pass before this one was measured."""
    return record is not None and isinstance(record.result, Latency)


def measured_again(old: Record | None, measure: Callable[[], Latency | None]) -> Latency:
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
        now = measure()
    except VoidError:
        raise
    except Exception as error:
        if before is None:
            raise
        return before.model_copy(update={"lost": f"pass {before.blocks + 1} failed: {type(error).__name__}: {error}"})
    assert now is not None
    return joined(before, now)
