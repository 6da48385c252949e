from __future__ import annotations

import torch

from baselines.dual_lip.attention import LocationAttention


def test_attention_stays_on_the_text_and_remembers_where_it_looked():
    torch.manual_seed(0)
    attention = LocationAttention(6, 4, channels=3, kernel=5)
    text = torch.rand(2, 7, 4)
    valid = torch.arange(7) < torch.tensor([7, 3])[:, None]
    look = attention.start(text)
    assert look.now[:, 0].tolist() == [1, 1]
    for step in range(1, 4):
        seen, look = attention(torch.rand(2, 6), text, attention.memory(text), valid, look)
        assert torch.allclose(look.now.sum(dim=1), torch.ones(2))
        assert not look.now[1, 3:].any()
        torch.testing.assert_close(seen, (look.now[:, :, None] * text).sum(dim=1))
        assert torch.allclose(look.total.sum(dim=1), torch.full((2,), step + 1.0))


def test_where_it_looked_changes_where_it_looks():
    torch.manual_seed(0)
    attention = LocationAttention(6, 4, channels=3, kernel=5)
    text, query = torch.rand(1, 7, 4), torch.rand(1, 6)
    valid = torch.ones(1, 7, dtype=torch.bool)
    start = attention.start(text)
    moved = type(start)(start.now.flip(1), start.total.flip(1))
    _, one = attention(query, text, attention.memory(text), valid, start)
    _, other = attention(query, text, attention.memory(text), valid, moved)
    assert not torch.allclose(one.now, other.now)
