from __future__ import annotations

import pytest
import torch
from torch import nn

from lipbench.models.layers.attention import Attention


@pytest.mark.parametrize("bias", [False, True])
def test_equals_torchs_own_attention_with_the_same_weights(bias):
    torch.manual_seed(0)
    ours, theirs = Attention(12, 3, bias=bias), nn.MultiheadAttention(12, 3, bias=bias, batch_first=True)
    with torch.no_grad():
        if bias:
            theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key_value.bias]))
            theirs.out_proj.bias.copy_(ours.out.bias)
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key_value.weight]))
        theirs.out_proj.weight.copy_(ours.out.weight)
    query, memory = torch.rand(2, 4, 12), torch.rand(2, 5, 12)
    valid = torch.tensor([[True] * 5, [True, True, False, False, False]])
    expected, weights = theirs(query, memory, memory, key_padding_mask=~valid, average_attn_weights=False)
    mask = valid[:, None, None]
    kept = ours.remember(memory)
    torch.testing.assert_close(ours(query, kept, mask), expected)
    torch.testing.assert_close(ours.weights(query, kept, mask), weights)


def test_weights_are_dropped_while_training_only():
    torch.manual_seed(0)
    attention = Attention(8, 2, dropout=0.5)
    x = torch.rand(1, 6, 8)
    memory = attention.remember(x)
    assert not torch.equal(attention(x, memory), attention(x, memory))
    attention.eval()
    assert torch.equal(attention(x, memory), attention(x, memory))


def test_causal_attention_does_not_see_the_future():
    torch.manual_seed(0)
    attention = Attention(8, 2)
    x = torch.rand(1, 6, 8)
    changed = x.clone()
    changed[:, 4:] += 1
    before, after = (attention(v, attention.remember(v), causal=True) for v in (x, changed))
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_heads_must_divide_the_channels():
    with pytest.raises(ValueError, match="3 heads do not divide 8"):
        Attention(8, 3)
