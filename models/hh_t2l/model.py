"""HH-T2L (Liu et al. 2021, arXiv 2107.06831): text and one mouth picture to all frames at once.

Identity encoder, text encoder with duration predictor and length regulator, motion decoder, and an image decoder that
draws each frame on its own (paper §3.2, figure 2). Written from the paper. Where it is silent, facts of the public
ParaLip code fill in: the identity vector is added to the expanded text, and concatenated after the motion decoder.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from lipbench.models.contract import LipClip, LipRequest, ModelCard, TrainingBatch, TrainingOutput
from lipbench.models.hh_t2l.config import PRESETS, HHT2LConfig, SharedConfig
from lipbench.models.layers.drawing import Drawing, draw_in_chunks, prepare_drawing
from lipbench.models.layers.durations import (
    TOKEN_POSITION_FEATURES,
    DurationPredictor,
    expand,
    token_position_features,
    whole_frames,
)
from lipbench.models.layers.fft import BlockSizes, FFTStack
from lipbench.models.layers.images import IdentityEncoder, IdentityFeatures, ImageDecoder, gather_frames
from lipbench.models.layers.masks import valid_positions
from lipbench.models.layers.positions import PositionalEncoding
from lipbench.models.text import PADDING
from lipbench.presets import resolve


class TextStates(NamedTuple):
    """What the text encoder says of each token."""

    states: Tensor
    """float (B, m, H), 0 where padded."""
    valid: Tensor
    """bool (B, m)."""


class _MotionClips(NamedTuple):
    """Clips whose mouths move already, and wait to be drawn."""

    drawn: Drawing
    motion: Tensor
    """float (B, T, 2H)."""
    sizes: tuple[int, ...]
    """Frames of each clip."""
    lengths: Tensor
    """int64 (B,), the same on the device."""
    durations: Tensor
    """int64 (B, m)."""


class TextEncoder(nn.Module):
    """Embedding, positions and FFT blocks (paper §3.2, figure 2b without the duration predictor).

    Args:
        config: sizes.
    """

    def __init__(self, config: SharedConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocabulary_size, config.hidden, padding_idx=PADDING)
        nn.init.normal_(self.embedding.weight, std=config.hidden**-0.5)
        self.scale = config.hidden**0.5
        self.positions = PositionalEncoding(first=config.first_position, weighted=config.text_positions_weighted)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = fft_stack(config, config.encoder_layers)

    def forward(self, tokens_Bm: Tensor, token_lengths: Tensor) -> TextStates:
        """Encode token ids, int64 (B, m)."""
        valid = valid_positions(token_lengths, tokens_Bm.shape[1])
        embeddings = self.positions(self.embedding(tokens_Bm) * self.scale)
        return TextStates(self.blocks(self.dropout(embeddings) * valid[:, :, None], valid), valid)


class HHT2L(nn.Module):
    """The parallel model.

    Args:
        config: sizes; see `HHT2LConfig`.
    """

    card: ClassVar[ModelCard] = ModelCard(
        title="HH-T2L",
        paper="Liu et al. 2021, High-Speed and High-Quality Text-to-Lip Generation, arXiv 2107.06831",
        origin="written from the paper; sizes it omits from the public ParaLip code",
        licence="this repository's",
        autoregressive=False,
        predicts_durations=True,
    )

    def __init__(self, config: HHT2LConfig) -> None:
        super().__init__()
        self.config = config
        self.identity_encoder = identity_encoder(config)
        self.text_encoder = TextEncoder(config)
        self.duration_predictor = DurationPredictor(
            config.hidden, dropout=config.duration_dropout, domain=config.duration_domain
        )
        self.motion_positions = PositionalEncoding(first=config.first_position)
        self.token_places = nn.Linear(TOKEN_POSITION_FEATURES, config.hidden) if config.token_places else None
        self.motion_decoder = fft_stack(config, config.decoder_layers)
        self.image_decoder = image_decoder(config)

    @classmethod
    def from_preset(cls, preset: str, **options: Any) -> HHT2L:
        """Build from a preset and changes to it; see `lipbench.models.create`."""
        return cls(resolve("hh_t2l", PRESETS, preset, options))

    @property
    def frame_size(self) -> tuple[int, int]:
        """(H, W) of the frames."""
        return self.config.height, self.config.width

    def forward(self, batch: TrainingBatch) -> TrainingOutput:
        """Answer a training batch with the true durations; draw only the picked frames.

        Each frame is drawn on its own; only batch norm takes its statistics from fewer.
        """
        identity = self.identity_encoder(batch.identity)
        text = self.text_encoder(batch.tokens, batch.token_lengths)
        predictor_input = text.states.detach() if self.config.detach_durations else text.states
        motion = self._motion(text, identity, batch.durations, batch.frames.shape[1])
        frame_inputs, clip = gather_frames(motion, batch.frame_indices)
        frames = self.image_decoder(frame_inputs, identity.levels, clip)
        return TrainingOutput(
            frames=frames.unflatten(0, batch.frame_indices.shape),
            durations=self.duration_predictor(predictor_input, text.valid),
        )

    @torch.no_grad()
    def generate(self, request: LipRequest) -> LipClip:
        """Make the clips of a request; given durations are obeyed exactly, and so is a given length."""
        motion_clips = self._moved(request)
        frames = motion_clips.drawn.clips(motion_clips.motion, motion_clips.sizes, chunk=self.config.chunk)
        return LipClip(frames, motion_clips.lengths, motion_clips.durations)

    @torch.no_grad()
    def stream(self, request: LipRequest) -> Iterator[Tensor]:
        """Make the same frames in chunks, the first of one frame; see `StreamingLipModel.stream`.

        The motion of all frames is there before the first is drawn (paper figure 2); drawing is most of the work.
        """
        motion_clips = self._moved(request)
        yield from draw_in_chunks(motion_clips.drawn, motion_clips.motion, motion_clips.sizes, chunk=self.config.chunk)

    def _moved(self, request: LipRequest) -> _MotionClips:
        """All but the drawing."""
        identity = self.identity_encoder(request.identity)
        text = self.text_encoder(request.tokens, request.token_lengths)
        durations = request.durations
        if durations is None:
            predicted_durations = self.duration_predictor(text.states, text.valid)
            durations = whole_frames(
                predicted_durations, text.valid, request.n_frames, rounding=self.config.duration_rounding
            )
        lengths = durations.sum(dim=1)
        sizes = request.frames_on_host(lengths)
        motion = self._motion(text, identity, durations, max(sizes))
        frame_drawing = prepare_drawing(self.image_decoder, identity.levels, self.config.drawing)
        return _MotionClips(frame_drawing, motion, sizes, lengths, durations)

    def _motion(self, text: TextStates, identity: IdentityFeatures, durations: Tensor, n_frames: int) -> Tensor:
        """Expand the text by the durations and decode motion: float (B, T, 2H) with the identity beside it."""
        frame_states, lengths = expand(text.states, durations, n_frames)
        valid = valid_positions(lengths, n_frames)
        vector = identity.vector[:, None].expand(-1, n_frames, -1)
        states = self.motion_positions(frame_states + vector)
        if self.token_places is not None:
            states = states + self.token_places(token_position_features(durations, n_frames).to(states.dtype))
        states = states * valid[:, :, None]
        return torch.cat([self.motion_decoder(states, valid), vector], dim=-1)


def fft_stack(config: SharedConfig, layers: int) -> FFTStack:
    """FFT blocks of the configured sizes."""
    return FFTStack(layers, block_sizes(config), config.norm)


def block_sizes(config: SharedConfig) -> BlockSizes:
    """Sizes and details of one block."""
    return BlockSizes(
        hidden=config.hidden,
        heads=config.heads,
        inner=config.ffn_inner,
        kernel=config.ffn_kernel,
        dropout=config.dropout,
        attention_bias=config.attention_bias,
        attention_dropout=config.attention_dropout,
        scaled=config.ffn_scaled,
    )


def identity_encoder(config: SharedConfig) -> IdentityEncoder:
    """The identity encoder of the configured sizes."""
    return IdentityEncoder(
        config.identity_channels,
        (config.height, config.width),
        vector=config.hidden,
        kernel=config.image_kernel,
    )


def image_decoder(config: SharedConfig) -> ImageDecoder:
    """The image decoder of the configured sizes, which takes motion and identity side by side (2H)."""
    return ImageDecoder(
        config.image_channels,
        config.identity_channels,
        (config.height, config.width),
        vector=2 * config.hidden,
        kernel=config.image_kernel,
        output=config.output,
    )
