"""Numbers have the digits that their intervals allow; nothing in foreign text is markup, a link or a call."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lipbench.records.files import save_record
from lipbench.reports.formatting import BREAK, MOST_DECIMALS, decimals_for, decimals_within, escape, signed
from lipbench.reports.render import render
from lipbench.statistics.intervals import Interval

# What the extended autolinks of GitHub Flavored Markdown (6.9) and the mentions and references of code hosts look for,
# in the text that markdown has become: an escape in markdown hides nothing from them.
LIVE = re.compile(r"\b[a-z][a-z0-9+.-]*://\S|\bwww\.\w|[\w.+-]+@\w|(?<!\w)@\w|#\d", re.IGNORECASE)
TEXTS = [
    "see https://example.org/a?b=c#d",
    "HTTP://EXAMPLE.ORG",
    "(www.example.org)",
    "ftp://x.y",
    "ask @octocat and @some/team",
    "mail someone.else+tag@example.org",
    "as in #12 and owner/name#34",
]


@pytest.mark.parametrize(
    ("values", "decimals"),
    [([28.74, 0.1], 2), ([0.875], 3), ([1.675, -3.0], 3), ([2000.0], 0), ([0.085, 0.002], 4), ([0.0034], 5), ([0.0], 3),
     ([math.inf, math.nan], 3), ([1e-12], MOST_DECIMALS)],
)  # fmt: skip
def test_a_column_has_three_or_four_digits(values, decimals):
    assert decimals_for(values) == decimals


@pytest.mark.parametrize(
    ("value", "ends", "shown"),
    [
        (0.0123, (0.0073, 0.0173), "+0.012"),
        (0.0004, (0.0001, 0.0007), "+0.0004"),
        (0.00004, (-0.0003, 0.0004), "+0.00004"),
        (-0.00021, (-0.00030, -0.00012), "−0.00021"),
        (0.731, (0.612, 0.850), "+0.731"),
        (0.000042, None, "+0.00004"),
        (0.0, (0.0, 0.0), "0.000"),
        (1e-15, (-1e-15, 3e-15), "+0.000"),
    ],
)
def test_a_difference_has_as_many_digits_as_its_interval_allows(value, ends, shown):
    interval = None if ends is None else Interval(low=ends[0], high=ends[1])
    assert signed(value, decimals_within(value, interval, 3)) == shown


@given(st.floats(1e-5, 1e4), st.floats(0.02, 3))
def test_what_has_an_interval_never_reads_as_zero_unless_it_is_far_inside_it(width, share):
    value = width * share
    interval = Interval(low=value - width, high=value + width)
    shown = f"{value:.{decimals_within(value, interval, 3)}f}"
    assert float(shown) != 0 or share < 0.051


def as_text(markdown):
    return re.sub("<[^>]*>", "", MarkdownIt("commonmark", {"html": True}).render(markdown))


@pytest.mark.parametrize("text", TEXTS)
def test_no_address_and_no_name_is_live(text):
    assert LIVE.search(text), "or this test tests nothing"
    shown = as_text(escape(text))
    assert not LIVE.search(shown)
    assert shown.replace(BREAK, "").strip() == text, "what is read is what was said"


@pytest.mark.parametrize("text", ["a: b // c", "wwwx", "x @ y", "# 1", "C#", "5 // 2", "http:"])
def test_what_is_not_live_is_left_alone(text):
    assert BREAK not in escape(text)


def test_a_report_calls_nobody_and_its_page_has_the_text_as_it_was(make, tmp_path):
    message = "no weights at https://example.org/w.pth, ask @octocat"
    save_record(make.quality("hh_t2l", about={"title": "me@example.org"}), tmp_path)
    save_record(make.failed(make.quality_cell("dual_lip"), message=message), tmp_path)
    rendered = render(tmp_path)
    text = rendered.markdown.read_text(encoding="utf-8")
    assert "example.org" in text
    assert "@octocat" not in text
    assert "https://example.org" not in text
    page = rendered.html.read_text(encoding="utf-8")
    assert message in page
    assert BREAK not in page
    assert 'href="https://example.org' not in page
    assert re.search(r"<td[^>]*><a href=\"#r[^\"]*\">\d", page), "rows are found by their labels all the same"
