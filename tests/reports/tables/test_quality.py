"""Quality tables: what may share one, what stands beside ours, what is said beneath."""

import math

import pytest

from lipbench.records.quality import CorpusScore, MetricFacts
from lipbench.records.record import Cell
from lipbench.reports.markdown.cells import Span
from lipbench.reports.markdown.quality import left_out_notes, metric_tables, not_measured_notes
from lipbench.reports.markdown.quality_notes import quality_notes
from lipbench.reports.tables.csv import quality_frame
from lipbench.reports.tables.differences import difference_table, mark_ties
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.quality import quality_tables


def tables_of(records):
    return quality_tables(records, collect_names(records))


def only(records):
    (table,) = tables_of(records)
    return table


def row_of(table, name):
    return next(row for row in table.rows if row.name == name)


def cells_of(table, label):
    """Cells of the shown row whose name begins so, by column title."""
    found = {}
    for part in reversed(metric_tables(table)):
        # controls have no lengths of their own
        cells = next((row.cells for row in part.rows if row.cells[0].text.startswith(label)), ())
        found |= {column.title: cell for column, cell in zip(part.columns, cells, strict=False)}
    assert found
    return found


def words_of(table, label):
    """The same as plain text, all lines of a cell in one string."""
    return {title: "\n".join(cell.plain) for title, cell in cells_of(table, label).items()}


def test_paper_values_stand_beside_ours_with_the_difference(make):
    table = only([make.quality("hh_t2l"), make.quality("dual_lip")])
    cell = row_of(table, "hh_t2l").cells["psnr"]
    assert str(cell.paper) == "28.74"
    assert cell.difference == pytest.approx(cell.mean.value - 28.74)
    shown = words_of(table, "HH-T2L")["PSNR"]
    assert f"{cell.mean.value:.2f}" in shown
    assert f"paper 28.74 (−{abs(cell.difference):.2f})" in shown
    assert f"[{cell.mean.interval.low:.2f}, {cell.mean.interval.high:.2f}]" in shown
    assert "paper" not in words_of(table, "HH-T2L")["Aperture correlation"]
    assert "paper 1.809" in words_of(table, "DualLip")["LMD"]


def test_table_4_stands_beside_hh_t2l_with_true_durations_only(make):
    table = only([make.quality("hh_t2l", durations="true"), make.quality("dual_lip", durations="true")])
    assert "paper 30.51" in words_of(table, "HH-T2L")["PSNR"]
    assert "paper" not in words_of(table, "DualLip")["PSNR"]
    notes = " ".join(quality_notes(table))
    assert "+SSIM" in notes
    assert "base (L1): PSNR 30.24" in notes


@pytest.mark.parametrize(("corpus", "split"), [("synthetic", "test"), ("grid", "train")])
def test_no_paper_value_where_the_paper_measured_something_else(make, corpus, split):
    table = only([make.quality("hh_t2l", corpus=corpus, split=split)])
    assert all(cell.paper is None for cell in table.rows[0].cells.values())
    assert not table.shows_paper


@pytest.mark.parametrize(
    ("options", "said"),
    [({"stabilise": "clip"}, "one window per clip (stab"), ({"stabilise": "frame"}, "its own mouth (stab"), ({}, None)],
    ids=str,
)
def test_a_table_says_around_what_its_crops_were_cut(make, options, said):
    notes = " ".join(quality_notes(only([make.quality("hh_t2l", corpus_options=options)])))
    assert said in notes if said else "stabilise" not in notes


def test_a_table_says_which_models_found_no_end(make):
    cut = [clip.model_copy(update={"cut_off": i < 2}) for i, clip in enumerate(make.clips("dual_lip"))]
    records = [make.quality("hh_t2l"), make.quality("dual_lip", scores=cut)]
    notes = " ".join(quality_notes(only(records)))
    assert "longest length that the model may make: DualLip in 2 of 12 clips." in notes
    assert "longest length" not in " ".join(quality_notes(only(records[:1])))


def test_a_control_never_gets_a_paper_value(make):
    records = [make.quality("hh_t2l"), make.quality("first_frame")]
    assert all(cell.paper is None for cell in row_of(only(records), "first_frame").cells.values())


@pytest.mark.parametrize(
    "other",
    [
        {"protocol": "other"},
        {"durations": "true"},
        {"corpus": "synthetic"},
        {"split": "train"},
        {"about": {"frame_size": (80, 160), "preset": "paper"}},
        {"about": {"frame_size": None}},
    ],
    ids=str,
)
def test_numbers_that_were_not_made_alike_never_share_a_table(make, other):
    if "protocol" in other:
        other = {"protocol": make.OTHER_PROTOCOL}
    found = tables_of([make.quality("hh_t2l"), make.quality("dual_lip", **other)])
    assert len(found) == 2
    assert [len(table.rows) for table in found] == [1, 1]
    assert len({table.place for table in found}) == 2, "headings and sentences must tell them apart"


def test_a_name_says_no_more_than_tells_tables_apart(make):
    def places(*others):
        return [table.place for table in tables_of([make.quality("hh_t2l"), *others])]

    assert places() == ["GRID, predicted durations"]
    assert places(make.quality("hh_t2l", durations="true")) == ["GRID, predicted durations", "GRID, true durations"]
    assert places(make.quality("hh_t2l", protocol=make.OTHER_PROTOCOL)) == [
        "GRID, predicted durations, protocol lelechen63-2018",
        "GRID, predicted durations, protocol paper",
    ]
    assert places(make.quality("hh_t2l", about={"frame_size": (80, 160), "preset": "paper"})) == [
        "GRID, predicted durations, 40x80 pixels",
        "GRID, predicted durations, 80x160 pixels",
    ]
    changed = make.PROTOCOL.model_copy(update={"fingerprint": "cc" * 32})
    assert places(make.quality("hh_t2l", protocol=changed)) == [
        f"GRID, predicted durations, protocol's fingerprint {found}" for found in ("aaaaaa", "cccccc")
    ]


def test_two_sizes_of_frames_and_the_warning(make):
    big = {"about": {"frame_size": (80, 160), "preset": "paper"}}
    small, large = tables_of([make.quality("hh_t2l"), make.quality("hh_t2l", **big)])
    assert "not comparable in absolute terms: 40x80 pixels here" in " ".join(quality_notes(small))
    assert "not comparable" not in " ".join(quality_notes(large))


def test_controls_form_a_block_after_the_models(make):
    names = ["mean_frame", "first_frame", "ground_truth", "transformer_t2l", "zebra", "dual_lip", "hh_t2l"]
    table = only([make.quality(name) for name in names])
    shown = {row.cells[0].text: row.control for row in metric_tables(table)[0].rows}
    assert list(shown) == [
        "HH-T2L", "DualLip", "TransformerT2L", "zebra",
        "Ground truth", "First frame repeated", "Mean frame of the clip",
    ]  # fmt: skip
    assert list(shown.values()) == [False] * 4 + [True] * 3


def test_a_failed_cell_is_a_row_that_says_why(make):
    cell = Cell(kind="quality", system="dual_lip", corpus="grid", durations="predicted", preset="small")
    table = only([make.quality("hh_t2l"), make.failed(cell, kind="ValueError", message="loss | is\nnan <b>")])
    row = row_of(table, "dual_lip")
    assert row.failure is not None
    assert row.failure.type == "ValueError"
    shown = next(r for r in metric_tables(table)[0].rows if r.cells[0].text == "DualLip")
    assert shown.cells[1].plain == ("failed: ValueError: loss | is nan <b>",)
    assert (shown.cells[1].mark, len(shown.cells)) == ("failed", 2)
    frame = quality_frame(table)
    assert frame.set_index("system").loc["dual_lip", "failure"] == "ValueError: loss | is\nnan <b>"


@pytest.mark.parametrize(
    "change", [{"corpus": "synthetic"}, {"durations": "true"}, {"preset": "paper"}], ids=lambda c: next(iter(c))
)
def test_a_failed_cell_of_another_condition_is_no_row(make, change):
    asked = {"corpus": "grid", "durations": "predicted", "preset": "small"} | change
    table = only([make.quality("hh_t2l"), make.failed(Cell(kind="quality", system="dual_lip", **asked))])
    assert [row.name for row in table.rows] == ["hh_t2l"]


def test_the_best_model_is_bold_and_no_control_ever(make):
    table = only(
        [make.quality(name) for name in ("hh_t2l", "dual_lip", "transformer_t2l", "mean_frame", "ground_truth")]
    )
    for metric in make.METRICS:
        means = {row.name: row.cells[metric.name].mean.value for row in table.models}
        pick = {True: max, False: min, None: None}[metric.higher_is_better]
        expected = [] if pick is None else [pick(means, key=lambda name: means[name])]
        assert [row.name for row in table.rows if row.cells[metric.name].best] == expected
    assert cells_of(table, "HH-T2L")["SSIM"].mark == "best"
    mean_frame = cells_of(table, "Mean frame")["SSIM"]
    assert not mean_frame.mark
    assert mean_frame.lines[-1] == Span("beats every model", "strong")
    assert "beats" not in words_of(table, "Ground truth")["SSIM"]


def test_a_single_model_is_not_best_of_anything(make):
    table = only([make.quality("hh_t2l"), make.quality("mean_frame")])
    assert not any(cell.best for cell in row_of(table, "hh_t2l").cells.values())


def test_controls_that_beat_every_model_are_a_finding(make):
    records = [make.quality(name) for name in ("hh_t2l", "dual_lip", "mean_frame", "ground_truth")]
    table = only(records)
    psnr = {row.name: row.cells["psnr"].mean.value for row in table.rows}
    assert psnr["mean_frame"] > max(psnr["hh_t2l"], psnr["dual_lip"])
    assert table.finding() == "A control beats every model: Mean frame of the clip on PSNR and SSIM."
    assert only([make.quality("hh_t2l"), make.quality("first_frame")]).finding() is None


def test_a_lower_value_wins_where_lower_is_better(make):
    lmd = [MetricFacts(name="lmd", title="LMD", unit="px", higher_is_better=False)]
    still = [clip.model_copy(update={"values": {"lmd": 0.1}}) for clip in make.clips("first_frame")]
    records = [make.quality("hh_t2l", metrics=lmd), make.quality("first_frame", metrics=lmd, scores=still)]
    assert only(records).finding() == "A control beats the only model (HH-T2L): First frame repeated on LMD."


def test_a_model_without_checkpoint_is_marked_untrained(make):
    table = only([make.quality("hh_t2l", about={"checkpoint": None, "training": None}), make.quality("dual_lip")])
    assert "untrained" in words_of(table, "HH-T2L")["System"]
    assert "untrained" not in words_of(table, "DualLip")["System"]
    assert any("random weights: HH-T2L" in note for note in quality_notes(table))
    control = only([make.quality("first_frame")])
    assert not control.rows[0].untrained


def test_parts_hold_each_metric_once_and_every_row(make):
    names = ("psnr", "aperture_correlation", "length_error", "made_up", "lmd_centred")
    metrics = [MetricFacts(name=name, title=name, unit="", higher_is_better=True) for name in names]
    values = [clip.model_copy(update={"values": dict.fromkeys(names, 1.0)}) for clip in make.clips("hh_t2l")]
    parts = metric_tables(only([make.quality(n, metrics=metrics, scores=values) for n in ("hh_t2l", "mean_frame")]))
    assert [part.columns[0].title for part in parts] == ["System", "Motion and timing", "Other metrics"]
    shown = [column.title for part in parts for column in part.columns[1:]]
    assert sorted(shown) == sorted([*names, "Clips"])
    assert all([row.cells[0].text for row in part.rows] == ["HH-T2L", "Mean frame of the clip"] for part in parts)


def test_what_was_not_measured_is_no_column_and_says_why(make):
    record = make.quality("hh_t2l")
    result = record.result.model_copy(update={"not_measured": {"lmd": "no faces <here>", "psnr": "no faces <here>"}})
    table = only([record.model_copy(update={"result": result})])
    assert "PSNR" not in words_of(table, "HH-T2L")
    assert not_measured_notes(table) == [r"Not measured: LMD and PSNR (no faces \<here\>)."]
    assert quality_frame(table).loc[0, "lmd_not_measured"] == "no faces <here>"


def test_one_value_for_all_clips_stands_without_an_interval_and_beside_its_floor(make):
    fid = MetricFacts(name="fid", title="FID", unit="", higher_is_better=False, per="corpus")
    record = make.quality("hh_t2l", metrics=[*make.METRICS, fid])
    score = CorpusScore(metric="fid", value=39.741, clips=11, real_clips=12, floor=12.5)
    result = record.result.model_copy(update={"corpus_scores": [score]})
    cell = words_of(only([record.model_copy(update={"result": result})]), "HH-T2L")["FID"]
    assert cell.startswith("39.74")
    assert "floor 12.50" in cell
    assert "11 of 12 clips" in cell
    assert "[" not in cell
    assert "without" not in cell


def test_frames_that_a_distance_between_corpora_leaves_out_are_counted_on_both_sides(make):
    fid = MetricFacts(name="face_distance", title="Face distance", unit="", higher_is_better=False, per="corpus")
    record = make.quality("hh_t2l", metrics=[*make.METRICS, fid])
    score = CorpusScore(
        metric="face_distance", value=0.2, clips=12, real_clips=12, failed_frames=7, real_failed_frames=0
    )
    result = record.result.model_copy(update={"corpus_scores": [score]})
    table = only([record.model_copy(update={"result": result})])
    assert "without 7 generated and 0 real frames" in words_of(table, "HH-T2L")["Face distance"]
    assert quality_frame(table).loc[0, "face_distance_failed_frames"] == 7


def test_few_clips_say_so(make):
    table = only([make.quality("hh_t2l", n=5)])
    assert "[" not in words_of(table, "HH-T2L")["PSNR"]
    assert "fewer than 10 (n too small: 5 clips)" in " ".join(quality_notes(table))
    assert words_of(table, "HH-T2L")["Clips"] == "5"


def test_clips_without_a_value_are_counted_not_forgotten(make):
    scores = make.clips("hh_t2l", 40)
    scores[0] = scores[0].model_copy(update={"values": {**scores[0].values, "lmd": math.nan}})
    scores[1] = scores[1].model_copy(update={"values": {"psnr": 28.0}})
    shown = words_of(only([make.quality("hh_t2l", scores=scores)]), "HH-T2L")
    assert "38 of 40 clips" in shown["LMD"]
    assert "39 of 40 clips" in shown["SSIM"]
    assert "of 40" not in shown["PSNR"]


def test_a_metric_that_one_system_lacks_and_a_run_without_clips(make):
    fid = MetricFacts(name="fid", title="FID", unit="", higher_is_better=False)
    table = only([make.quality("hh_t2l"), make.quality("dual_lip", metrics=[*make.METRICS, fid])])
    assert words_of(table, "HH-T2L")["FID"] == "–"
    assert "no value" in words_of(table, "DualLip")["FID"]
    assert "no value" in words_of(only([make.quality("hh_t2l", scores=[])]), "HH-T2L")["PSNR"]


def test_rows_scored_on_other_clips_are_told(make):
    table = only([make.quality("hh_t2l", n=40), make.quality("dual_lip", n=50)])
    assert any("different sets of clips" in note for note in quality_notes(table))
    same = only([make.quality("hh_t2l"), make.quality("dual_lip")])
    assert not any("different sets of clips" in note for note in quality_notes(same))


def test_variants_of_one_model_can_be_told_apart(make):
    slow = make.quality("transformer_t2l", about={"options": {"cache": False}})
    table = only([make.quality("transformer_t2l"), slow])
    labels = {row.label for row in table.rows}
    assert labels == {"TransformerT2L (cache=default)", "TransformerT2L (cache=False)"}


def test_the_data_frame_holds_what_the_table_shows(make):
    table = only([make.quality("hh_t2l"), make.quality("first_frame")])
    frame = quality_frame(table).set_index("system")
    cell = row_of(table, "hh_t2l").cells["ssim"]
    assert frame.loc["hh_t2l", "ssim"] == cell.mean.value
    assert frame.loc["hh_t2l", "ssim_low"] == cell.mean.interval.low
    assert frame.loc["hh_t2l", "ssim_paper"] == 0.875
    assert math.isnan(frame.loc["first_frame", "ssim_paper"])


def with_result(record, **changes):
    """A record whose result says something else."""
    return record.model_copy(update={"result": record.result.model_copy(update=changes)})


def of_videos(make, name="theirs", *, left_out=None, **more):
    """A record of somebody else's video files."""
    about = {"preset": None, "checkpoint": None, "training": None, "parameters": None, "videos": "ab" * 32}
    record = make.quality(name, corpus="videos", split="all", about=about, **more)
    return with_result(record, left_out=left_out or {}, device=None)


def test_clips_left_out_are_counted_in_the_row_and_named_beneath(make):
    reasons = {f"s1/x{i:02d}": "no generated video has this name" for i in range(12)} | {"s1/y": "a|b"}
    table = only([of_videos(make, left_out=reasons), of_videos(make, "others")])
    assert words_of(table, "theirs")["Clips"] == "12 of 25"
    assert words_of(table, "others")["Clips"] == "12"
    (note,) = left_out_notes(table)
    assert note.startswith("Left out of theirs: 13 of 25 clips: 12 as no generated video has this name (s1/x00, ")
    assert "s1/x09 and 2 more, see the record" in note
    assert "s1/x10" not in note
    assert "1 as a\\|b (s1/y)" in note
    frame = quality_frame(table).set_index("system")
    assert frame.loc["theirs", "left_out"] == 13
    assert frame.loc["others", "left_out"] == 0


def test_video_files_are_no_untrained_model(make):
    table = only([of_videos(make)])
    assert not table.rows[0].untrained
    assert not any("random weights" in note for note in quality_notes(table))
    assert "untrained" not in words_of(table, "theirs")["System"]
    assert "from video files" in words_of(table, "theirs")["System"]


def test_two_sets_of_videos_of_one_name_are_told_apart(make):
    first, second = (of_videos(make, asked={"options": {"generated": folder}}) for folder in ("a/theirs", "b/theirs"))
    other = second.result.system.model_copy(update={"videos": "cd" * 32})
    table = only([first, with_result(second, system=other)])
    assert {row.label for row in table.rows} == {"theirs (videos abababab)", "theirs (videos cdcdcdcd)"}


def test_unknown_speakers_are_not_counted_as_one(make):
    scores = [clip.model_copy(update={"speaker": ""}) for clip in make.clips("dual_lip")]
    table = only([of_videos(make, scores=scores)])
    assert table.speakers == 0
    assert any("the speakers are not known" in note for note in quality_notes(table))


def test_where_all_models_are_equal_none_is_the_best_and_none_tied(make):
    scores = make.clips("hh_t2l", 12)
    (table,) = tables_of([make.quality(name, scores=scores) for name in ("hh_t2l", "dual_lip")])
    marked = mark_ties(table, difference_table(table))
    assert not any(cell.best or cell.tied for row in marked.rows for cell in row.cells.values())
