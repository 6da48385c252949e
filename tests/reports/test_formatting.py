"""Foreign text: nothing in it is markup, and nothing becomes a link or a call on a code host."""

import re

import pytest
from markdown_it import MarkdownIt

from benchmarks.record_files import save_record
from reports.formatting import BREAK, escaped
from reports.render import render

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


def as_text(markdown):
    return re.sub("<[^>]*>", "", MarkdownIt("commonmark", {"html": True}).render(markdown))


@pytest.mark.parametrize("text", TEXTS)
def test_no_address_and_no_name_is_live(text):
    assert LIVE.search(text), "or this test tests nothing"
    shown = as_text(escaped(text))
    assert not LIVE.search(shown)
    assert shown.replace(BREAK, "").strip() == text, "what is read is what was said"


@pytest.mark.parametrize("text", ["a: b // c", "wwwx", "x @ y", "# 1", "C#", "5 // 2", "http:"])
def test_what_is_not_live_is_left_alone(text):
    assert BREAK not in escaped(text)


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
