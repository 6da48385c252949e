"""A report within a number of bytes: never larger, never an error, the verdict last to go, and honest on what went."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.reports.markdown import size_limit
from lipbench.reports.markdown.report import OMISSION_ORDER as ORDER
from lipbench.reports.markdown.size_limit import LIMITS, Piece

fitted = size_limit.fit_to_limit
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=60)
PIECES = st.lists(
    st.builds(Piece, st.sampled_from(list(ORDER)), TEXT, st.none() | st.sampled_from(["## A", "## B\n\n- ∞ note"])),
    max_size=12,
)


def size(text):
    return len(text.encode())


@given(TEXT, PIECES, st.integers(0, 1200))
def test_no_limit_is_ever_passed_and_none_is_an_error(opening, pieces, limit):
    assert size(fitted(opening, pieces, ORDER, limit)) <= limit


@given(TEXT, PIECES)
def test_what_fits_to_the_byte_is_whole_and_one_byte_less_is_not(opening, pieces):
    whole = fitted(opening, pieces, ORDER)
    assert fitted(opening, pieces, ORDER, size(whole)) == whole
    assert all(piece.text in whole for piece in pieces)
    less = fitted(opening, pieces, ORDER, size(whole) - 1)
    assert size(less) < size(whole)


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("letter", ["x", "é", "→", "🫦"])
def test_limits_are_bytes_and_not_letters(limit, letter):
    pieces = [Piece(kind, letter * (limit // 10 // len(letter.encode())), "## H") for kind in ORDER]
    text = fitted("verdict", pieces, ORDER, limit)
    assert limit * 0.7 < size(text) <= limit
    assert text.startswith("verdict\n\n*Left out to keep within")


def test_sections_go_in_the_stated_order_and_are_named():
    pieces = [Piece(kind, f"[{kind}] " + "x" * 1000) for kind in reversed(list(ORDER))]
    whole = size(fitted("verdict", pieces, ORDER))
    kinds = list(ORDER)
    for n in range(1, len(kinds)):
        text = fitted("verdict", pieces, ORDER, whole - 1000 * n + 400)
        assert [kind for kind in kinds if f"[{kind}] " not in text] == kinds[:n]
        assert all(ORDER[kind] in text for kind in kinds[:n])
        assert not any(ORDER[kind] in text.split("keep within")[1].split("*")[0] for kind in kinds[n:])


def test_of_one_kind_the_last_sections_go_and_their_number_is_told():
    pieces = [Piece("latency", f"[{i}] " + "x" * 1000, "## Latency") for i in range(5)]
    text = fitted("verdict", pieces, ORDER, 3500)
    assert [i for i in range(5) if f"[{i}] " in text] == [0, 1, 2]
    assert "latency (2 of 5 sections)" in text
    assert text.count("## Latency") == 1


def test_a_heading_goes_with_its_last_section():
    pieces = [Piece("quality", "x" * 1000, "## Quality"), Piece("paper", "y", "## Paper")]
    text = fitted("verdict", pieces, ORDER, 600)
    assert "## Quality" not in text
    assert "## Paper" in text


def test_an_opening_that_is_too_large_alone_is_cut_after_a_line():
    opening = "\n".join(f"- sentence {i} of the verdict" for i in range(100))
    text = fitted(opening, [Piece("paper", "p" * 1000)], ORDER, 500)
    kept = text.split("\n\n*Left out")[0].splitlines()
    assert len(kept) > 5
    assert all(line in opening.splitlines() for line in kept)
    assert "the paper's tables" in text
