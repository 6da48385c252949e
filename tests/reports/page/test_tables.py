"""The page's tables: what is in the data and not in the text."""

import re

import pytest

from lipbench.reports.markdown.cells import Column, Row, Span, Table, TableCell
from lipbench.reports.markdown.section import Part, Report, Section
from lipbench.reports.page.page import render_page

COLUMNS = (Column("System", left=True), Column("75\u00a0frames", "ms", "lower"), Column("Length error", better="one"))
TABLE = Table(
    COLUMNS,
    (
        Row(
            (
                TableCell("A"),
                TableCell("1.0", 1.0, mark="best", lines=((Span("reproduced", "good"), " within 0.1"),)),
                TableCell("2", 2),
            )
        ),
        Row((TableCell("B"), TableCell("failed: RuntimeError: why", mark="failed"))),
        Row(
            (TableCell("C"), TableCell("3", 3, lines=((Span("differs", "strong"), " by 2"),)), TableCell()),
            control=True,
        ),
    ),
)


@pytest.fixture
def page(tmp_path):
    def rendered(*tables):
        section = Section(kind="latency", title="Here", tables=tables)
        report = Report(title="Report", lists=[], parts=[Part(title="Part", sections=[section])])
        return render_page(report, tmp_path, systems=[])

    return rendered


def test_arrows_and_lengths_stay_on_one_line_with_what_they_are_of(page):
    heads = re.findall(r'<th scope="col"[^>]*>(.*?)(?:<br|</th)', page(TABLE))
    assert heads == ["System", "75\u00a0frames\u00a0↓", "Length error\u00a0↔"]


def test_a_head_says_which_side_is_better_and_a_cell_what_it_sorts_by(page):
    html = page(TABLE)
    assert re.findall(r'data-better="(\w+)"', html.split("<script>")[1].split("</table>")[0]) == ["lower", "one"]
    assert re.findall(r'data-sort="([^"]*)"', html) == ["1", "2", "", "3", ""]


def test_good_news_is_told_from_warnings(page):
    html = page(TABLE)
    assert '<strong class="good">reproduced</strong> within 0.1' in html
    assert "<strong>differs</strong> by 2" in html
    assert "<strong>1.0</strong>" in html


def test_a_failure_and_the_title_of_the_controls_take_the_rest_of_their_rows(page):
    html = page(TABLE)
    assert re.search(r'<td class="failed" colspan="2"[^>]*>failed', html)
    assert '<th colspan="3" scope="row"><em>Controls</em></th>' in html
    assert re.search(r'<tr class="control">\s*<th scope="row">C</th>', html)


def test_tables_of_one_name_are_numbered_and_folded_ones_take_their_summary(page):
    folded = Table((Column("a", left=True),), (Row((TableCell("b"),)),), "Every <cell>")
    captions = re.findall(r"<caption id=\"(.*?)\"><span class=\"unseen\">(.*?)</span>", page(TABLE, folded, TABLE))
    assert [text for _, text in captions] == ["Here: System", "Here: Every &lt;cell&gt;", "Here: System (2)"]
    assert len({anchor for anchor, _ in captions}) == 3


def test_a_table_of_words_alone_has_no_numbers_to_sort(page):
    html = page(Table((Column("a", left=True),), (Row((TableCell("b"),)),)))
    assert "<table>" in html
