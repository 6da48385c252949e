"""Remedies for exposure bias: an autoregressive model is trained on true frames and generates from its own.

Both change only what is fed back; what the frames are compared with stays the truth. A model that takes no feedback is
not changed by them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lipbench.models.contract import TrainableLipModel, TrainingBatch
from lipbench.training.config import TrainingConfig


def perturb(model: TrainableLipModel, batch: TrainingBatch, config: TrainingConfig, step: int) -> TrainingBatch:
    """The batch as the model is to see it in a step.

    Args:
        model: the one that learns.
        batch: as the corpus has it.
        config: says which remedies are used, and how much.
        step: from 0; scheduled sampling rises with it.
    """
    card = getattr(model, "card", None)  # a class of someone else's may have none
    if card is None or not card.autoregressive:
        return batch
    frames = batch.frames
    if config.scheduled_sampling > 0:
        frames = scheduled_sampling(model, batch, config.scheduled_sampling * step / max(1, config.steps - 1))
    if config.feedback_noise > 0:
        frames = add_noise(frames, config.feedback_noise)
    return batch._replace(frames=frames)


def scheduled_sampling(model: TrainableLipModel, batch: TrainingBatch, share: float) -> Tensor:
    """Replace true frames by what the model draws in their places when it is fed the truth.

    Scheduled sampling (Bengio et al. 2015) frame by frame would undo the parallel training of a Transformer: as in its
    two-pass form (Mihaylova and Martins 2019), a first pass without gradients draws all replacements at once.

    Args:
        model: draws them.
        batch: with the true frames.
        share: of the shortest clip's frames, as many in each clip, at random places.

    Returns:
        float (B, T, 3, H, W).
    """
    count = round(share * int(batch.frame_lengths.min()))
    if count == 0:
        return batch.frames
    places = torch.stack(
        [torch.randperm(length, device=batch.frames.device)[:count] for length in batch.frame_lengths.tolist()]
    )
    with torch.no_grad():
        own_frames = model.forward(batch._replace(frame_indices=places)).frames
    rows = torch.arange(len(places), device=places.device)[:, None]
    frames = batch.frames.clone()
    frames[rows, places] = own_frames.clamp(0, 1).to(frames.dtype)
    return frames


def add_noise(frames: Tensor, deviation: float) -> Tensor:
    """Add Gaussian noise and stay in [0, 1]: small errors in the past are then something that the model has seen.

    Args:
        frames: float, any shape, in [0, 1].
        deviation: standard deviation, in the same unit.
    """
    return (frames + deviation * torch.randn_like(frames)).clamp(0, 1)
