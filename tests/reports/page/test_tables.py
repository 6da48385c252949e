"""What the page adds to the tables of its markdown."""

import re

import pytest

from lipbench.reports.page.page import render_html

TABLE = """## Part

### Here

| System | 75 frames ↓<br><small>ms</small> | Length error ↔ |
| :-- | --: | --: |
| A | **1.0**<br><small>**reproduced** within 0.1</small> | 2 |
| B | failed: RuntimeError: why | |
| *Controls* | | |
| C | 3<br><small>**differs** by 2</small> | – |
"""


@pytest.fixture
def page(tmp_path):
    def rendered(markdown):
        return render_html(markdown, tmp_path)

    return rendered


def test_arrows_and_lengths_stay_on_one_line_with_what_they_are_of(page):
    heads = re.findall(r'<th scope="col">(.*?)(?:<br|</th)', page(TABLE))
    assert heads == ["System", "75\u00a0frames\u00a0↓", "Length error\u00a0↔"]


def test_good_news_is_told_from_warnings(page):
    html = page(TABLE)
    assert '<strong class="good">reproduced</strong>' in html
    assert "<strong>differs</strong>" in html
    assert "<strong>1.0</strong>" in html


def test_a_failure_and_the_title_of_the_controls_take_the_rest_of_their_rows(page):
    html = page(TABLE)
    assert re.search(r'<td class="failed" colspan="2">failed', html)
    assert '<th colspan="3" scope="row"><em>Controls</em></th>' in html
    assert re.search(r'<tr class="control">\s*<th scope="row">C</th>', html)


def test_tables_of_one_name_are_numbered_and_folded_ones_take_their_summary(page):
    folded = "<details>\n<summary>Every &lt;cell&gt;</summary>\n\n| a |\n| :-- |\n| b |\n\n</details>\n"
    captions = re.findall(
        r"<caption id=\"(.*?)\"><span class=\"unseen\">(.*?)</span>", page(f"{TABLE}\n{folded}\n{TABLE}")
    )
    assert [text for _, text in captions] == ["Here: System", "Here: Every &lt;cell&gt;", "Here: System (2)"]
    assert len({anchor for anchor, _ in captions}) == 3
