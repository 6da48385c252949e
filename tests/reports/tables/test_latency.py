"""Latency tables: what may share one, and every number in a cell."""

import numpy as np
import pytest

from lipbench.records.latency import Ceilings, Costs, Energy, FirstFrame, Floor, LatencySample, Memory
from lipbench.reports.markdown.latency import cells_table, costs_table, latency_notes, medians_table, speedup_table
from lipbench.reports.tables.csv import latency_frame
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.latency import MOST_LENGTHS, latency_tables


def tables_of(records):
    return latency_tables(records, collect_names(records))


def only(records):
    (table,) = tables_of(records)
    return table


def cell_of(table, label, title):
    cells = next(row.cells for row in table.rows if row.cells[0].text == label)
    return cells[[column.title.replace("\u00a0", " ") for column in table.columns].index(title)]


def shown(table, label, title):
    """A cell as plain text, all lines in one string."""
    return "\n".join(cell_of(table, label, title).plain)


def by_head(table):
    """The first row's cells by what stands above them, in one line."""
    heads = [f"{column.head} {column.unit}".replace("\u00a0", " ").strip() for column in table.columns]
    return dict(zip(heads, ("\n".join(cell.plain) for cell in table.rows[0].cells), strict=True))


@pytest.fixture
def trio(make):
    return [make.latency(n, f) for n in ("hh_t2l", "dual_lip", "transformer_t2l") for f in (25, 75, 100, 137)]


def test_a_cell_holds_median_interval_pace_and_real_time_factor(make):
    seconds = [0.030, 0.031, 0.029, 0.030, 0.032, 0.030, 0.090]
    table = only([make.latency("hh_t2l", 50, seconds=seconds, batch=2)])
    cell = table.rows[0].measured[50]
    assert cell.wall.median == 0.030
    assert cell.ms_per_frame == pytest.approx(30 / (50 * 2))
    assert cell.real_time_factor == pytest.approx(0.030 / (50 / 25))
    text = shown(medians_table(table), "HH-T2L", "50 frames")
    assert text.startswith("30.0\n")
    assert "[29.0, 90.0]" in text
    assert shown(medians_table(table), "HH-T2L", "Pace") == "0.30"
    assert shown(medians_table(table), "HH-T2L", "RTF") == "0.015"


def test_pace_and_real_time_factor_reach_from_the_best_length_to_the_worst(make):
    table = only([make.latency("hh_t2l", n, seconds=[0.010 + 0.0004 * n] * 6) for n in (25, 100)])
    assert shown(medians_table(table), "HH-T2L", "Pace") == "0.50–0.80"
    assert shown(medians_table(table), "HH-T2L", "RTF") == "0.013–0.020"
    text = cells_table(table)
    place = list(by_head(text)).index("RTF ↓ s per s of clip")
    assert [row.cells[place].text for row in text.rows] == ["0.020", "0.013"]


def test_paper_values_at_the_papers_lengths_only(trio):
    table = only(trio)
    text = medians_table(table)
    assert "paper 22" in shown(text, "HH-T2L", "75 frames")
    assert "paper 34" in shown(text, "HH-T2L", "137 frames")
    assert "paper 1\u202f278" in shown(text, "TransformerT2L", "137 frames")
    assert "paper" not in shown(text, "HH-T2L", "100 frames")
    notes = " ".join(latency_notes(table))
    assert "RTX 2080 Ti" in notes
    assert "without waiting for the GPU" in notes
    assert "not comparable in absolute terms: 40x80 pixels here" in notes


def test_speedup_over_dual_lip_at_the_same_length(trio):
    table = only(trio)
    medians = {row.name: {n: cell.wall.median for n, cell in row.measured.items()} for row in table.rows}
    text = speedup_table(table)
    assert text is not None
    for row in table.rows:
        for length, cell in row.measured.items():
            assert cell.speedup is not None
            assert cell.speedup.value == pytest.approx(medians["dual_lip"][length] / medians[row.name][length])
    assert "paper 13.09×" in shown(text, "HH-T2L", "75 frames")
    assert shown(text, "DualLip", "75 frames") == "1×"


def test_without_dual_lip_there_is_no_speedup_and_the_reader_is_told(make):
    table = only([make.latency("hh_t2l", 75)])
    assert speedup_table(table) is None
    assert any("DualLip was not measured" in note for note in latency_notes(table))


@pytest.mark.parametrize(
    "other", [{"device": "cuda"}, {"batch": 4}, {"about": {"preset": "paper"}}, {"machine": "other"}], ids=str
)
def test_times_that_were_not_taken_alike_never_share_a_table(make, other):
    if "machine" in other:
        other = {"machine": make.MACHINE.model_copy(update={"threads": 1})}
    found = tables_of([make.latency("hh_t2l", 75), make.latency("dual_lip", 75, **other)])
    assert [len(table.rows) for table in found] == [1, 1]
    assert all(
        cell.speedup is None
        for table in found
        if table.rows[0].name == "hh_t2l"
        for cell in table.rows[0].measured.values()
    )


def test_a_failed_length_is_a_cell_and_a_failed_system_a_row(make):
    records = [
        make.latency("hh_t2l", 75),
        make.latency("dual_lip", 75),
        make.failed(make.latency_cell("dual_lip", 200), message="too | slow"),
        make.failed(make.latency_cell("transformer_t2l", None), kind="MemoryError"),
    ]
    table = only(records)
    text = medians_table(table)
    assert table.lengths == [75, 200]
    assert shown(text, "DualLip", "200 frames") == "failed: RuntimeError: too | slow"
    assert shown(text, "HH-T2L", "200 frames") == "–"
    assert shown(text, "TransformerT2L", "75 frames").startswith("failed: MemoryError")
    frame = latency_frame(table)
    assert list(frame[frame.status == "failed"].system) == ["dual_lip", "transformer_t2l", "transformer_t2l"]


@pytest.mark.parametrize("change", [{"device": "cuda"}, {"batch": 8}, {"preset": "paper"}], ids=str)
def test_a_failed_cell_of_another_condition_is_no_cell_here(make, change):
    failed = make.failed(make.latency_cell("dual_lip", 75, **change))
    assert [row.name for row in only([make.latency("hh_t2l", 75), failed]).rows] == ["hh_t2l"]


@pytest.mark.parametrize("field", ["device", "batch", "preset"])
def test_what_a_failed_cell_did_not_name_fits_every_table(make, field):
    failed = make.failed(make.latency_cell("dual_lip", 75, **{field: None}))
    assert [row.name for row in only([make.latency("hh_t2l", 75), failed]).rows] == ["hh_t2l", "dual_lip"]


def test_a_failure_on_another_machine_is_no_cell_here(make):
    other = make.failed(make.latency_cell("dual_lip", 75), machine=make.MACHINE.model_copy(update={"threads": 1}))
    assert [row.name for row in only([make.latency("hh_t2l", 75), other]).rows] == ["hh_t2l"]


def test_a_length_that_failed_under_other_options_is_a_row_of_its_own(make):
    failed = make.failed(make.latency_cell("dual_lip", 75, options={"cache": False}))
    table = only([make.latency("dual_lip", 25), failed])
    assert [row.label for row in table.rows] == ["DualLip (cache=False)", "DualLip (cache=default)"]
    assert [sorted(row.cells) for row in table.rows] == [[75], [25]]


def test_two_checkpoints_of_one_model_are_two_rows_and_the_first_is_the_baseline(make):
    later = make.TRAINING.model_copy(update={"steps": 9000})
    longer = {"training": later, "checkpoint": "beef" * 16}
    fast = make.latency("dual_lip", 75, seconds=[0.1] * 10, about=longer, asked={"checkpoint": "b.ckpt"})
    table = only([make.latency("dual_lip", 75, seconds=[0.2] * 10), fast])
    assert [row.label for row in table.rows] == ["DualLip (4\u202f000 steps)", "DualLip (9\u202f000 steps)"]
    assert [row.measured[75].wall.median for row in table.rows] == [0.2, 0.1]
    assert table.baseline == "DualLip (4\u202f000 steps)"
    text = speedup_table(table)
    assert text is not None
    assert text.columns[0].title == "Speed-up over DualLip (4\u202f000 steps)"
    assert [row.cells[1].plain[0] for row in text.rows] == ["1×", "2.00×"]
    assert [row.cells[1].mark for row in text.rows] == [None, "best"]


def test_values_of_the_paper_stand_beside_its_own_batch_size_only(make):
    table = only([make.latency(name, 75, batch=4) for name in ("hh_t2l", "dual_lip")])
    assert not table.shows_paper
    assert all(cell.paper is None for row in table.rows for cell in row.measured.values())
    assert "paper" not in str(medians_table(table)) + str(speedup_table(table))
    notes = " ".join(latency_notes(table))
    assert "The paper measured at batch size 1 only" in notes
    assert "RTX 2080 Ti" not in notes
    assert "batch size 1 only" not in " ".join(latency_notes(only([make.latency("hh_t2l", 75)])))


def test_a_cell_that_did_not_settle_says_so(make):
    table = only([make.latency("hh_t2l", 25, settled=False), make.latency("hh_t2l", 75)])
    assert "not settled" in shown(medians_table(table), "HH-T2L", "25 frames")
    assert "not settled" not in shown(medians_table(table), "HH-T2L", "75 frames")
    assert any(note.startswith("1 cell had not settled") for note in latency_notes(table))


def test_fit_over_lengths(make):
    lengths = (25, 50, 100, 200)
    records = [make.latency("hh_t2l", n, seconds=[0.010 + 0.0002 * n] * 8) for n in lengths]
    line = only(records).rows[0].line
    assert line is not None
    assert (line.intercept, line.slope) == pytest.approx((0.010, 0.0002))
    assert shown(medians_table(only(records)), "HH-T2L", "Fit").startswith("10.0 + 0.20 L")
    assert "n too small: 3 lengths" in shown(medians_table(only(records[:3])), "HH-T2L", "Fit")


def test_few_calls_give_no_interval(make):
    table = only([make.latency("hh_t2l", 75, seconds=[0.02] * 5)])
    assert table.rows[0].measured[75].wall.interval is None
    assert "n too small" in shown(medians_table(table), "HH-T2L", "75 frames")


def test_details_hold_percentiles_first_call_and_device_time(make):
    table = only([make.latency("hh_t2l", 75, device="cuda")])
    walls = [s.wall_s for s in make.latency("hh_t2l", 75, device="cuda").result.samples]
    text = cells_table(table)
    row = by_head(text)
    assert row["p95 ↓ ms"] == f"{np.quantile(walls, 0.95) * 1000:.1f}"
    assert row["First call ↓ ms"] == f"{(0.004 + 0.0003 * 75) * 3000:.1f}"
    assert row["Device median ↓ ms"] == f"{np.median(walls) * 800:.1f}"
    assert row["Stable"] == "yes"
    assert "Device median ↓ ms" not in by_head(cells_table(only([make.latency("hh_t2l", 75)])))


def test_the_fastest_model_is_bold(trio):
    text = medians_table(only(trio))
    assert [cell_of(text, label, "75 frames").mark for label in ("HH-T2L", "DualLip")] == ["best", None]
    found = only(trio).fastest()
    assert found is not None
    assert (found[0], found[1].name) == (137, "hh_t2l")


def test_what_is_not_told_from_the_fastest_model_is_tied_and_what_has_too_few_calls_is_not(make):
    def marks(fast, near, far):
        walls = {"hh_t2l": fast, "dual_lip": near, "transformer_t2l": far}
        table = only([make.latency(name, 75, seconds=seconds) for name, seconds in walls.items()])
        cells = {row.name: row.measured[75] for row in table.rows}
        return table, {name: (cell.best, cell.tied) for name, cell in cells.items()}

    scattered = [0.020 + 0.001 * i for i in range(20)]
    slower = [wall + 0.0002 for wall in scattered]
    table, found = marks(scattered, slower, [wall + 0.008 for wall in scattered])
    assert found == {"hh_t2l": (True, False), "dual_lip": (False, True), "transformer_t2l": (False, False)}
    assert "tied with the best" in shown(medians_table(table), "DualLip", "75 frames")
    assert "tied with the best" in shown(speedup_table(table), "DualLip", "75 frames")
    assert cell_of(speedup_table(table), "HH-T2L", "75 frames").mark == "best"
    assert list(latency_frame(table).tied) == [False, True, False]
    assert "Tied: the 95 % bootstrap interval" in " ".join(latency_notes(table))
    table, found = marks(scattered[:5], slower[:5], [1.0] * 5)
    assert found["dual_lip"] == (False, False)
    assert "Tied" not in " ".join(latency_notes(table))


def test_every_column_that_has_a_better_side_says_which_and_every_one_its_unit(make):
    names = ("hh_t2l", "dual_lip")
    table = only([make.latency(name, n) for name in names for n in (25, 75)])
    speedups = speedup_table(table)
    assert speedups is not None
    assert all(column.better == "higher" and column.unit for column in speedups.columns[1:])
    plain = {"System", "Fit", "Frames", "Tokens", "Calls", "Passes", "Stable"}
    timed = [*medians_table(table).columns, *cells_table(table).columns]
    assert all(column.better == "lower" and column.unit for column in timed if column.title not in plain)


def enriched(make, **more):
    record = make.latency("hh_t2l", 75, seconds=[0.03] * 100 + [0.09])
    return record.model_copy(update={"result": record.result.model_copy(update=more)})


def test_costs_are_shown_as_far_as_a_record_holds_them(make):
    ceilings = Ceilings(operations_per_s=1e11, bytes_per_s=1e10)
    table = only(
        [
            enriched(
                make,
                costs=Costs(operations=2_300_000_000, parameters=5, launches=1234, activation_bytes=56_000_000),
                floor=Floor(ceilings=ceilings, arithmetic_s=0.010, memory_s=0.002),
                memory=Memory(resident_bytes=700_000_000),
                energy=Energy(calls=10, seconds=2.0, joules=45.0),
                first_frame=FirstFrame(rule="stream", frames=5, samples=[LatencySample(wall_s=0.004)] * 3),
                load_s=0.25,
            )
        ]
    )
    costs = costs_table(table)
    assert costs is not None
    assert by_head(costs) == {
        "System": "HH-T2L", "Frames": "75", "Latency ↓ times the floor": "3.0×", "Operations ↓ G": "2.3",
        "Launches ↓": "1\u202f234", "Activations ↓ MB": "56", "Process ↓ MB": "700", "Energy ↓ J per clip": "4.5",
        "Load ↓ ms": "250",
    }  # fmt: skip
    details = by_head(cells_table(table))
    assert details["First frame ↓ ms"] == "4.00"
    assert details["p99 ↓ ms"] == "30.0"
    frame = latency_frame(table)
    assert frame.joules_per_clip[0] == 4.5
    assert frame.over_floor[0] == pytest.approx(3.0)
    assert costs_table(only([make.latency("hh_t2l", 75)])) is None


def test_a_cell_faster_than_its_floor_says_that_the_ceilings_are_too_low(make):
    def notes(arithmetic_s: float) -> str:
        ceilings = Ceilings(operations_per_s=1e11, bytes_per_s=1e10)
        floor = Floor(ceilings=ceilings, arithmetic_s=arithmetic_s, memory_s=0.002)
        return " ".join(latency_notes(only([enriched(make, floor=floor)])))

    assert "1 cell took less than the floor" in notes(0.040)
    assert "less than the floor" not in notes(0.020)


def test_an_unstable_cell_and_a_lost_pass_say_so_with_the_reason(make):
    table = only([enriched(make, unstable="passes are 40 % apart", lost="MemoryError | later")])
    assert "unstable" in shown(medians_table(table), "HH-T2L", "75 frames")
    notes = " ".join(latency_notes(table))
    assert "1 cell unstable: HH-T2L at 75 frames (passes are 40 % apart)" in notes
    assert "MemoryError \\| later" in notes
    assert latency_frame(table).unstable[0] == "passes are 40 % apart"


def test_variants_are_rows_of_their_own_and_the_model_as_it_is_stays_the_baseline(make):
    graph = make.latency("dual_lip", 75, seconds=[0.1] * 10, asked={"variant": "cuda_graph"})
    graph = graph.model_copy(update={"result": graph.result.model_copy(update={"variant": "cuda_graph"})})
    eager = make.latency("dual_lip", 75, seconds=[0.2] * 10, asked={"variant": "eager"})
    table = only([graph, eager])
    assert {row.label for row in table.rows} == {"DualLip", "DualLip (cuda_graph)"}
    assert table.baseline == "DualLip"


def test_of_many_lengths_some_have_a_column_and_the_rest_is_said_to_be_in_the_csv(make):
    lengths = [*range(20, 140, 4), 137]
    table = only([make.latency(name, n, n=6) for name in ("hh_t2l", "dual_lip") for n in lengths])
    text = medians_table(table)
    heads = [int(c.title.split("\u00a0")[0]) for c in text.columns if c.title.endswith("\u00a0frames")]
    assert len(heads) <= MOST_LENGTHS < len(lengths)
    assert heads == sorted(set(heads))
    assert {20, 137} <= set(heads), "both ends, and the paper's longest"
    assert {len(row.cells) for row in text.rows} == {len(text.columns)}
    assert [c.title.split("\u00a0")[0] for c in speedup_table(table).columns[1:]] == [str(n) for n in heads]
    assert len(latency_frame(table)) == 2 * len(lengths)
    (note,) = [note for note in latency_notes(table) if "have a column" in note]
    assert note.startswith(f"{len(heads)} of {len(lengths)} lengths have a column")
    few = only([make.latency("hh_t2l", n) for n in (25, 75)])
    assert few.shown == [25, 75]
    assert not [note for note in latency_notes(few) if "have a column" in note]
