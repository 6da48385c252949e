from __future__ import annotations

import pytest
import torch

from lipbench.models.layers.positions import PositionalEncoding


def test_a_sequence_can_be_given_in_parts():
    positions = PositionalEncoding(first=1)
    whole = positions(torch.zeros(1, 7, 8))
    parts = [positions(torch.zeros(1, 3, 8)), positions(torch.zeros(1, 4, 8), start=3)]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole)


def test_the_first_position_moves_the_table():
    torch.testing.assert_close(
        PositionalEncoding(first=1)(torch.zeros(1, 4, 8)), PositionalEncoding()(torch.zeros(1, 5, 8))[:, 1:]
    )


def test_the_weight_is_learnable_or_absent():
    assert [name for name, _ in PositionalEncoding().named_parameters()] == ["weight"]
    fixed = PositionalEncoding(weighted=False)
    assert not list(fixed.parameters())
    torch.testing.assert_close(fixed(torch.zeros(1, 4, 8)), PositionalEncoding()(torch.zeros(1, 4, 8)))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_late_positions_are_told_apart_in_half_precision(dtype):
    # a table computed in bfloat16 would give positions 256 and 257 the same row
    half = PositionalEncoding().to(dtype)(torch.zeros(1, 400, 8, dtype=dtype))
    torch.testing.assert_close(half.float(), PositionalEncoding()(torch.zeros(1, 400, 8)), atol=0.01, rtol=0)
