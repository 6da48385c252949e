"""The losses of the paper (eq. 3-7), and the two that only autoregressive models need.

Eq. 3 is a sum over frames and eq. 5 a mean; means throughout, so that a loss does not grow with the clip.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from lipbench.errors import UserError
from lipbench.metrics.functional import ssim
from lipbench.models.layers.masks import valid_positions


def reconstruction_loss(preds: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference over all pixels and channels (eq. 3 as a mean); any equal shapes, in [0, 1]."""
    return F.l1_loss(preds, target)


def ssim_loss(preds: Tensor, target: Tensor) -> Tensor:
    """1 - SSIM, window 11 (eq. 5), float (N, 3, H, W) in [0, 1]; the same function as the metric."""
    return 1 - ssim(preds, target).mean()


def duration_loss(preds_Bm: Tensor, target_Bm: Tensor, token_lengths: Tensor) -> Tensor:
    """Absolute error of each token's frames plus that of their sum (eq. 4), both per token.

    Args:
        preds_Bm: float (B, m), frames per token.
        target_Bm: int (B, m).
        token_lengths: int (B,).
    """
    valid = valid_positions(token_lengths, preds_Bm.shape[1])
    error = (preds_Bm - target_Bm) * valid
    per_clip = error.abs().sum(dim=1) + error.sum(dim=1).abs()
    return (per_clip / token_lengths).mean()


def log_duration_loss(preds_Bm: Tensor, target_Bm: Tensor, token_lengths: Tensor) -> Tensor:
    """Squared error of log(1 + frames), per token: the public ParaLip code's, where the paper has eq. 4.

    Args:
        preds_Bm: float (B, m), frames per token in the linear domain, at least 0.
        target_Bm: int (B, m).
        token_lengths: int (B,).
    """
    valid = valid_positions(token_lengths, preds_Bm.shape[1])
    error = (preds_Bm.log1p() - target_Bm.to(preds_Bm.dtype).log1p()) * valid
    return ((error**2).sum(dim=1) / token_lengths).mean()


def generator_loss(judged_drawn: Tensor) -> Tensor:
    """Least-squares cost of drawn frames that are not taken for real ones (eq. 6; Mao et al. 2017).

    Args:
        judged_drawn: float (N,), the discriminator's answer to drawn frames.
    """
    return (judged_drawn - 1).square().mean()


def discriminator_loss(judged_true: Tensor, judged_drawn: Tensor) -> Tensor:
    """Least-squares cost of telling true frames (1) and drawn ones (0) apart (eq. 7; Mao et al. 2017).

    Args:
        judged_true: float (N,), the discriminator's answer to true frames.
        judged_drawn: float (N,), its answer to drawn ones.
    """
    return (judged_true - 1).square().mean() + judged_drawn.square().mean()


def stop_loss(logits_BT: Tensor, frame_lengths: Tensor) -> Tensor:
    """Cross-entropy of "this is the last frame", mean over the real frames.

    Frames are not weighted: the logits then say how likely the end is, and `lipbench.baselines.rollout` stops at the
    median of the lengths that they stand for. A weight on the one stop would end every clip early.

    Args:
        logits_BT: float (B, T).
        frame_lengths: int (B,).
    """
    valid = valid_positions(frame_lengths, logits_BT.shape[1])
    target = F.one_hot(frame_lengths - 1, logits_BT.shape[1]).to(logits_BT.dtype)
    cross_entropy = F.binary_cross_entropy_with_logits(logits_BT, target, reduction="none")
    return (cross_entropy * valid).sum() / valid.sum()


def guided_attention_loss(
    attention_BTm: Tensor, frame_lengths: Tensor, token_lengths: Tensor, *, width: float = 0.2
) -> Tensor:
    """Cost of looking far from the diagonal (Tachibana et al. 2018, eq. for W): text is read from left to right.

    Uses no durations: it only says that half-way through the clip one should be about half-way through the text.

    Args:
        attention_BTm: float (B, T, m), rows sum to 1.
        frame_lengths: int (B,).
        token_lengths: int (B,).
        width: distance from the diagonal, as a share of the clip, at which looking begins to cost.
    """
    n_frames, n_tokens = attention_BTm.shape[1:]
    device = attention_BTm.device
    frame = torch.arange(n_frames, device=device)[None, :, None] / frame_lengths[:, None, None]
    token = torch.arange(n_tokens, device=device)[None, None, :] / token_lengths[:, None, None]
    cost = 1 - torch.exp(-((frame - token) ** 2) / (2 * width**2))
    valid = valid_positions(frame_lengths, n_frames)
    per_frame = (attention_BTm * cost).sum(dim=-1) * valid
    return per_frame.sum() / valid.sum()


def not_finite_error(subject: str, step: int, *, details: str = "", rate: str = "learning_rate") -> UserError:
    """Build the error for a value that is not finite: which value, at which step, and how to continue.

    The same recipe would come to the same end, and its folder refuses another: hence another name.

    Args:
        subject: the beginning of a sentence, up to its verb and with it: "the loss is".
        step: counted from 0, as everywhere in the logs.
        details: the values, if they tell more.
        rate: the recipe's option to lower.
    """
    return UserError(
        f"{subject} not a number any more at step {step}{f' ({details})' if details else ''}",
        remedy=f"The last checkpoint is kept: train again with a lower training.{rate} "
        "and another name=NAME (or another out=), as a folder keeps to its recipe",
    )
