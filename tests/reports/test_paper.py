"""The paper's values, against the tables as transcribed beside the repository and against themselves."""

import json
from pathlib import Path

import pytest

from lipbench.reports.formatting import paper_number
from lipbench.reports.paper import load_paper, uses_ssim_loss

REPORTED = Path(__file__).parents[2].parent / "shared" / "paper" / "reported_results.json"
KEYS = {"psnr": "psnr_db", "ssim": "ssim", "lmd": "lmd_px", "fid": "fid"}


@pytest.fixture(scope="module")
def reported():
    if not REPORTED.is_file():
        pytest.skip("the transcribed tables (../shared/paper/reported_results.json) are not on this machine")
    # as text: the digits are compared, trailing zeros included, not only the numbers
    return json.loads(REPORTED.read_text(encoding="utf-8"), parse_float=str)


@pytest.mark.parametrize(
    ("corpus", "durations", "table"),
    [
        ("grid", "predicted", "table_1_grid_quality"),
        ("tcd_timit", "predicted", "table_2_tcd_timit_quality"),
        ("grid", "true", "table_4_ablation_grid"),
    ],
)
def test_quality_agrees_with_the_transcription(reported, corpus, durations, table):
    paper = load_paper()
    condition = paper.condition(corpus, durations)
    assert condition is not None
    expected = reported[table]["rows"]
    assert len(condition.rows) == len(expected)
    for row in condition.rows:
        name = (row.variant or "").removesuffix(" (L1)") if row.variant else paper.systems[row.system]
        assert {KEYS[metric]: paper_number(value) for metric, value in row.values.items()} == expected[name]


def test_latency_agrees_with_the_transcription(reported):
    paper = load_paper()
    for condition in paper.latency:
        expected = reported["table_3_latency"][paper.corpora[condition.corpus]]
        assert {
            paper.systems[r.system]: {"latency_s": paper_number(r.latency_s), "speedup": paper_number(r.speedup)}
            for r in condition.rows
        } == expected
    assert [(c.corpus, c.frames) for c in paper.latency] == [("grid", 75), ("tcd_timit", 137)]


def test_printed_speedups_follow_from_printed_latencies_but_for_the_one_that_the_remark_names():
    paper = load_paper()
    odd = []
    for condition in paper.latency:
        slow = next(float(row.latency_s) for row in condition.rows if row.system == paper.baseline)
        for row in condition.rows:
            fast, ratio = float(row.latency_s), float(row.speedup)
            low, high = (slow - 5e-4) / (fast + 5e-4), (slow + 5e-4) / (fast - 5e-4)
            if not low - 0.005 <= ratio <= high + 0.005:
                odd.append((condition.corpus, row.system, round(slow / fast, 2), ratio))
    assert odd == [("grid", "hh_t2l", 13.59, 13.09)]
    assert "13.09" in paper.latency_remark
    assert "13.59" in paper.latency_remark


def test_where_the_paper_says_nothing():
    paper = load_paper()
    assert paper.condition("synthetic", "true") is None
    assert paper.condition("tcd_timit", "true") is None
    assert paper.latencies("first_frame") == []
    condition = paper.condition("grid", "true")
    assert condition is not None
    assert condition.entry("dual_lip", None) is None


@pytest.mark.parametrize(
    ("recipe", "variant"),
    [
        ({"weight_ssim": 1.0}, "+SSIM"),
        ({"weight_ssim": 5}, "+SSIM"),
        ({"weight_ssim": 0.0}, "base (L1)"),
        ({"weight_ssim": 0.0, "weight_adversarial": 5.0}, "+ADV"),
        ({"weight_ssim": 1.0, "weight_adversarial": 5.0}, "+SSIM+ADV"),
        ({"weight_ssim": 1.0, "weight_adversarial": 0.0}, "+SSIM"),
        ({"weight_l1": 1.0}, "+SSIM"),
        ({"weight_ssim": "much"}, "+SSIM"),
        (None, "+SSIM"),
    ],
)
def test_of_table_4_the_variant_that_the_recipe_trained_stands_beside_ours(recipe, variant):
    condition = load_paper().condition("grid", "true")
    assert condition is not None
    entry = condition.entry("hh_t2l", recipe)
    assert entry is not None
    assert entry.variant == variant
    assert uses_ssim_loss(recipe) == ("SSIM" in variant if _tells(recipe) else None)


def _tells(recipe):
    return recipe is not None and isinstance(recipe.get("weight_ssim"), int | float)


def test_a_recipe_chooses_nothing_where_there_is_one_row_of_a_system():
    condition = load_paper().condition("grid", "predicted")
    assert condition is not None
    assert condition.entry("hh_t2l", {"weight_ssim": 0.0}) == condition.entry("hh_t2l", None)


@pytest.mark.parametrize(
    ("system", "recipe", "same"),
    [
        ("hh_t2l", {"weight_ssim": 1.0, "weight_adversarial": 5.0}, True),
        ("hh_t2l", {"weight_ssim": 1.0}, False),
        ("hh_t2l", {"weight_ssim": 0.0, "weight_adversarial": 5.0}, False),
        ("hh_t2l", None, None),
        ("dual_lip", {"weight_ssim": 1.0}, None),
    ],
)
@pytest.mark.parametrize("corpus", ["grid", "tcd_timit"])
def test_tables_1_and_2_are_of_the_losses_of_section_4_3(corpus, system, recipe, same):
    condition = load_paper().condition(corpus, "predicted")
    assert condition is not None
    entry = condition.entry(system, recipe)
    assert entry is not None
    assert entry.trained_so(recipe) is same
