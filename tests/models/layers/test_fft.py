from __future__ import annotations

import pytest
import torch

from lipbench.models.layers.fft import BlockSizes, ConvFeedForward, FFTStack


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_padding_neither_matters_nor_comes_back(norm):
    torch.manual_seed(0)
    stack = FFTStack(2, BlockSizes(hidden=8, heads=2, inner=16, kernel=5, dropout=0.0), norm).eval()
    x = torch.rand(1, 5, 8)
    padded = torch.cat([x, torch.rand(1, 4, 8)], dim=1)
    alone = stack(x, torch.ones(1, 5, dtype=torch.bool))
    together = stack(padded * (torch.arange(9) < 5)[None, :, None], (torch.arange(9) < 5)[None])
    torch.testing.assert_close(together[:, :5], alone, atol=1e-6, rtol=0)
    assert not together[:, 5:].any()


def test_a_causal_feed_forward_gives_the_same_step_by_step():
    torch.manual_seed(0)
    layer = ConvFeedForward(4, 8, 5, 0.0, causal=True).eval()
    x = torch.rand(2, 7, 4)
    whole = layer(x)
    past = torch.zeros(2, layer.reach, 4)
    for t in range(7):
        step = layer(x[:, t : t + 1], past)
        torch.testing.assert_close(step, whole[:, t : t + 1])
        past = torch.cat([past, x[:, t : t + 1]], dim=1)[:, 1:]


def test_the_scale_of_the_feed_forward_can_be_left_out():
    torch.manual_seed(0)
    scaled, plain = ConvFeedForward(4, 8, 9, 0.0), ConvFeedForward(4, 8, 9, 0.0, scaled=False)
    plain.load_state_dict(scaled.state_dict())
    x = torch.rand(1, 5, 4)
    with torch.no_grad():
        scaled.linear.bias.zero_()
        plain.linear.bias.zero_()
        torch.testing.assert_close(scaled(x) * 3, plain(x))
