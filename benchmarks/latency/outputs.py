"""What timed calls made: the number of a call whose frames are not the right ones is void."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

SAME = 1e-3
"""Largest difference, in [0, 1], of frames that count as the same: a quarter of one of 255 levels. Libraries that add
up in another order stay well below it."""


class VoidError(ValueError):
    """A timed call did not make what it should have, so its time says nothing."""


def digest(frames: Tensor) -> str:
    """sha256 of frames of any shape and floating number type, and of their shape."""
    whole = frames.detach().float().cpu().contiguous()
    return hashlib.sha256(str(tuple(whole.shape)).encode() + whole.numpy().tobytes()).hexdigest()


def difference(made: Tensor, wanted: Tensor) -> float:
    """Largest difference of frames; infinite where their shapes differ or one of them is not a number."""
    if made.shape != wanted.shape:
        return float("inf")
    apart = (made.detach().float().cpu() - wanted.detach().float().cpu()).abs().max().item()
    return apart if apart == apart else float("inf")


def check_same(made: Tensor, wanted: Tensor, what: str) -> None:
    """Compare frames.

    Raises:
        VoidError: they differ by more than `SAME`.
    """
    if torch.equal(made, wanted):
        return
    apart = difference(made, wanted)
    if apart > SAME:
        raise VoidError(f"{what}: frames differ by up to {apart:.3g} of [0, 1], at most {SAME} may be rounding")
