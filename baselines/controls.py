"""Controls: what a table must be read against. None has learned anything, and some know the truth.

Each takes the true frames, float (T, 3, H, W), and gives as many; the first frame is the identity that models get too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from models.errors import UnknownNameError

if TYPE_CHECKING:
    from torch import Tensor


class Control(NamedTuple):
    """One control."""

    title: str
    """Name for tables."""
    why: str
    """What its row is good for."""
    make: Callable[[Tensor], Tensor]
    """True frames to the control's frames, both float (T, 3, H, W)."""


def ground_truth(frames_T3HW: Tensor) -> Tensor:
    """The truth itself: every metric must call it perfect."""
    return frames_T3HW


def first_frame(frames_T3HW: Tensor) -> Tensor:
    """The first frame, repeated: a mouth that never moves. Uses nothing that a model does not get."""
    return frames_T3HW[:1].expand_as(frames_T3HW)


def mean_frame(frames_T3HW: Tensor) -> Tensor:
    """The clip's mean frame, repeated: the best that a motionless mouth can do in squared error."""
    return frames_T3HW.mean(dim=0, keepdim=True).expand_as(frames_T3HW)


CONTROLS: dict[str, Control] = {
    "ground_truth": Control("Ground truth", "must be perfect under every metric", ground_truth),
    "first_frame": Control(
        "First frame repeated", "a motionless mouth; a model below it has learned nothing", first_frame
    ),
    "mean_frame": Control("Mean frame of the clip", "a motionless mouth that knows the truth's mean", mean_frame),
}


def names() -> list[str]:
    """Names of all controls, the perfect one first."""
    return list(CONTROLS)


def get(name: str) -> Control:
    """One control.

    Raises:
        UnknownNameError: there is no such control.
    """
    if name not in CONTROLS:
        raise UnknownNameError("control", name, CONTROLS)
    return CONTROLS[name]
