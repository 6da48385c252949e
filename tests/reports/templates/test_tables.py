"""Tables: they sort, and every number leads to its record."""

import json
import os
from urllib.parse import unquote

from lipbench.reports.page.links import record_anchor


def test_a_table_sorts_within_models_and_controls_and_comes_back(page, drive):
    table = page.locator("table.sortable", has=page.get_by_role("button", name="PSNR")).first
    header = table.locator("th", has_text="PSNR")
    before = drive.column(table, 0)
    assert "Controls" in " ".join(before).title()
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    values = [float(text) for text in drive.column(table, 1)[:2]]
    assert values == sorted(values, reverse=True)
    header.get_by_role("button").press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert [float(text) for text in drive.column(table, 1)[:2]] == sorted(values)
    assert drive.column(table, 0)[2:] == before[2:], "controls stay beneath"
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") is None
    assert drive.column(table, 0) == before


def first_click(page, drive, name, table_name):
    """Values of a column, without those that are none, after a first click on its head."""
    table = page.locator("table.sortable", has=page.locator("thead th", has_text=table_name)).first
    header = table.locator("th", has_text=name).first
    header.get_by_role("button").click()
    place = header.evaluate("head => head.cellIndex")
    rows = table.locator("tbody tr:not(.control):not(.controls-head)")
    texts = rows.evaluate_all("(rows, n) => rows.map(row => row.cells[n].innerText.split('\\n')[0])", place)
    return header, [float(text.replace("×", "")) for text in texts]


def test_the_first_click_puts_the_best_on_top_whichever_way_that_is(page, drive):
    for name, table, best_first in (("PSNR", "System", True), ("LMD", "System", False),
                                    ("75 frames", "Speed-up over", True), ("75 frames", "Fit", False)):  # fmt: skip
        _, values = first_click(page, drive, name, table)
        assert len(values) == 2
        assert values == sorted(values, reverse=best_first), (name, table)
        assert values[0] != values[1]


def test_where_one_is_best_the_nearest_to_it_comes_first(page, drive):
    header, values = first_click(page, drive, "Motion energy ratio", "Motion and timing")
    assert header.get_attribute("aria-sort") == "other"
    assert abs(values[0] - 1) < abs(values[1] - 1)
    assert page.locator("#said").inner_text() == "Sorted by Motion energy ratio, nearest to 1 first"
    header.get_by_role("button").click()
    assert page.locator("#said").inner_text() == "Sorted by Motion energy ratio, farthest from 1 first"
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") is None


def test_numbers_of_the_clips_lead_to_the_records_of_their_models(page):
    bare = "[...document.querySelectorAll('#clip-list td.number:nth-child(n + 4), #extremes .value')]"
    assert page.evaluate(f"{bare}.length") > 0
    assert page.evaluate(f"{bare}.filter(e => e.innerText !== '–' && !e.querySelector('a[href]')).length") == 0


def test_every_number_leads_to_its_record(page, drive, run, report):
    links = page.locator("td > a")
    targets = set(links.evaluate_all("all => all.map(a => decodeURIComponent(a.hash.slice(1)))"))
    ids = set(page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))
    assert targets <= ids
    keys = {path.stem for path in (run / "records").iterdir()}
    assert {record_anchor(key) for key in keys} <= targets
    number = page.locator("table.sortable tbody tr", has_text="HH-T2L").first.locator("td > a").first
    number.click()
    key = next(key for key in keys if key.startswith("quality-hh_t2l-grid-predicted"))
    # the page hears of the link after the click has returned
    drive.until(page, f"document.querySelector('#{record_anchor(key)} details').open")
    details = page.locator(f"#{record_anchor(key)} details")
    assert json.loads(details.locator("pre").inner_text())["result"]["system"]["name"] == "hh_t2l"
    href = details.get_by_role("link", name="the whole record").get_attribute("href")
    assert os.path.samefile(report.html.parent / unquote(href), run / "records" / f"{key}.json")


def test_a_length_leads_to_the_record_of_that_length(page, run):
    table = page.locator("table.sortable", has=page.get_by_role("button", name="75 frames")).first
    cells = table.locator("tbody tr", has_text="HH-T2L").first.locator("td")
    hrefs = [cells.nth(n).locator("a").get_attribute("href") for n in (0, 1, 2)]
    keys = [next((run / "records").glob(f"latency-hh_t2l-*-{frames:04d}-*")).stem for frames in (25, 50, 75)]
    assert hrefs == [f"#{record_anchor(key)}" for key in keys]


def test_a_number_that_is_pointed_at_or_focused_says_what_its_record_is_of(page):
    table = page.locator("table.sortable", has=page.get_by_role("button", name="75 frames")).first
    links = table.locator("tbody tr", has_text="HH-T2L").first.locator("td > a")
    assert links.first.get_attribute("title") is None
    links.first.hover()
    place = "CPU, float32, batch 1, preset small: System"
    assert links.first.get_attribute("title") == f"Record of: HH-T2L, 25 frames; {place}"
    links.nth(1).focus()
    assert links.nth(1).get_attribute("title") == f"Record of: HH-T2L, 50 frames; {place}"
