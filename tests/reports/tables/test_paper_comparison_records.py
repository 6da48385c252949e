"""The paper's tables take marks and records over from the run's own."""

from lipbench.reports.markdown.paper_comparison import comparison_table
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.make import make_tables
from lipbench.reports.tables.paper_comparison import compare_with_paper


def beside(records, source):
    """Those of the paper's tables that are one of its, beside what a run measured."""
    tables = make_tables(records, collect_names(records))
    return [table for table in compare_with_paper(records, tables) if table.source == source]


def marks(table, quantity, corpus=None):
    return {r.label: r.cells[quantity].mark for r in table.rows if quantity in r.cells and r.corpus == corpus}


def shifted(make, name, by, *, like="hh_t2l", n=20):
    scores = [c.model_copy(update={"values": {"psnr": c.values["psnr"] + by}}) for c in make.clips(like, n)]
    return make.quality(name, scores=scores, metrics=make.METRICS[:1])


def test_best_and_tied_are_those_of_the_quality_table(make):
    near = shifted(make, "dual_lip", 0)
    jitter = [0.02 if i % 2 else -0.021 for i in range(20)]
    scores = [
        c.model_copy(update={"values": {"psnr": c.values["psnr"] + by}})
        for c, by in zip(near.result.clips, jitter, strict=True)
    ]
    records = [near, make.quality("hh_t2l", scores=scores, metrics=make.METRICS[:1])]
    records += [shifted(make, "transformer_t2l", -3), make.quality("first_frame", n=20)]
    table = beside(records, "Table 1")[0]
    found = marks(table, "psnr")
    assert (found["DualLip"], found["HH-T2L"]) == ("best", "tied")
    assert found["TransformerT2L"] is found["First frame repeated"] is None
    shown = {row.cells[0].text: row.cells[1].mark for row in comparison_table(table).rows}
    assert shown == found


def test_best_and_tied_times_are_those_of_the_latency_table(make):
    scattered = [0.020 + 0.001 * i for i in range(20)]
    walls = {"hh_t2l": scattered, "dual_lip": [w + 0.0002 for w in scattered], "transformer_t2l": [1.0] * 20}
    (table,) = beside([make.latency(name, 75, seconds=seconds) for name, seconds in walls.items()], "Table 3")
    for quantity in ("latency_s", "speedup"):
        found = marks(table, quantity, "GRID, 75 frames")
        assert found == {"HH-T2L": "best", "DualLip": "tied", "TransformerT2L": None}
        assert set(marks(table, quantity, "TCD-TIMIT, 137 frames").values()) == {None}


def test_of_tables_that_fit_one_of_the_papers_each_leads_to_its_own_records(make):
    small = make.quality("hh_t2l", n=12)
    large = make.quality("hh_t2l", n=12, about={"frame_size": (80, 160), "checkpoint": "f" * 64}, asked={"limit": 12})
    fast, slow = (make.latency("hh_t2l", 75, asked={"preset": preset}, about={"preset": preset})
                  for preset in ("small", "paper"))  # fmt: skip
    records = [small, large, fast, slow]
    for source, known in (("Table 1", [small, large]), ("Table 3", [fast, slow])):
        found = [[row.record for row in table.rows if row.record] for table in beside(records, source)]
        assert sorted(found) == sorted([record.cell.key] for record in known)


def test_what_the_run_has_nothing_beside_has_no_record(make):
    (table,) = beside([make.quality("first_frame", corpus="synthetic")], "Table 1")
    assert all(row.record is None for row in table.rows)
    failed = make.failed(make.quality_cell("dual_lip"))
    (table,) = beside([make.quality("hh_t2l", n=12), failed], "Table 1")
    assert [row.label for row in table.rows if row.record] == ["HH-T2L"]
