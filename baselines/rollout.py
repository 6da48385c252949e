"""Autoregressive generation: one frame after another, each from the ones made before, until a stop.

The stop token's logit gives the chance that a frame is the last one. A clip ends when it is more likely to have ended
than not, which is the median of the lengths that the model believes in; no single frame needs to be sure of itself.

Both rivals share this loop, so that neither is stopped, cut or timed by a rule of its own.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from lipbench.models.contract import LipClip, LipRequest


class RolloutStep(NamedTuple):
    """One frame of every clip in the batch."""

    frame: Tensor
    """float (B, 3, H, W)."""
    stop_logit: Tensor
    """float (B,), of "this is the last frame"."""
    state: Any
    """Whatever the model needs for the next step."""


class LengthLimitWarning(UserWarning):
    """The stop token did not come before the safety limit."""


def roll_out(step: Callable[[Tensor, Any], RolloutStep], request: LipRequest, state: Any, *, limit: int) -> LipClip:
    """Generate until every clip has stopped.

    Args:
        step: makes a frame from the previous frame, float (B, 3, H, W), and the state.
        request: its `identity` is fed back before the first frame; its `n_frames` (or the sum of its `durations`), if
            given, fixes the length and the stop token is not read.
        state: what the first step gets.
        limit: longest clip that a stop token may make, in frames; a clip that reaches it raises `LengthLimitWarning`.

    Returns:
        The clips; their durations are None.
    """
    requested_lengths = request.n_frames
    if requested_lengths is None and request.durations is not None:
        requested_lengths = request.durations.sum(dim=1)
    lengths = torch.zeros(len(request.identity), dtype=torch.long, device=request.identity.device)
    going_on = torch.zeros(len(request.identity), device=request.identity.device)  # log of the chance not to have ended
    frames: list[Tensor] = []
    frame = request.identity
    longest = limit if requested_lengths is None else max(request.frames_on_host(requested_lengths))
    while len(frames) < longest:
        frame, stop_logit, state = step(frame, state)
        frames.append(frame)
        if requested_lengths is None:
            going_on = going_on + F.logsigmoid(-stop_logit.float())
            lengths = torch.where((lengths == 0) & (going_on < math.log(0.5)), len(frames), lengths)
            # the one read from the device that autoregression cannot do without
            if bool((lengths > 0).all()):
                break
    cut_off: tuple[int, ...] = ()
    if requested_lengths is None and bool((lengths == 0).any()):
        cut_off = tuple((lengths == 0).nonzero().flatten().tolist())
        warnings.warn(
            f"{len(cut_off)} of {len(lengths)} clips had no stop token within {limit} frames",
            LengthLimitWarning,
            stacklevel=2,
        )
        lengths = torch.where(lengths == 0, limit, lengths)
    return LipClip(
        torch.stack(frames, dim=1), lengths if requested_lengths is None else requested_lengths, cut_off=cut_off
    )
