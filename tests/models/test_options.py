"""An option of the network reaches what it makes: the same weights with and without it draw different frames."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lipbench import models
from lipbench.models.contract import LipRequest

BLOCKS = [{"ffn_scaled": False}, {"first_position": 5}, {"attention_bias": True}, {"heads": 4}]
CASES = [
    *(("hh_t2l", {}, change) for change in (*BLOCKS, {"norm": "post"}, {"token_places": True}, {"output": "tanh"})),
    *(("transformer_t2l", {}, change) for change in (*BLOCKS, {"output": "tanh"})),
    ("dual_lip", {}, {"output": "tanh"}),
    ("dual_lip", {"durations": True}, {"output": "tanh"}),
]


def build(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    model = models.create(name, "tiny", **options)
    assert isinstance(model, nn.Module)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.weight, 3.0)  # a fresh network draws grey
    return model.eval()


def frames_of(model: Any) -> Tensor:
    identity = torch.rand(1, 3, *model.frame_size, generator=torch.Generator().manual_seed(1))
    request = LipRequest(torch.tensor([[3, 1, 4]]), torch.tensor([3]), identity, n_frames=torch.tensor([5]))
    return model.generate(request).frames


@pytest.mark.parametrize(("name", "form", "change"), CASES, ids=str)
def test_frames_differ(name, form, change):
    usual, changed = build(name, **form), build(name, **form, **change)
    added = changed.load_state_dict(usual.state_dict(), strict=False).missing_keys
    assert bool(added) == (next(iter(change)) in {"attention_bias", "token_places"})
    assert (frames_of(usual) - frames_of(changed)).abs().max() > 1e-3
