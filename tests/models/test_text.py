from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.errors import UserError
from lipbench.models.text import PADDING, Vocabulary


@given(st.lists(st.text(min_size=1), min_size=1, unique=True), st.data())
def test_ids_are_distinct_within_the_size_and_never_padding(symbols, data):
    vocabulary = Vocabulary(symbols)
    tokens = data.draw(st.lists(st.sampled_from(symbols), min_size=1))
    ids = vocabulary.encode(tokens)
    assert all(PADDING < i < vocabulary.size for i in ids)
    assert [vocabulary.symbols[i - 1] for i in ids] == tokens


def test_unknown_symbols_are_all_named():
    with pytest.raises(UserError, match="never seen '1', 'é'"):
        Vocabulary("ab").encode(["a", "é", "1", "é"])


def test_no_token_is_an_empty_text():
    with pytest.raises(UserError, match="empty"):
        Vocabulary("ab").encode([])


@pytest.mark.parametrize("symbols", [[], ["a", "a"]])
def test_symbols_must_be_distinct_and_there(symbols):
    with pytest.raises(ValueError, match="each once"):
        Vocabulary(symbols)
