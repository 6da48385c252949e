"""Times of real utterances: the mean that the paper has, speed-ups over the same clips, and what is said of them."""

from typing import Any

import pytest

from lipbench.records.latency import ClipTime, UtteranceLatency
from lipbench.records.record import Cell
from lipbench.reports.markdown.cells import Column
from lipbench.reports.markdown.natural import utterance_latency_notes, utterance_latency_title, utterances_table
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.natural import utterance_latency_frame, utterance_latency_tables


def natural(make, name, walls, *, timer: Any = "synchronised", scored=None, first=0):
    clips = [
        ClipTime(utterance=f"s1/{i:03d}", frames=50 + i, true_frames=60, wall_s=wall, digest="ab")
        for i, wall in enumerate(walls, start=first)
    ]
    result = UtteranceLatency(
        system=make.system(name), device="cpu", dtype="float32", fps=25.0, timer=timer,
        corpus_fingerprint="cc" * 32, clips=clips, scored=scored,
    )  # fmt: skip
    cell = Cell(kind="natural", system=name, preset="small", corpus="grid", device="cpu", timer=timer)
    return make.record(cell, result=result)


def tables(records):
    return utterance_latency_tables(records, collect_names(records))


def test_means_paces_and_speed_ups_over_common_clips(make):
    slow = natural(make, "dual_lip", [0.2 + 0.01 * i for i in range(12)])
    fast = natural(make, "hh_t2l", [0.1] * 12, first=2)  # ten clips in common
    (table,) = tables([slow, fast])
    hh = next(row for row in table.rows if row.name == "hh_t2l")
    assert hh.mean is not None and hh.speedup is not None  # noqa: PT018 - for the type checker
    assert hh.mean.value == pytest.approx(0.1)
    assert hh.speedup.value == pytest.approx(sum(0.2 + 0.01 * i for i in range(2, 12)) / 1.0)
    assert hh.speedup.interval is not None
    assert hh.speedup.interval.low < hh.speedup.value < hh.speedup.interval.high
    shown = {row.cells[0].text: row.cells for row in utterances_table(table).rows}
    assert shown["DualLip"][-1].plain == ("1×",)
    assert (shown["HH-T2L"][1].text, shown["HH-T2L"][1].mark) == ("100", "best")
    assert shown["HH-T2L"][6].text == "57.5"
    assert len(utterance_latency_frame(table)) == 24


def test_timers_corpora_and_machines_never_share_a_table(make):
    one = natural(make, "hh_t2l", [0.1] * 3)
    other = natural(make, "hh_t2l", [0.1] * 3, timer="unsynchronised")
    elsewhere = one.model_copy(update={"machine": make.MACHINE.model_copy(update={"cpu": "Another"})})
    assert len(tables([one, other, elsewhere])) == 3
    titles = [utterance_latency_title(table) for table in tables([one, other])]
    assert titles == ["GRID, synchronised timer, CPU, float32, preset small",
                      "GRID, unsynchronised timer, CPU, float32, preset small"]  # fmt: skip


def test_notes_say_how_the_clock_stopped_and_whether_timed_was_scored(make):
    (table,) = tables([natural(make, "hh_t2l", [0.1] * 3, timer="unsynchronised", scored="quality-hh")])
    notes = " ".join(utterance_latency_notes(table))
    assert "before its work is done" in notes
    assert "equal the scored ones: HH-T2L" in notes
    (table,) = tables([natural(make, "hh_t2l", [0.1] * 3)])
    assert "no scored clips to compare" in " ".join(utterance_latency_notes(table))


def test_a_failed_cell_is_a_row(make):
    failed = make.failed(Cell(kind="natural", system="dual_lip", corpus="grid", timer="synchronised"), message="a | b")
    (table,) = tables([natural(make, "hh_t2l", [0.1] * 3), failed])
    shown = {row.cells[0].text: row.cells[1] for row in utterances_table(table).rows}
    assert (shown["DualLip"].text, shown["DualLip"].mark) == ("failed: RuntimeError: a | b", "failed")


def test_what_is_not_told_from_the_fastest_over_common_clips_is_tied(make):
    walls = [0.1 + 0.01 * i for i in range(12)]
    mixed = [wall + (0.004 if i % 2 else -0.003) for i, wall in enumerate(walls)]
    rows = {"hh_t2l": walls, "dual_lip": mixed, "transformer_t2l": [wall + 0.005 for wall in walls]}
    (table,) = tables([natural(make, name, seconds) for name, seconds in rows.items()])
    marks = {row.name: (row.best, row.tied) for row in table.rows}
    assert marks == {"hh_t2l": (True, False), "dual_lip": (False, True), "transformer_t2l": (False, False)}
    shown = {row.cells[0].text: row.cells[1].plain for row in utterances_table(table).rows}
    assert "tied with the best" in shown["DualLip"]
    assert "Tied:" in " ".join(utterance_latency_notes(table))
    (table,) = tables([natural(make, name, seconds[:3]) for name, seconds in rows.items()])
    assert not any(row.tied for row in table.rows), "three clips tell nothing"
    (table,) = tables([natural(make, "hh_t2l", walls)])
    assert not table.rows[0].best, "there is no choice"


def test_columns_say_which_side_is_better_and_their_units(make):
    (table,) = tables([natural(make, name, [0.1] * 12) for name in ("hh_t2l", "dual_lip")])
    columns = utterances_table(table).columns
    assert [column.title for column in columns if not (column.better and column.unit)] == [
        "System", "Frames made", "Clips",
    ]  # fmt: skip
    assert columns[-1] == Column("Speed-up", "over DualLip", "higher")
