"""Check a model's output against the contract before it is scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lipbench.errors import UserError
from lipbench.models.contract import LipClip, LipRequest

RANGE_TOLERANCE = 0.5 / 255
"""How far beyond [0, 1] a value may lie: within half a level of 8 bits the picture is the same, so it is rounding."""


class OutputClip(NamedTuple):
    """One clip of a `LipClip`, without its padding."""

    frames: Tensor
    """Float (T, 3, H, W), in [0, 1] but for rounding."""
    durations: Tensor | None
    """Whole numbers (m,), frames per token, on the host; None from a model that has none."""
    cut_off: bool
    """Whether it found no end of its own."""


def check_output(
    clip: LipClip, request: LipRequest, *, model: str, utterances: Sequence[str], frame_size: tuple[int, int]
) -> Iterator[OutputClip]:
    """Take the clips of a batch apart, each checked before it is given.

    Padding is not looked at: it may hold anything.

    Args:
        clip: what the model gave back.
        request: what it was asked.
        model: its name, for messages.
        utterances: ids of what it was asked to say, in the order of the request.
        frame_size: (H, W) that the model says its frames have.

    Raises:
        UserError: the answer breaks `lipbench.models.contract.LipClip`, naming the model and the utterance.
    """
    first = utterances[0] if len(utterances) == 1 else f"{utterances[0]} and {len(utterances) - 1} more"
    problem = _shape_problem(clip, request, frame_size)
    if problem is not None:
        raise _output_error(model, first, problem)
    longest = clip.frames.shape[1]
    spans = request.tokens_on_host()
    durations = None if clip.durations is None else clip.durations.cpu()
    # a model of someone else's may give back three attributes and no more
    cut_off = getattr(clip, "cut_off", ())
    for number, (utterance, length) in enumerate(zip(utterances, clip.lengths.tolist(), strict=True)):
        if not 1 <= length <= longest:
            raise _output_error(model, utterance, f"its length is {length}, and there are {longest} frames")
        frames = clip.frames[number, :length]
        problem = _range_problem(frames)
        if problem is not None:
            raise _output_error(model, utterance, problem)
        clip_durations = None if durations is None else durations[number, : spans[number]]
        yield OutputClip(frames, clip_durations, number in cut_off)


def _shape_problem(clip: LipClip, request: LipRequest, frame_size: tuple[int, int]) -> str | None:
    """What is wrong with the shapes and dtypes of a batch; None if nothing is."""
    count, tokens = request.tokens.shape
    frames, lengths, durations = clip.frames, clip.lengths, clip.durations
    if frames.ndim != 5 or frames.shape[2:] != (3, *frame_size):
        height, width = frame_size
        return f"its frames are {tuple(frames.shape)}, not (clips, frames, 3, {height}, {width})"
    if len(frames) != count:
        return f"it gave {len(frames)} clips for {count} sentences"
    if not frames.is_floating_point():
        return f"its frames are {frames.dtype}, not floating point"
    if lengths.shape != (count,) or not _is_whole(lengths):
        return f"its lengths are {tuple(lengths.shape)} {lengths.dtype}, not ({count},) whole numbers"
    if durations is not None and (durations.shape != (count, tokens) or not _is_whole(durations)):
        return f"its durations are {tuple(durations.shape)} {durations.dtype}, not ({count}, {tokens}) whole numbers"
    return None


def _is_whole(tensor: Tensor) -> bool:
    return not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool)


def _range_problem(frames: Tensor) -> str | None:
    """Why frames are no pictures; None if they are."""
    low, high = (bound.item() for bound in frames.detach().aminmax())
    if low >= -RANGE_TOLERANCE and high <= 1 + RANGE_TOLERANCE:  # so that NaN is found too
        return None
    return f"its frames must lie in [0, 1], and hold values from {low:g} to {high:g}"


def _output_error(model: str, utterance: str, problem: str) -> UserError:
    return UserError(
        f"what {model} made of {utterance} cannot be scored: {problem}",
        remedy="Mend its generate: lipbench.models.contract.LipClip says what it must return",
    )
