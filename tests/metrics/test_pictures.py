from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
import torch

from lipbench.metrics.pictures import GREY, grey_8_bits, prepare_frames, to_8_bits
from lipbench.metrics.protocols import PAPER


@pytest.fixture(scope="module")
def frames() -> torch.Tensor:
    return torch.rand(2, 3, 24, 32, generator=torch.Generator().manual_seed(0))


def test_grey_of_bytes_is_opencvs():
    levels = torch.randint(0, 256, (4, 3, 64, 64), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    ours = grey_8_bits(levels)
    for frame, grey in zip(levels, ours, strict=True):
        expected = cv2.cvtColor(np.ascontiguousarray(frame.permute(1, 2, 0).numpy()), cv2.COLOR_RGB2GRAY)
        assert (grey[0].numpy() == expected).all()


def test_levels_are_the_nearest(frames):
    assert to_8_bits(torch.tensor([0.0, 1.0, 0.6 / 255, 0.4 / 255])).tolist() == [0, 255, 1, 0]
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_8_bits(levels.float() / 255), levels)


def test_nothing_is_done_to_frames_as_they_come(frames):
    assert torch.equal(prepare_frames(frames, PAPER), frames.double())


def test_grey_without_rounding(frames):
    grey = prepare_frames(frames, dataclasses.replace(PAPER, colour="grey"))
    expected = sum(weight * frames[:, i].double() for i, weight in enumerate(GREY))
    torch.testing.assert_close(grey, expected[:, None])


def test_both_rules_together(frames):
    both = prepare_frames(frames, dataclasses.replace(PAPER, colour="grey", depth="uint8"))
    assert both.shape == (2, 1, 24, 32)
    torch.testing.assert_close(both * 255, (both * 255).round(), rtol=0, atol=1e-9)
    torch.testing.assert_close(
        both, prepare_frames(frames, dataclasses.replace(PAPER, colour="grey")), rtol=0, atol=1.01 / 255
    )
