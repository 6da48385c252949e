"""From the paper's tables back to the run's own: marks and records."""

from reports.comparison import compare_with_paper
from reports.comparison_origin import mark_of, origins, record_of
from reports.comparison_text import comparison_text
from reports.paper import load_paper
from reports.systems import naming
from reports.tables import make_tables


def beside(records):
    """The paper's tables with the run's own, and the latter."""
    paper = load_paper()
    tables = make_tables(records, naming(records, paper), paper)
    compared = compare_with_paper(records, tables, paper)
    return list(zip(compared, origins(compared, tables), strict=True)), tables


def shifted(make, name, by, *, like="hh_t2l", n=20, **more):
    scores = [c.model_copy(update={"values": {"psnr": c.values["psnr"] + by}}) for c in make.clips(like, n)]
    return make.quality(name, scores=scores, metrics=make.METRICS[:1], **more)


def test_best_and_tied_are_those_of_the_quality_table(make):
    near = shifted(make, "dual_lip", 0)
    jitter = [0.02 if i % 2 else -0.021 for i in range(20)]
    scores = [
        c.model_copy(update={"values": {"psnr": c.values["psnr"] + by}})
        for c, by in zip(near.result.clips, jitter, strict=True)
    ]
    records = [near, make.quality("hh_t2l", scores=scores, metrics=make.METRICS[:1])]
    records += [shifted(make, "transformer_t2l", -3), make.quality("first_frame", n=20)]
    pairs, tables = beside(records)
    (compared, own), *_ = [pair for pair in pairs if pair[0].source == "Table 1"]
    assert own is tables.quality[0]
    marks = {row.label: mark_of(row, "psnr", own) for row in compared.rows}
    assert marks["DualLip"] == "best"
    assert marks["HH-T2L"] == "tied"
    assert marks["TransformerT2L"] is marks["First frame repeated"] is None
    text = {row[0].split("<br>")[0]: row[1] for row in comparison_text(compared, own).rows if len(row) > 1}
    assert text["DualLip"].startswith("**")
    assert "tied with the best" in text["HH-T2L"]
    assert "**" not in text["TransformerT2L"].split("<br>")[0]


def test_best_and_tied_times_are_those_of_the_latency_table(make):
    scattered = [0.020 + 0.001 * i for i in range(20)]
    walls = {"hh_t2l": scattered, "dual_lip": [w + 0.0002 for w in scattered], "transformer_t2l": [1.0] * 20}
    pairs, tables = beside([make.latency(name, 75, seconds=seconds) for name, seconds in walls.items()])
    (compared, own), *_ = [pair for pair in pairs if pair[0].source == "Table 3"]
    assert own is tables.latency[0]
    found = {row.label: mark_of(row, "latency_s", own) for row in compared.rows if row.corpus == "GRID, 75 frames"}
    assert found == {"HH-T2L": "best", "DualLip": "tied", "TransformerT2L": None}
    assert all(mark_of(row, "latency_s", own) is None for row in compared.rows if "137" in row.corpus)


def test_of_tables_that_fit_one_of_the_papers_each_leads_to_its_own(make):
    small = make.quality("hh_t2l", n=12)
    large = make.quality("hh_t2l", n=12, about={"frame_size": (80, 160), "checkpoint": "f" * 64}, asked={"limit": 12})
    fast, slow = (make.latency("hh_t2l", 75, asked={"preset": preset}, about={"preset": preset})
                  for preset in ("small", "paper"))  # fmt: skip
    pairs, _ = beside([small, large, fast, slow])
    found = [record_of(row, own) for table, own in pairs for row in table.rows if own is not None]
    keys = [record.cell.key for record in (small, large, slow, fast)]
    assert sorted(filter(None, found)) == sorted(keys)


def test_what_the_run_has_nothing_beside_has_no_record(make):
    pairs, _ = beside([make.quality("first_frame", corpus="synthetic")])
    assert [own for _, own in pairs] == [None] * len(pairs)
    assert all(record_of(row, None) is None and mark_of(row, "psnr", None) is None for row in pairs[0][0].rows)
    failed = make.failed(make.quality_cell("dual_lip"))
    pairs, _ = beside([make.quality("hh_t2l", n=12), failed])
    compared, own = next(pair for pair in pairs if pair[0].source == "Table 1")
    assert {row.label for row in compared.rows if record_of(row, own)} == {"HH-T2L"}
