"""Controls: reference systems without training; most use the true clip.

Each makes frames from the truth; the first frame is the identity that models get too. How metrics must rank them is in
`lipbench.benchmarks.metric_checks.ranking`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from lipbench.errors import UnknownNameError

if TYPE_CHECKING:
    from torch import Tensor


SHIFTS = (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)
"""Frames by which the truth is late (above 0) or early (below)."""
BLUR = 1 / 40
"""Standard deviation of the blur as a share of the frame's height: 2 pixels of 80."""


class ControlInputs(NamedTuple):
    """What a control may be made from."""

    frames: Tensor
    """The truth: float (T, 3, H, W) in [0, 1], at the size at which it is scored."""
    other: Callable[[], Tensor]
    """Another sentence of the same speaker, float (T', 3, H, W)."""
    round_trip: Callable[[], Tensor]
    """The truth after the way into the source video and back, float (T, 3, H, W). Raises `UserError` if the corpus
    has no source video."""


class Control(NamedTuple):
    """One control."""

    title: str
    """Name for tables."""
    why: str
    """What its row is good for."""
    make: Callable[[ControlInputs], Tensor]
    """Material to frames, float (T, 3, H, W)."""


def ground_truth(material: ControlInputs) -> Tensor:
    """The truth itself: every metric must call it perfect."""
    return material.frames


def first_frame(material: ControlInputs) -> Tensor:
    """The first frame, repeated: a mouth that never moves. Uses nothing that a model does not get."""
    return material.frames[:1].expand_as(material.frames)


def mean_frame(material: ControlInputs) -> Tensor:
    """The clip's mean frame, repeated: the best that a motionless mouth can do in squared error."""
    return material.frames.mean(dim=0, keepdim=True).expand_as(material.frames)


def shifted(material: ControlInputs, by: int) -> Tensor:
    """The truth, some frames late or early: the same mouth at the wrong time. The frame at the gap is repeated."""
    import torch

    last = len(material.frames) - 1
    return material.frames[(torch.arange(last + 1) - by).clamp(0, last)]


def other_sentence(material: ControlInputs) -> Tensor:
    """Another sentence of the same speaker, its last frame held to the clip's length: right looks, wrong words."""
    import torch

    other = material.other()
    return other[torch.arange(len(material.frames)).clamp(max=len(other) - 1)]


def crop_round_trip(material: ControlInputs) -> Tensor:
    """The truth, put back at the source video's resolution and cut out again: what resampling alone costs."""
    return material.round_trip()


def blurred(material: ControlInputs) -> Tensor:
    """The truth, blurred: right in time, wrong in detail."""
    from torchvision.transforms.functional import gaussian_blur

    sigma = BLUR * material.frames.shape[2]
    # three standard deviations to each side
    return gaussian_blur(material.frames, kernel_size=[2 * round(3 * sigma) + 1] * 2, sigma=[sigma, sigma])


def averaged(material: ControlInputs) -> Tensor:
    """The truth, each frame the mean of it and its neighbours: the right mouth without the camera's grain.

    No model draws that grain, which moves every pixel; motion is to be read against this row. Quick movements lose
    a little too.
    """
    import torch

    frames = material.frames
    around = torch.cat([frames[:1], frames, frames[-1:]])
    return (around[:-2] + around[1:-1] + around[2:]) / 3


CONTROLS: dict[str, Control] = {
    "ground_truth": Control("Ground truth", "must be perfect under every metric", ground_truth),
    "first_frame": Control(
        "First frame repeated", "a motionless mouth; a model below it has learned nothing", first_frame
    ),
    "mean_frame": Control("Mean frame of the clip", "a motionless mouth that knows the truth's mean", mean_frame),
    **{
        f"shift_{by:+d}": Control(
            f"Truth, {abs(by)} frame{'s' if abs(by) > 1 else ''} {'late' if by > 0 else 'early'}",
            "the right mouth at the wrong time",
            partial(shifted, by=by),
        )
        for by in SHIFTS
    },
    "other_sentence": Control("Another sentence", "the right speaker saying the wrong words", other_sentence),
    "crop_round_trip": Control("Crop round trip", "what cutting and pasting alone costs", crop_round_trip),
    "blur": Control("Truth, blurred", "right in time, wrong in detail", blurred),
    "average_3": Control("Truth, 3 frames averaged", "the right mouth without the camera's grain", averaged),
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
