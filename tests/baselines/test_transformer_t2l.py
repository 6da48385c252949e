from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lipbench import models
from lipbench.baselines.rollout import LengthLimitWarning
from lipbench.models.contract import LipRequest


def pair() -> tuple[nn.Module, nn.Module]:
    """The same weights with and without a cache, drawing frames that differ."""
    torch.manual_seed(0)
    made = [models.create("transformer_t2l", "tiny", cache=cache, max_frames=40) for cache in (True, False)]
    cached, afresh = (each for each in made if isinstance(each, nn.Module))
    for module in cached.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.weight, 3.0)
    nn.init.constant_(cached.stop.bias, -3.0)  # pyright: ignore
    afresh.load_state_dict(cached.state_dict())
    return cached.eval(), afresh.eval()


@pytest.mark.parametrize("n_frames", [torch.tensor([12, 5]), None], ids=["given length", "own length"])
def test_the_cache_changes_neither_frames_nor_lengths(n_frames):
    cached, afresh = pair()
    request = LipRequest(
        torch.randint(1, 29, (2, 6)), torch.tensor([6, 4]), torch.rand(2, 3, 20, 40), n_frames=n_frames
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", LengthLimitWarning)
        ours, theirs = cached.generate(request), afresh.generate(request)  # pyright: ignore
    assert ours.lengths.tolist() == theirs.lengths.tolist()
    assert ours.lengths.max() > 4
    torch.testing.assert_close(ours.frames, theirs.frames, atol=1e-5, rtol=0)
    assert ours.frames[0].std(dim=0).mean() > 1e-3  # the frames differ from one another


def test_with_a_cache_a_step_costs_the_same_however_long_the_clip_and_without_one_it_grows():
    def operations(model, frames):
        request = LipRequest(
            torch.ones(1, 3, dtype=torch.long),
            torch.tensor([3]),
            torch.rand(1, 3, 20, 40),
            n_frames=torch.tensor([frames]),
        )
        with FlopCounterMode(display=False) as counter:
            model.generate(request)
        return counter.get_total_flops()

    cached, afresh = pair()
    for model, grows in ((cached, False), (afresh, True)):
        early = operations(model, 5) - operations(model, 4)
        late = operations(model, 25) - operations(model, 24)
        assert (late > 1.02 * early) == grows  # most of a step is drawing, which is the same for all
