"""Whether runs were measured in turn: otherwise their times differ by when they were measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lipbench.benchmarks.gate.pairs import BlockPair, BlockRecords

LONGEST_PAUSE_S = 600.0
"""Between the two blocks of a pair: a process starts in seconds, and what runs beside it changes within minutes."""
CLOCK_S = 1.0
"""Records say when they were made to the second."""


@dataclass(frozen=True)
class _Span:
    """When a block was measured, in seconds since 1970."""

    began: float
    ended: float


def interleaving_problem(pairs: Sequence[BlockPair]) -> str | None:
    """Why the times of these pairs may not be compared; None if base and head were measured in turn.

    In turn means: the two blocks of a pair next to each other in time, no other block between them, and base first
    about as often as head, as whatever warms up or slows down meets the second.

    Args:
        pairs: runs that were measured elsewhere.
    """
    if len(pairs) < 2:
        return "a single run of each side was not measured in turn with the other"
    spans = [(_span(pair.base), _span(pair.head)) for pair in pairs]
    if any(base is None or head is None for base, head in spans):
        return "the records do not say when they were measured, so not whether base and head took turns"
    known_spans = [(base, head) for base, head in spans if base is not None and head is not None]
    order = sorted(
        ((span.began + span.ended, place) for place, pair in enumerate(known_spans) for span in pair),
        key=lambda entry: entry[0],
    )
    places = [place for _, place in order]
    if any(entry != other for entry, other in zip(places[::2], places[1::2], strict=True)):
        return "base and head were not measured in turn: between the two runs of a pair another was measured"
    for place, pair in enumerate(known_spans):
        pause = max(span.began for span in pair) - min(span.ended for span in pair)
        if pause > LONGEST_PAUSE_S:
            return f"the two runs of pair {place + 1} were not measured in turn: {pause / 60:.0f} minutes lie between"
    separate_pairs = [
        (base, head) for base, head in known_spans if _ended_before(base, head) or _ended_before(head, base)
    ]
    first = sum(_ended_before(base, head) for base, head in separate_pairs)
    if abs(2 * first - len(separate_pairs)) > 1:
        return f"base was measured first in {first} of {len(separate_pairs)} pairs, not in every other one"
    return None


def turns_note(pairs: Sequence[BlockPair]) -> str | None:
    """A note if base and head did not alternate call by call; else None.

    Args:
        pairs: the gate's pairs; blocks without recorded conditions are ignored.
    """
    watched_blocks = [block for pair in pairs for block in (pair.base, pair.head) if block.conditions]
    timed_blocks = [block for block in watched_blocks if any(record.cell.kind == "latency" for record in block.records)]
    if not timed_blocks or all(block.conditions and block.conditions.turns for block in timed_blocks):
        return None
    return (
        "base or head is of before timed calls took turns, so blocks were measured one after the other: "
        "times scatter more, and small slowdowns stay ambiguous"
    )


def _ended_before(span: _Span, other_span: _Span) -> bool:
    """Whether the first block ended before the other began; False if they overlapped."""
    return span.ended <= other_span.began + CLOCK_S and span.began < other_span.began


def _span(block: BlockRecords) -> _Span | None:
    """From the start of a block's first cell to the end of its last; None where a record does not say."""
    ends: list[tuple[float, float]] = []
    for record in block.records:
        try:
            created = datetime.fromisoformat(record.created)
        except ValueError:
            return None
        if created.tzinfo is None:
            return None
        ends.append((created.timestamp() - record.seconds, created.timestamp()))
    return _Span(min(start for start, _ in ends), max(end for _, end in ends)) if ends else None
