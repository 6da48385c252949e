"""Durations: predicting them (paper §3.2), rounding them to frames, and expanding tokens to frames by them.

The paper's loss is on frames (eq. 4); ParaLip's code predicts log(frames + 1), with a loss on that. Both are here, and
either way what leaves the predictor is a number of frames, of which `log1p` gives the logarithmic prediction back.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lipbench.models.layers.masks import valid_positions

Domain = Literal["linear", "log"]
Rounding = Literal["total", "token"]


class DurationPredictor(nn.Module):
    """Two Conv1d with ReLU, layer norm and dropout, then a linear layer and a step to frames.

    Source: paper §3.2; kernel 3 and dropout 0.5 from ParaLip's code.

    Args:
        hidden: channels H.
        kernel: taps; odd.
        dropout: after each convolution.
        start: frames per token that it predicts before it has learned anything.
        domain: what the linear layer's number is. "linear" (paper, eq. 4): frames, kept positive by softplus. "log"
            (ParaLip): log(frames + 1).
    """

    def __init__(
        self, hidden: int, *, kernel: int = 3, dropout: float = 0.5, start: float = 2.5, domain: Domain = "linear"
    ) -> None:
        super().__init__()
        self.domain: Domain = domain
        self.convs = nn.ModuleList(nn.Conv1d(hidden, hidden, kernel, padding=kernel // 2) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(2))
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(hidden, 1)
        nn.init.normal_(self.linear.weight, std=0.01)
        nn.init.constant_(self.linear.bias, math.log(math.expm1(start)) if domain == "linear" else math.log1p(start))

    def forward(self, x_BmH: Tensor, valid_Bm: Tensor) -> Tensor:
        """Predict frames per token.

        Returns:
            float (B, m), 0 where padded. "linear": above 0. "log": above -1, so that the logarithm of a prediction
            below no frame at all can still be learned from; `whole_frames` takes those as 0.
        """
        keep = valid_Bm[:, :, None].to(x_BmH.dtype)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x_BmH = self.dropout(norm(F.relu(conv(x_BmH.transpose(1, 2)).transpose(1, 2)))) * keep
        raw_prediction = self.linear(x_BmH)
        frames = F.softplus(raw_prediction) if self.domain == "linear" else raw_prediction.expm1()
        return frames.squeeze(-1) * keep.squeeze(-1)


def whole_frames(
    predicted_Bm: Tensor, valid_Bm: Tensor, n_frames: Tensor | None = None, *, rounding: Rounding = "total"
) -> Tensor:
    """Round predicted durations to frames. A clip keeps at least one frame, and padding gets none.

    Args:
        predicted_Bm: float (B, m); what is below 0 counts as 0.
        valid_Bm: bool (B, m), each row's real tokens.
        n_frames: int (B,), at least 1: the total to reach exactly, by stretching; None: the prediction's own total.
        rounding: "total" rounds the running sum and not each token, so that errors do not add up and the total is the
            rounded total. "token" rounds each token (ParaLip, where a clip of no frame at all gets one per token);
            a total that is asked for is reached as with "total".

    Returns:
        int64 (B, m).

    Example:
        >>> whole_frames(torch.tensor([[1.4, 1.4, 1.4]]), torch.ones(1, 3, dtype=torch.bool)).tolist()
        [[1, 2, 1]]
    """
    predicted_Bm = predicted_Bm.double().clamp(min=0) * valid_Bm
    if rounding == "token" and n_frames is None:
        rounded_Bm = predicted_Bm.round().long()
        return torch.where(rounded_Bm.any(dim=1, keepdim=True), rounded_Bm, valid_Bm.long())
    running = predicted_Bm.cumsum(dim=1)
    total = running[:, -1:].clamp(min=1e-9)
    whole_total = (total.round() if n_frames is None else n_frames[:, None].double()).clamp(min=1)
    if n_frames is not None:
        running = running / total * whole_total
    ends = torch.minimum((running + 0.5).floor(), whole_total)
    # A prediction of almost nothing would leave no frame at all: the last token that counts gets what is missing.
    last = (predicted_Bm > 0).long().cumsum(1).argmax(dim=1, keepdim=True)
    after = torch.arange(ends.shape[1], device=ends.device) >= last
    ends = torch.where(after, whole_total, ends)
    return torch.diff(ends, dim=1, prepend=torch.zeros_like(total)).long()


def expand(x_BmH: Tensor, durations_Bm: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The length regulator: repeat each token's state for as many frames as it lasts.

    Integer arithmetic throughout, and nothing is read from the device.

    Args:
        x_BmH: float (B, m, H).
        durations_Bm: int (B, m), at least 0.
        size: padded number of frames T, at least the longest total.

    Returns:
        float (B, T, H), 0 where padded, and int64 (B,), frames of each clip.

    Example:
        >>> expand(torch.tensor([[[1.0], [2.0], [3.0]]]), torch.tensor([[2, 0, 1]]), 3)[0].flatten().tolist()
        [1.0, 1.0, 3.0]
    """
    ends = durations_Bm.long().cumsum(dim=1)
    token_of_frame = _token_of_frame(ends, size)
    frame_states = x_BmH.gather(1, token_of_frame[:, :, None].expand(-1, -1, x_BmH.shape[2]))
    return frame_states * valid_positions(ends[:, -1], size)[:, :, None].to(x_BmH.dtype), ends[:, -1]


TOKEN_POSITION_FEATURES = 4
"""Numbers that `token_position_features` gives of each frame."""


def token_position_features(durations_Bm: Tensor, size: int) -> Tensor:
    """The position of each frame within its token, which expanded states do not hold.

    Not in the paper.

    Args:
        durations_Bm: int (B, m), at least 0.
        size: padded number of frames T, at least the longest total.

    Returns:
        float (B, T, 4): the frame's middle as a share of its token, in frames from the token's start and to its end,
        and the natural logarithm of the token's frames. Of padding, any number.

    Example:
        >>> token_position_features(torch.tensor([[2, 0, 1]]), 3)[0, :, 0].tolist()
        [0.25, 0.75, 0.5]
    """
    durations_Bm = durations_Bm.long()
    ends = durations_Bm.cumsum(dim=1)
    token_of_frame = _token_of_frame(ends, size)
    length = durations_Bm.gather(1, token_of_frame).clamp(min=1).float()
    until = ends.gather(1, token_of_frame) - torch.arange(size, device=ends.device) - 0.5
    since = length - until
    return torch.stack([since / length, since, until, length.log()], dim=-1)


def _token_of_frame(ends_Bm: Tensor, size: int) -> Tensor:
    """Index of the token in which each of `size` frames lies, int64 (B, size); of frames after the last, the last."""
    frames = torch.arange(size, device=ends_Bm.device).expand(len(ends_Bm), -1).contiguous()
    return torch.searchsorted(ends_Bm, frames, right=True).clamp(max=ends_Bm.shape[1] - 1)
