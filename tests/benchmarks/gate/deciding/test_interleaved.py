from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lipbench.benchmarks.gate.deciding.interleaved import interleaving_problem
from lipbench.benchmarks.gate.pairs import BlockPair, BlockRecords
from lipbench.records.record import Cell, Failure, Record
from lipbench.records.system import Machine, Software

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = 60.0


def block(began: float, seconds: float = MINUTE) -> BlockRecords:
    """Two cells that take half of the time each, measured one after the other."""
    return BlockRecords(tuple(made(began + seconds * part / 2, seconds / 2) for part in (1, 2)))


def made(ended: float, seconds: float, created: str | None = None) -> Record:
    when = (START + timedelta(seconds=ended)).isoformat(timespec="seconds")
    return Record(
        created=created or when, command="", seconds=seconds,
        cell=Cell(kind="latency", system="m"), status="failed", failure=Failure(type="E", message=""),
        machine=Machine(cpu=None, cores=1, memory_bytes=1, system="", threads=1),
        software=Software(python="", packages={}, commit=None, dirty=None),
    )  # fmt: skip


def in_turn(order: str) -> list[BlockPair]:
    """Blocks of a minute each, one right after the other, such as "bhhb"."""
    at = {"b": [], "h": []}
    for place, side in enumerate(order):
        at[side].append(block(place * MINUTE))
    return [BlockPair(base, head) for base, head in zip(at["b"], at["h"], strict=True)]


def test_blocks_in_turn_may_be_compared_in_whatever_order_the_pairs_are_given():
    assert interleaving_problem(in_turn("bhhbbhhbbh")) is None
    assert interleaving_problem(in_turn("bhhbbhhbbh")[::-1]) is None


@pytest.mark.parametrize("order", ["bbbbbhhhhh", "bbhh", "bhhhbb", "hhbbhhbb"])
def test_sides_that_did_not_take_turns_may_not(order):
    assert "between the two runs of a pair another was measured" in (interleaving_problem(in_turn(order)) or "")


def test_a_side_that_always_came_first_has_not_had_the_same_luck():
    assert "base was measured first in 4 of 4 pairs" in (interleaving_problem(in_turn("bhbhbhbh")) or "")
    assert "base was measured first in 0 of 4 pairs" in (interleaving_problem(in_turn("hbhbhbhb")) or "")


def test_pairs_given_crosswise_are_none():
    pairs = in_turn("bhhbbhhb")
    crossed = [BlockPair(one.base, other.head) for one, other in zip(pairs, [*pairs[2:], *pairs[:2]], strict=True)]
    assert interleaving_problem(crossed) is not None


def test_the_two_blocks_of_a_pair_lie_close_together():
    week = 7 * 24 * 60 * MINUTE
    nightly = [BlockPair(block(place * week), block(place * week + week / 2)) for place in range(6)]
    assert "were not measured in turn: 5039 minutes lie between" in (interleaving_problem(nightly) or "")


def test_blocks_that_ran_at_once_have_no_order():
    both = [BlockPair(block(place * 10 * MINUTE), block(place * 10 * MINUTE + 2)) for place in range(6)]
    assert interleaving_problem(both) is None


def test_what_says_nothing_of_its_time_is_not_taken_at_its_word():
    (first, *rest) = in_turn("bhhbbhhb")
    for created in ("yesterday", "2026-01-01T00:00:00"):
        vague = BlockRecords((made(0, 1, created), *first.base.records[1:]))
        assert "do not say when" in (interleaving_problem([BlockPair(vague, first.head), *rest]) or "")
    assert "a single run of each side" in (interleaving_problem(in_turn("bh")) or "")
