"""The paper's tables beside a run: every number of the paper has a place, and no status says more than it can."""

import math
from typing import Any

import numpy as np
import pytest

from lipbench.records.record import Failure
from lipbench.reports.markdown.cells import Span
from lipbench.reports.markdown.paper_comparison import comparison_table
from lipbench.reports.paper import load_paper
from lipbench.reports.tables.csv import comparison_frame
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.make import make_tables
from lipbench.reports.tables.paper_comparison import compare_with_paper

PAPER_SIZE = (80, 160)


def compared(records):
    return compare_with_paper(records, make_tables(records, collect_names(records)))


def one(records, source, system, quantity, *, variant=None, corpus=None) -> Any:
    """The only entry of a number of the paper."""
    wanted = {"source": source, "system": system, "quantity": quantity} | ({"variant": variant} if variant else {})
    rows: Any = comparison_frame(compared(records)).itertuples()
    found = [
        row
        for row in rows
        if all(getattr(row, name) == value for name, value in wanted.items())
        and (corpus is None or row.corpus.startswith(corpus))
    ]
    assert len(found) == 1
    return found[0]


def scored(make, *, psnr, n=20, **more):
    """HH-T2L at the paper's size with PSNR scattered evenly about a value."""
    clips = [
        clip.model_copy(update={"values": clip.values | {"psnr": psnr + (0.1 if i % 2 else -0.1)}})
        for i, clip in enumerate(make.clips("hh_t2l", n))
    ]
    about = {"frame_size": PAPER_SIZE} | more.pop("about", {})
    return make.quality("hh_t2l", scores=clips, about=about, **more)


def test_each_number_of_the_paper_is_there_even_if_a_run_has_none(make):
    frame = comparison_frame(compared([make.quality("first_frame", corpus="synthetic")]))
    # tables 1 and 2: 3 systems by 3 metrics; table 3: 2 corpora, 3 systems, 2 numbers; table 4: 4 variants by 4 metrics
    assert frame.groupby("source").size().to_dict() == {"Table 1": 9, "Table 2": 9, "Table 3": 12, "Table 4": 16}
    assert set(frame.status) == {"not attempted"}


@pytest.mark.parametrize(("psnr", "status"), [(28.74, "reproduced"), (29.74, "differs"), (27.74, "differs")])
def test_a_number_is_reproduced_only_where_our_whole_interval_is_near_it(make, psnr, status):
    found = one([scored(make, psnr=psnr)], "Table 1", "HH-T2L", "psnr")
    assert found.status == status
    assert found.difference == pytest.approx(psnr - 28.74)
    assert found.tolerance == load_paper().tolerances["psnr"]


def test_a_wide_interval_around_the_papers_number_is_no_reproduction(make):
    wide = [
        clip.model_copy(update={"values": clip.values | {"psnr": 28.74 + (3 if i % 2 else -3)}})
        for i, clip in enumerate(make.clips("hh_t2l", 20))
    ]
    record = make.quality("hh_t2l", scores=wide, about={"frame_size": PAPER_SIZE})
    found = one([record], "Table 1", "HH-T2L", "psnr")
    assert found.low < 28.74 < found.high
    assert found.status == "undecided"
    table = next(table for table in compared([record]) if table.source == "Table 1")
    text = next(row.cells[1].plain for row in comparison_table(table).rows if row.cells[0].text == "HH-T2L")
    assert text[-1].startswith("undecided: up to")
    assert text[-1].endswith("0.50 allowed")


def test_a_difference_beyond_chance_but_within_the_tolerance_counts_as_a_reproduction(make):
    found = one([scored(make, psnr=28.94)], "Table 1", "HH-T2L", "psnr")
    assert found.low > 28.75  # chance does not explain it
    assert found.status == "reproduced"
    assert found.distance == pytest.approx(found.high - 28.74)


def test_controls_are_rows_of_the_tables_that_were_scored(make):
    records = [scored(make, psnr=28.74), make.quality("first_frame", about={"frame_size": PAPER_SIZE})]
    tables = {table.source: table for table in compared(records)}
    assert [row.label for row in tables["Table 1"].rows if row.control] == ["First frame repeated"]
    assert not [row for row in tables["Table 2"].rows if row.control]
    control = one(records, "Table 1", "First frame repeated", "psnr")
    assert control.status == "control"
    assert math.isnan(control.paper)
    text = comparison_table(tables["Table 1"])
    assert [row.cells[0].text for row in text.rows if row.control] == ["First frame repeated"]
    assert text.rows[-1].control
    assert "paper" not in "".join(text.rows[-1].cells[1].plain)


def test_what_was_not_attempted_says_why(make):
    refused = make.record(
        make.latency_cell("hh_t2l", 75), status="not_attempted", failure=Failure(type="Skipped", message="no GPU here")
    )
    records = [make.latency("dual_lip", 75), refused]
    found = one(records, "Table 3", "HH-T2L", "speedup", corpus="GRID")
    assert (found.status, found.reason) == ("not attempted", "no GPU here")


def test_half_of_the_last_printed_digit_is_the_papers_own_rounding(make):
    # every clip alike: an interval of no width, 0.004 dB beside a value printed to 0.01
    alike = [c.model_copy(update={"values": c.values | {"psnr": 28.744}}) for c in make.clips("hh_t2l", 20)]
    found = one([make.quality("hh_t2l", scores=alike, about={"frame_size": PAPER_SIZE})], "Table 1", "HH-T2L", "psnr")
    assert found.status == "reproduced"


def test_an_equal_number_at_another_size_is_no_reproduction(make):
    found = one([scored(make, psnr=28.74, about={"frame_size": (40, 80)})], "Table 1", "HH-T2L", "psnr")
    assert (found.status, found.reason) == ("not comparable", "frames of 40x80")


def test_random_weights_reproduce_nothing(make):
    record = scored(make, psnr=28.74, about={"checkpoint": None, "training": None})
    assert one([record], "Table 1", "HH-T2L", "psnr").reason == "untrained"


def test_too_few_clips_decide_nothing(make):
    found = one([scored(make, psnr=20.0, n=4)], "Table 1", "HH-T2L", "psnr")
    assert (found.status, found.reason) == ("undecided", "n too small: 4 clips")


@pytest.mark.parametrize(
    ("baseline", "system", "said"),
    [
        (7, 13, "n too small: 7 calls of the baseline"),
        (13, 7, "n too small: 7 calls"),
        (1, 9, "n too small: 9 calls, 1 of the baseline"),
    ],
)
def test_the_side_that_has_too_few_calls_is_named_with_its_number(make, baseline, system, said):
    records = [make.latency("dual_lip", 75, n=baseline), make.latency("hh_t2l", 75, n=system)]
    found = one(records, "Table 3", "HH-T2L", "speedup", corpus="GRID")
    assert (found.status, found.reason) == ("undecided", said)
    assert np.isnan(found.low)


def test_another_split_is_not_the_papers(make):
    tables = compared([scored(make, psnr=28.74, split="val")])
    table = next(table for table in tables if table.source == "Table 1")
    assert "another split" in table.about
    assert {cell.status for row in table.rows for cell in row.cells.values()} == {"not attempted"}


@pytest.mark.parametrize(
    ("ssim", "adversarial", "variant"),
    [(0.0, 0.0, "base (L1)"), (1.0, 0.0, "+SSIM"), (0.0, 5.0, "+ADV"), (1.0, 5.0, "+SSIM+ADV")],
)
def test_the_recipe_says_which_ablation_a_model_is(make, ssim, adversarial, variant):
    recipe = {"weight_ssim": ssim, "weight_adversarial": adversarial}
    training = make.TRAINING.model_copy(update={"recipe": recipe})
    record = scored(make, psnr=30.0, durations="true", about={"training": training})
    table = next(table for table in compared([record]) if table.source == "Table 4")
    assert [row.variant for row in table.rows if row.cells["psnr"].ours is not None] == [variant]
    assert len(table.rows) == 4


def test_a_metric_without_weights_says_why_and_a_failed_cell_too(make):
    record = scored(make, psnr=30.0, durations="true")
    no_fid = record.model_copy(update={"result": record.result.model_copy(update={"not_measured": {"fid": "no net"}})})
    assert one([no_fid], "Table 4", "HH-T2L", "fid", variant="+SSIM").reason == "no net"
    failed = make.failed(make.quality_cell("dual_lip"), message="the loss is nan")
    found = one([scored(make, psnr=30.0), failed], "Table 1", "DualLip", "lmd")
    assert (found.status, found.reason) == ("failed", "RuntimeError: the loss is nan")


def test_of_latency_only_the_speed_up_is_judged(make):
    slow, fast = [0.2618 + 0.001 * (i % 5 - 2) for i in range(20)], [0.02 + 0.0001 * (i % 5 - 2) for i in range(20)]
    records = [make.latency("dual_lip", 75, seconds=slow), make.latency("hh_t2l", 75, seconds=fast)]
    assert one(records, "Table 3", "HH-T2L", "speedup", corpus="GRID").status == "reproduced"
    assert one(records, "Table 3", "HH-T2L", "latency_s", corpus="GRID").status == "not comparable"
    assert one(records, "Table 3", "HH-T2L", "speedup", corpus="TCD-TIMIT").status == "not attempted"
    slower = [make.latency("dual_lip", 75, seconds=slow), make.latency("hh_t2l", 75, seconds=slow)]
    assert one(slower, "Table 3", "HH-T2L", "speedup", corpus="GRID").status == "differs"


def test_without_the_baseline_there_is_no_speed_up_and_another_batch_is_not_the_papers(make):
    found = one([make.latency("hh_t2l", 75)], "Table 3", "HH-T2L", "speedup", corpus="GRID")
    assert found.status == "not measured"
    assert math.isnan(found.ours)
    table = next(t for t in compared([make.latency("hh_t2l", 75, batch=4)]) if t.source == "Table 3")
    assert "batch of 1" in table.about


def test_text_has_ours_the_papers_and_the_status_and_escapes_names(make):
    record = scored(make, psnr=29.74, about={"title": "HH <b>|*x*"})
    text = comparison_table(next(table for table in compared([record]) if table.source == "Table 1"))
    cell = next(row.cells[1] for row in text.rows if row.cells[0].text == "HH <b>|*x*")
    assert cell.text == "29.74"
    assert cell.lines[0] == Span("paper 28.74 (+1.00)", "em")
    assert cell.lines[1][0] == Span("differs", "strong")
