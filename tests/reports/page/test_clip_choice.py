"""Which clips a page shows."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.reports.inputs.saved_clips import SavedClips, find_saved_clips
from lipbench.reports.page.clip_choice import choose_clips, clip_metrics, rank_clips, split_evenly
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.quality import quality_tables


def table_of(*records):
    (table,) = quality_tables(records, collect_names(records))
    return table


@pytest.fixture
def table(make):
    return table_of(make.quality("hh_t2l", n=30), make.quality("dual_lip", n=30), make.quality("first_frame", n=30))


def everything(table, tmp_path):
    return {
        row.label: SavedClips(files={score.utterance: tmp_path for score in row.scores}, real={})
        for row in table.models
    }


def test_clips_are_ranked_by_what_a_still_mouth_fails(table):
    assert [metric.name for metric in clip_metrics(table)][:2] == ["aperture_correlation", "lmd"]
    assert "motion_energy_ratio" not in [metric.name for metric in clip_metrics(table)], "it has no better side"


def test_the_worst_come_first_whichever_way_is_better(table):
    scores = table.models[0].scores
    for metric in clip_metrics(table):
        values = [score.values[metric.name] for score in rank_clips(scores, metric)]
        assert values == sorted(values, reverse=not metric.higher_is_better)


def test_worst_and_best_of_each_model_are_among_the_choices(table, tmp_path):
    choices = choose_clips(table, everything(table, tmp_path), 12)
    assert len({choice.clip for choice in choices}) == len(choices) == 12
    metric = clip_metrics(table)[0]
    for row in table.models:
        order = [score.utterance for score in rank_clips(row.scores, metric)]
        reasons = {choice.clip: choice.why for choice in choices}
        assert {order[0], order[-1]} <= set(reasons)
    assert choices[0].why == "worst of HH-T2L by Aperture correlation"
    assert {choice.why for choice in choices} >= {"shortest", "spread over the clips"}


def test_only_kept_clips_are_chosen(table, tmp_path):
    kept = {label: SavedClips(files={}, real={}, reason="gone") for label in everything(table, tmp_path)}
    assert choose_clips(table, kept, 12) == []
    kept["HH-T2L"] = SavedClips(files={"s1/clip003": tmp_path, "s1/clip007": tmp_path}, real={})
    assert {choice.clip for choice in choose_clips(table, kept, 12)} == {"s1/clip003", "s1/clip007"}


@given(limit=st.integers(0, 40))
def test_never_more_than_asked_for_and_never_fewer_than_there_are(make, tmp_path_factory, limit):
    table = table_of(make.quality("hh_t2l", n=17))
    choices = choose_clips(table, everything(table, tmp_path_factory.getbasetemp()), limit)
    assert len({choice.clip for choice in choices}) == len(choices) == min(limit, 17)


@given(st.integers(0, 100), st.integers(1, 20))
def test_shares_add_up_and_are_even(limit, parts):
    found = split_evenly(limit, parts)
    assert sum(found) == limit
    assert max(found) - min(found) <= 1
    assert found == sorted(found, reverse=True)


def kept_from(make, run, index, *, folder="generated/a"):
    record = make.quality("hh_t2l", n=3)
    record = record.model_copy(update={"result": record.result.model_copy(update={"generated": folder})})
    if index is not None:
        (run / "generated" / "a").mkdir(parents=True)
        (run / "generated" / "a" / "clips.json").write_text(index)
    return find_saved_clips(table_of(record).models[0], run)


def test_kept_clips_are_found_with_the_real_ones(make, tmp_path):
    index = {"s1/clip000": {"file": "0.mkv", "durations": None, "real": "real/x/0.mkv"}, "old": {"file": "1.mkv"}}
    kept = kept_from(make, tmp_path, json.dumps(index))
    assert kept.reason is None
    assert kept.files == {"s1/clip000": tmp_path / "generated/a/0.mkv", "old": tmp_path / "generated/a/1.mkv"}
    assert kept.real == {"s1/clip000": tmp_path / "real/x/0.mkv"}


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (None, "not beside the records"),
        ("{", "is no list of clips"),
        ("[1]", "is no list of clips"),
        ('{"a": {"durations": 1}}', "is no list of clips"),
        ('{"a": {"file": "../../../etc/x"}}', "names a file outside the run's folder"),
        ('{"a": {"file": "a.mkv", "real": "/etc/x"}}', "names a file outside the run's folder"),
    ],
)
def test_an_index_that_is_no_index_shows_nothing_and_says_why(make, tmp_path, index, reason):
    kept = kept_from(make, tmp_path, index)
    assert not kept.files
    assert reason in kept.reason


def test_a_folder_outside_the_run_is_not_looked_into(make, tmp_path):
    assert "outside the run's folder" in kept_from(make, tmp_path, None, folder="../elsewhere").reason


def test_a_record_without_kept_clips_says_so(make, tmp_path):
    kept = find_saved_clips(table_of(make.quality("hh_t2l", n=3)).models[0], tmp_path)
    assert "none were kept" in kept.reason
