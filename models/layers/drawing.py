"""Drawing the frames of clips with an image decoder: the plain way, and a fast one that gives the same frames.

All frames of a clip share the identity's features, and a transposed convolution is linear in its input channels. So the
features' part of every level is convolved once per clip and added to each frame's own part. In evaluation mode batch
norm is linear too and is folded into the weights. Frames are drawn a few at a time, channels last, so that they stay in
cache. None of this changes what is computed, only how often; `PlainDrawing` stays as what tests compare with.

Legend: B clips, T frames, N frames drawn at once, D channels of a motion vector, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lipbench.models.layers.images import ImageDecoder

DrawingMode = Literal["folded", "plain"]

CACHE_BYTES = 13 << 20
"""How large the largest level of the frames drawn at once may be on a CPU: five frames of the paper preset."""
DEVICE_BYTES = 256 << 20
"""The same elsewhere: a GPU wants much work at once, and memory is to stay bounded all the same."""


class Drawing(Protocol):
    """Draws frames of some clips, whose identities it knows."""

    def frame(self, motion_BD: Tensor) -> Tensor:
        """Draw one frame of each clip.

        Args:
            motion_BD: float (B, D).

        Returns:
            float (B, 3, H, W) in [0, 1].
        """
        ...

    def clips(self, motion_BTD: Tensor, lengths: Sequence[int], *, chunk: int = 0) -> Tensor:
        """Draw whole clips.

        Args:
            motion_BTD: float (B, T, D).
            lengths: frames of each clip, B numbers of at most T.
            chunk: frames drawn at once; 0: as the way of drawing sees fit.

        Returns:
            float (B, T, 3, H, W) in [0, 1]; frames at and after a clip's length are anything.
        """
        ...

    def frames_at_once(self, motion_BTD: Tensor) -> int:
        """How many frames `clips` draws at once of such motion, float (B, T, D), if it is not told."""
        ...


def prepare_drawing(decoder: ImageDecoder, levels: Sequence[Tensor], way: DrawingMode = "folded") -> Drawing:
    """Get ready to draw clips.

    Args:
        decoder: the network that draws. Its weights are read now: a drawing lives no longer than one `generate`.
        levels: the identity encoder's features, finest first, each (B, C, h, w).
        way: "folded", or "plain" for the reference. A decoder in training mode always draws the plain way, since its
            batch norms then depend on the frames.
    """
    in_training = any(module.training for module in decoder.modules())
    return PlainDrawing(decoder, levels) if way == "plain" or in_training else FoldedDrawing(decoder, levels)


def draw_in_chunks(
    frame_drawing: Drawing, motion_BTD: Tensor, lengths: Sequence[int], *, chunk: int = 0
) -> Iterator[Tensor]:
    """Draw whole clips bit by bit.

    One frame of each first, for a short time to first frame, then `chunk` frames at a time.

    Args:
        frame_drawing: draws them.
        motion_BTD: float (B, T, D).
        lengths: frames of each clip, B numbers of at most T.
        chunk: frames drawn at once; 0: as the way of drawing sees fit.

    Yields:
        float (B, K, 3, H, W): joined over K, what `Drawing.clips` gives.
    """
    size = chunk or frame_drawing.frames_at_once(motion_BTD)
    start, n_frames = 0, motion_BTD.shape[1]
    while start < n_frames:
        stop = min(start + size, n_frames) if start else 1
        chunk_lengths = [min(max(length - start, 0), stop - start) for length in lengths]
        yield frame_drawing.clips(motion_BTD[:, start:stop], chunk_lengths, chunk=chunk)
        start = stop


class PlainDrawing:
    """The network as it is written down: features repeated for every frame and concatenated, everything at once.

    Args:
        decoder: see `prepare_drawing`.
        levels: see `prepare_drawing`.
    """

    def __init__(self, decoder: ImageDecoder, levels: Sequence[Tensor]) -> None:
        self.decoder = decoder
        self.levels = levels

    def frame(self, motion_BD: Tensor) -> Tensor:
        """See `Drawing.frame`."""
        return self.decoder(motion_BD, self.levels, torch.arange(len(motion_BD), device=motion_BD.device))

    def clips(self, motion_BTD: Tensor, lengths: Sequence[int], *, chunk: int = 0) -> Tensor:
        """See `Drawing.clips`; by default all frames of all clips at once."""
        clips, n_frames = motion_BTD.shape[:2]
        clip_of_frame = torch.arange(clips, device=motion_BTD.device).repeat_interleave(n_frames)
        size = chunk or clips * n_frames
        parts = zip(motion_BTD.flatten(0, 1).split(size), clip_of_frame.split(size), strict=True)
        return torch.cat([self.decoder(motion, self.levels, clip) for motion, clip in parts]).unflatten(
            0, (clips, n_frames)
        )

    def frames_at_once(self, motion_BTD: Tensor) -> int:
        """See `Drawing.frames_at_once`."""
        return motion_BTD.shape[0] * motion_BTD.shape[1]


class _Level(NamedTuple):
    weight: Tensor
    """float (C_in, C_out, k, k), of the frame's own channels, batch norm folded in."""
    share: Tensor
    """float (B, C_out, h, w), what the identity and the batch norm's shift add to every frame of a clip."""


class FoldedDrawing:
    """The same network with everything that is the same for all frames done beforehand.

    Args:
        decoder: see `prepare_drawing`; in evaluation mode.
        levels: see `prepare_drawing`.
    """

    def __init__(self, decoder: ImageDecoder, levels: Sequence[Tensor]) -> None:
        self.decoder = decoder
        self.levels = [
            _fold_level(level, skip, decoder.padding)
            for level, skip in zip(decoder.levels, reversed(levels), strict=True)
        ]
        conv, norm, _, last = decoder.extra
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        assert isinstance(last, nn.Conv2d)
        scale, self.extra_shift = _affine(norm)
        self.extra_weight = _channels_last(_scale_weight(conv.weight, scale[:, None, None, None]))
        self.last_weight, self.last_bias = _channels_last(last.weight), last.bias

    def frame(self, motion_BD: Tensor) -> Tensor:
        """See `Drawing.frame`."""
        return self._draw(motion_BD, [level.share for level in self.levels])

    def clips(self, motion_BTD: Tensor, lengths: Sequence[int], *, chunk: int = 0) -> Tensor:
        """See `Drawing.clips`; frames after a clip's length are not drawn, and are 0."""
        height, width = self.decoder.frame_size
        frames = motion_BTD.new_zeros(*motion_BTD.shape[:2], 3, height, width)
        size = chunk or self.frames_at_once(motion_BTD)
        for clip, length in enumerate(lengths):
            shares = [level.share[clip : clip + 1] for level in self.levels]
            for start in range(0, length, size):
                chunk_slice = slice(start, min(start + size, length))
                frames[clip, chunk_slice] = self._draw(motion_BTD[clip, chunk_slice], shares)
        return frames

    def _draw(self, motion_ND: Tensor, shares: Sequence[Tensor]) -> Tensor:
        """Draw float (N, 3, H, W); each share has one row for all frames, or one for each."""
        x = _channels_last(F.relu(self.decoder.linear(motion_ND)).unflatten(1, self.decoder.seed_shape))
        for level, share in zip(self.levels, shares, strict=True):
            x = F.conv_transpose2d(x, level.weight, stride=2, padding=self.decoder.padding, output_padding=1)
            x = x.add_(share).relu_()
        x = F.conv2d(x, self.extra_weight, self.extra_shift, padding=self.decoder.padding).relu_()
        return self.decoder.to_range(F.conv2d(x, self.last_weight, self.last_bias, padding=self.decoder.padding))

    def frames_at_once(self, motion_BTD: Tensor) -> int:
        """See `Drawing.frames_at_once`; as many as fit the cache."""
        largest = max(level.share[0].numel() for level in self.levels) * motion_BTD.element_size()
        return max(1, (CACHE_BYTES if motion_BTD.device.type == "cpu" else DEVICE_BYTES) // largest)


def _fold_level(level: nn.Module, skip: Tensor, padding: int) -> _Level:
    conv, norm, _ = level.children()
    assert isinstance(conv, nn.ConvTranspose2d)
    assert isinstance(norm, nn.BatchNorm2d)
    scale, shift = _affine(norm)
    weight = _scale_weight(conv.weight, scale[:, None, None])
    # the decoder's own channels come first, then the identity's (see `ImageDecoder.forward`)
    own_weight, identity = weight.split([len(weight) - skip.shape[1], skip.shape[1]])
    share = F.conv_transpose2d(skip, identity, shift, stride=2, padding=padding, output_padding=1)
    return _Level(_channels_last(own_weight), _channels_last(share))


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """What a batch norm in evaluation mode multiplies each channel by, and what it adds: both (C,)."""
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    # in single precision at least: a share of a half-precision weight is lost once, not twice
    precision = torch.promote_types(variance.dtype, torch.float32)
    scale = norm.weight.to(precision) / (variance.to(precision) + norm.eps).sqrt()
    return scale, (norm.bias.to(precision) - mean.to(precision) * scale).to(norm.bias.dtype)


def _scale_weight(weight: Tensor, scale: Tensor) -> Tensor:
    return (weight.to(scale.dtype) * scale).to(weight.dtype)


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)
