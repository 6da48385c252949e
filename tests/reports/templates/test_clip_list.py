"""The list of clips: what it sorts, filters and opens."""

import json
import re

from lipbench.reports.render import render


def test_the_list_sorts_and_filters(page, drive):
    table = page.locator("#clip-list")
    table.get_by_role("button", name="HH-T2L").click()
    values = [float(text.replace("−", "-")) for text in drive.column(table, 3)]
    assert len(values) == 24
    assert values == sorted(values, reverse=True), "of a correlation more is better"
    page.locator("#metric").select_option("lmd")
    assert "LMD ↓ px" in table.locator("thead").inner_text()
    page.locator("#speaker").select_option("s1")
    assert set(drive.column(table, 1)) == {"s1"}
    page.locator("#shortest").fill("12")
    page.locator("#longest").fill("14")
    assert set(drive.column(table, 2)) == {"14"}, "s1 has no clips of 12 frames"
    assert page.locator("#list-count").inner_text().startswith("6 of 24 clips")
    page.locator("#shortest").fill("99")
    assert table.locator("tbody tr").count() == 0
    assert page.locator("#list-count").inner_text() == "0 of 24 clips listed; none of these can be played."
    assert page.locator("#player").is_hidden()
    page.locator("#shortest").fill("")
    assert page.locator("#player").is_visible()


def test_worst_and_best_follow_the_metric(page, run):
    page.locator("#metric").select_option("psnr")
    path = next((run / "records").glob("quality-hh_t2l-grid-predicted-*.json"))
    clips = json.loads(path.read_text())["result"]["clips"]
    order = [clip["utterance"] for clip in sorted(clips, key=lambda clip: clip["values"]["psnr"])]
    worst, best = page.locator("#extremes tbody tr").first.locator("td").all_inner_texts()
    assert re.findall(r"clip\d\d", worst) == order[:3]
    assert re.findall(r"clip\d\d", best) == order[:-4:-1]


def test_as_many_clips_play_as_were_asked_for(page, run, visit, tmp_path):
    assert page.locator("#clip-list button.open").count() == 12
    few = visit(render(run, tmp_path / "few", clips=3).html.as_uri())
    assert few.locator("#clip-list button.open").count() == 3
    none = visit(render(run, tmp_path / "none", clips=0).html.as_uri())
    assert none.locator("#player").is_hidden()
    assert none.locator("#clip-list tbody tr").count() == 24


def test_a_table_whose_clips_were_not_kept_has_a_list_of_them(page, drive):
    page.locator("#board").select_option(label="GRID, true durations")
    count = "5 of 5 clips listed; none can be played: none were kept."
    assert page.locator("#list-count").inner_text() == count
    assert page.locator("#clip-list tbody tr").count() == 5
    assert page.locator("#player").is_hidden()
    assert "No clips of HH-T2L: none were kept." in page.locator("#clips-section").inner_text()
    page.locator("#board").select_option(label="GRID, predicted durations")
    assert drive.shown(page).frames == [0, 0, 0]
