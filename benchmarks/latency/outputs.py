"""Compare the frames of timed calls: a time is invalid if its frames are wrong."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FRAME_TOLERANCE = 1e-3
"""Largest difference, in [0, 1], of frames that count as the same: a quarter of one of 255 levels. Libraries that add
up in another order stay well below it."""


SKETCH = 8
"""Numbers of a sketch: one byte's bits give the signs of one value."""


class OutputMismatchError(ValueError):
    """A timed call did not make what it should have, so its time says nothing."""


def digest(frames: Tensor) -> str:
    """sha256 of frames of any shape and floating number type, and of their shape."""
    values = frames.detach().float().cpu().contiguous()
    return hashlib.sha256(str(tuple(values.shape)).encode() + values.numpy().tobytes()).hexdigest()


def sketch(frames: Tensor) -> list[float]:
    """Frames as a few numbers that differ by about as much as the frames do: a digest that lets rounding pass.

    Each number is the sum of all values by fixed random signs, over the root of their count. The root mean square of
    the differences of two sketches estimates that of the frames themselves (Johnson and Lindenstrauss).

    Args:
        frames: (..., C, H, W), in [0, 1].

    Returns:
        `SKETCH` numbers.
    """
    rows = frames.detach().double().cpu().flatten(-3).flatten(0, -2).numpy()
    per_value, per_frame = (
        _signs(count, word) for count, word in zip(rows.shape[::-1], (b"value", b"frame"), strict=True)
    )
    return ((rows @ per_value * per_frame).sum(axis=0) / math.sqrt(rows.size)).tolist()


def _signs(count: int, word: bytes) -> NDArray[np.float64]:
    """Signs, (count, SKETCH), the same with every version of every library."""
    bits = np.unpackbits(np.frombuffer(hashlib.shake_256(word).digest(count), dtype=np.uint8))
    return np.where(bits.reshape(count, SKETCH), 1.0, -1.0).astype(np.float64)


def largest_difference(frames: Tensor, expected_frames: Tensor) -> float:
    """Largest difference of frames; infinite where their shapes differ or one of them is not a number."""
    if frames.shape != expected_frames.shape:
        return float("inf")
    largest = (frames.detach().float().cpu() - expected_frames.detach().float().cpu()).abs().max().item()
    return largest if largest == largest else float("inf")


def check_frames_equal(frames: Tensor, expected_frames: Tensor, description: str) -> None:
    """Compare frames.

    Raises:
        VoidError: they differ by more than `FRAME_TOLERANCE`.
    """
    if torch.equal(frames, expected_frames):
        return
    largest = largest_difference(frames, expected_frames)
    if largest > FRAME_TOLERANCE:
        raise OutputMismatchError(
            f"{description}: frames differ by up to {largest:.3g} of [0, 1], at most {FRAME_TOLERANCE} may be rounding"
        )
