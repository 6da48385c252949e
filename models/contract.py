"""What every text-to-lip model takes and gives.

The contract is structural: a class that has `generate` (and, to be trained, `forward` on a `TrainingBatch`) is a model,
and a third-party plug-in needs to import nothing from here.

Shapes: B clips, m text tokens, T frames, K frames picked out of T, H x W pixels. Frames are RGB in [0, 1].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

from torch import Tensor


class HostLengths(NamedTuple):
    """Lengths as plain numbers, for a model that would otherwise have to read them back from its device.

    Such a read waits for all that the device has yet to do, and no call that reads can be captured or compiled whole.
    """

    tokens: tuple[int, ...]
    """Tokens of each clip."""
    frames: tuple[int, ...] | None = None
    """Frames of each clip; None: the model decides."""


class LipRequest(NamedTuple):
    """One batch of sentences to say, each with a picture of the mouth that is to say it."""

    tokens: Tensor
    """int64 (B, m), 0 where padded."""
    token_lengths: Tensor
    """int64 (B,), at least 1."""
    identity: Tensor
    """float (B, 3, H, W), one mouth picture per clip."""
    durations: Tensor | None = None
    """int64 (B, m), frames per token, to be obeyed exactly; None: the model decides."""
    n_frames: Tensor | None = None
    """int64 (B,), the exact length to make; None: the model decides (or the durations do)."""
    host: HostLengths | None = None
    """The same lengths as the tensors hold, if the caller has them as numbers; they do not change the output."""

    def tokens_on_host(self) -> tuple[int, ...]:
        """Tokens of each clip, read from the device only if the request does not tell."""
        return tuple(self.token_lengths.tolist()) if self.host is None else self.host.tokens

    def frames_on_host(self, lengths: Tensor) -> tuple[int, ...]:
        """Frames of each clip, read from the device only if the request does not tell.

        Args:
            lengths: int64 (B,), the same as a tensor.
        """
        host_frames = None if self.host is None else self.host.frames
        return tuple(lengths.tolist()) if host_frames is None else host_frames


class LipClip(NamedTuple):
    """What a model makes of a `LipRequest`."""

    frames: Tensor
    """float (B, T, 3, H, W); frames at and after a clip's length are padding."""
    lengths: Tensor
    """int64 (B,), at least 1."""
    durations: Tensor | None = None
    """int64 (B, m), frames per token as used; None from a model that has none."""
    cut_off: tuple[int, ...] = ()
    """Which clips of the batch found no end of their own, and stop at the longest length that the model makes."""


class TrainingBatch(NamedTuple):
    """One training batch: the request and the true clip."""

    tokens: Tensor
    """int64 (B, m)."""
    token_lengths: Tensor
    """int64 (B,)."""
    durations: Tensor
    """int64 (B, m), true frames per token; each row sums to the clip's length."""
    identity: Tensor
    """float (B, 3, H, W), a random frame of the clip."""
    frames: Tensor
    """float (B, T, 3, H, W)."""
    frame_lengths: Tensor
    """int64 (B,)."""
    frame_indices: Tensor
    """int64 (B, K), the frames to draw in this step; every index lies inside its clip."""

    @property
    def picked(self) -> Tensor:
        """`frame_indices`, by their name in version 0.1."""
        return self.frame_indices


class TrainingOutput(NamedTuple):
    """A model's answer to a `TrainingBatch`, for the losses."""

    frames: Tensor
    """float (B, K, 3, H, W), the picked frames."""
    durations: Tensor | None = None
    """float (B, m), predicted frames per token in the linear domain."""
    stop_logits: Tensor | None = None
    """float (B, T), of "this is the last frame"."""
    attention: Tensor | None = None
    """float (B, T, m), how much each frame looks at each token; rows sum to 1."""


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """Where a model comes from and what it is."""

    title: str
    paper: str
    origin: str
    """Which implementation this is: from a paper, a port, a reconstruction and of what."""
    licence: str
    autoregressive: bool
    predicts_durations: bool
    fps: float = 25.0
    """Frame rate that the model was published for; it does not depend on it."""


@runtime_checkable
class LipModel(Protocol):
    """Anything that makes clips."""

    def generate(self, request: LipRequest) -> LipClip:
        """Make the clips. Deterministic in evaluation mode; runs without gradients."""
        ...


@runtime_checkable
class StreamingLipModel(LipModel, Protocol):
    """A model that yields frames while it generates, for playback and for the time to first frame."""

    def stream(self, request: LipRequest) -> Iterator[Tensor]:
        """Make the frames of `generate` in chunks, each as soon as it is there.

        Yields:
            float (B, K, 3, H, W), K at least 1 and free to change; joined over K they are `LipClip.frames`, but for
            rounding. Frames at and after a clip's length are padding.
        """
        ...


class TrainableLipModel(LipModel, Protocol):
    """A model that lipbench can train.

    It is an `nn.Module` whose constructor takes the option ``vocabulary_size`` (token ids, padding included).
    """

    card: ClassVar[ModelCard]

    @property
    def frame_size(self) -> tuple[int, int]:
        """(H, W) of the frames that it takes and makes."""
        ...

    def forward(self, batch: TrainingBatch) -> TrainingOutput:
        """Answer a training batch, with the true past fed back if the model is autoregressive."""
        ...
