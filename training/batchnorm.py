"""Batch norm over the clips of all processes, so that several of them train what one would.

torch's own `SyncBatchNorm` refuses tensors on CPUs; this one takes any device that the processes can talk over.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, distributed, nn


class _Sum(torch.autograd.Function):
    """The sum over all processes. What one of them put in has changed the loss of each, so gradients are summed too."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        total = tensor.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        total = gradient.contiguous().clone()
        distributed.all_reduce(total)
        return total


class GlobalBatchNorm2d(nn.BatchNorm2d):
    """Batch norm whose mean and variance, while training, are those of all processes together."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise float (N, C, H, W); N may differ between processes."""
        if not self.training:
            return super().forward(input)
        count = input.new_tensor([float(input.numel() // input.shape[1])], dtype=torch.float32)
        wide = input.float()
        # two passes: the variance as a difference of large sums would lose digits
        sums = _sum_over_processes(torch.cat([wide.sum(dim=(0, 2, 3)), count]))
        total = sums[-1].detach()
        mean = sums[:-1] / total
        deviations = wide - mean[:, None, None]
        variance = _sum_over_processes(deviations.square().sum(dim=(0, 2, 3))) / total
        self._remember(mean.detach(), variance.detach(), total)
        normalised = deviations * torch.rsqrt(variance + self.eps)[:, None, None]
        if self.affine:
            normalised = normalised * self.weight[:, None, None] + self.bias[:, None, None]
        return normalised.to(input.dtype)

    def _remember(self, mean: Tensor, variance: Tensor, total: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        with torch.no_grad():
            self.num_batches_tracked += 1
            weight = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, weight)
            self.running_var.lerp_(variance * total / (total - 1).clamp(min=1), weight)


def _sum_over_processes(tensor: Tensor) -> Tensor:
    return cast("Tensor", _Sum.apply(tensor))


def make_global(model: nn.Module) -> None:
    """Replace every `BatchNorm2d` inside a model, in its place, by one over all processes with the same weights."""
    for name, child in model.named_children():
        if type(child) is nn.BatchNorm2d:
            setattr(model, name, _global(child))
        else:
            make_global(child)


def _global(norm: nn.BatchNorm2d) -> GlobalBatchNorm2d:
    global_norm = GlobalBatchNorm2d(
        norm.num_features,
        eps=norm.eps,
        momentum=norm.momentum,
        affine=norm.affine,
        track_running_stats=norm.track_running_stats,
    )
    # the very same tensors: an optimiser may hold them already
    for names in (norm._parameters, norm._buffers):
        for name, tensor in names.items():
            setattr(global_norm, name, cast("Tensor | None", tensor))
    return global_norm.train(norm.training)
