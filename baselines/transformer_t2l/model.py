"""TransformerT2L (paper §5.1): HH-T2L's modules with a causal decoder that is fed the frames it has made.

There is no public code. The paper says that most modules and the number of parameters are HH-T2L's; that the encoder
of the fed-back frame is a second identity encoder is our choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lipbench.baselines.rollout import RolloutStep, roll_out
from lipbench.baselines.transformer_t2l.config import PRESETS, TransformerT2LConfig
from lipbench.baselines.transformer_t2l.decoder import BlockCache, CausalBlock
from lipbench.models.contract import LipClip, LipRequest, ModelCard, TrainingBatch, TrainingOutput
from lipbench.models.hh_t2l.model import TextEncoder, TextStates, block_sizes, identity_encoder, image_decoder
from lipbench.models.layers.drawing import prepare_drawing
from lipbench.models.layers.images import IdentityEncoder, gather_frames
from lipbench.models.layers.masks import valid_positions
from lipbench.models.layers.positions import PositionalEncoding
from lipbench.presets import resolve


class _DecoderState(NamedTuple):
    frame: int
    """Number of frames made."""
    caches: list[BlockCache]
    """What each block keeps; empty without a cache."""
    fed: Tensor
    """float (B, frame, H), what the first block was given so far; kept only without a cache."""


class TransformerT2L(nn.Module):
    """The autoregressive Transformer.

    Args:
        config: sizes; see `TransformerT2LConfig`.
    """

    card: ClassVar[ModelCard] = ModelCard(
        title="TransformerT2L",
        paper="Liu et al. 2021, arXiv 2107.06831, section 5.1",
        origin="written from the paper, which has no code for it; the encoder of the fed-back frame is our choice",
        licence="this repository's",
        autoregressive=True,
        predicts_durations=False,
    )

    def __init__(self, config: TransformerT2LConfig) -> None:
        super().__init__()
        self.config = config
        self.identity_encoder = identity_encoder(config)
        self.feedback_encoder = feedback_encoder(config)
        self.feedback_dropout = nn.Dropout(config.feedback_dropout)
        self.text_encoder = TextEncoder(config)
        self.motion_positions = PositionalEncoding(first=config.first_position)
        self.blocks = nn.ModuleList(CausalBlock(block_sizes(config)) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.hidden)
        self.stop = nn.Linear(config.hidden, 1)
        self.image_decoder = image_decoder(config)

    @classmethod
    def from_preset(cls, preset: str, **options: Any) -> TransformerT2L:
        """Build from a preset and changes to it; see `lipbench.models.create`."""
        return cls(resolve("transformer_t2l", PRESETS, preset, options))

    @property
    def frame_size(self) -> tuple[int, int]:
        """(H, W) of the frames."""
        return self.config.height, self.config.width

    def forward(self, batch: TrainingBatch) -> TrainingOutput:
        """Answer a training batch with the true previous frames fed back (teacher forcing)."""
        identity = self.identity_encoder(batch.identity)
        text = self.text_encoder(batch.tokens, batch.token_lengths)
        n_frames = batch.frames.shape[1]
        previous = torch.cat([batch.identity[:, None], batch.frames[:, :-1]], dim=1)
        fed = self._encode_valid(previous, valid_positions(batch.frame_lengths, n_frames))
        states = self.motion_positions(self.feedback_dropout(fed) + identity.vector[:, None])
        states, attention = self._decode(states, text)
        motion = torch.cat([states, identity.vector[:, None].expand_as(states)], dim=-1)
        frame_inputs, clip = gather_frames(motion, batch.frame_indices)
        return TrainingOutput(
            frames=self.image_decoder(frame_inputs, identity.levels, clip).unflatten(0, batch.frame_indices.shape),
            stop_logits=self.stop(states).squeeze(-1),
            attention=attention,
        )

    @torch.no_grad()
    def generate(self, request: LipRequest) -> LipClip:
        """Make the clips frame by frame; durations fix the length only."""
        identity = self.identity_encoder(request.identity)
        text = self.text_encoder(request.tokens, request.token_lengths)
        frame_drawing = prepare_drawing(self.image_decoder, identity.levels, self.config.drawing)
        next_states = self._step_cached if self.config.cache else self._step_afresh

        def step(previous: Tensor, state: _DecoderState) -> RolloutStep:
            fed = (self._encode(previous) + identity.vector)[:, None]
            states, state = next_states(self.motion_positions(fed, start=state.frame), text, state)
            frame = frame_drawing.frame(torch.cat([states, identity.vector], dim=-1))
            return RolloutStep(frame, self.stop(states).squeeze(-1), state)

        caches = [block.start(text.states) for block in self._blocks()] if self.config.cache else []
        start = _DecoderState(0, caches, identity.vector.new_zeros(len(identity.vector), 0, self.config.hidden))
        return roll_out(step, request, start, limit=self.config.max_frames)

    def _blocks(self) -> Iterator[CausalBlock]:
        for block in self.blocks:
            assert isinstance(block, CausalBlock)
            yield block

    def _decode(self, states_BTH: Tensor, text: TextStates) -> tuple[Tensor, Tensor]:
        """Decode all frames at once: float (B, T, H), and how much each looks at each token, float (B, T, m)."""
        text_mask = text.valid[:, None, None, :]
        attention_weights: list[Tensor] = []
        for block in self._blocks():
            states_BTH, look = block(states_BTH, block.text_attention.remember(text.states), text_mask)
            attention_weights.append(look)
        return self.norm(states_BTH), torch.stack(attention_weights).mean(dim=0)

    def _step_cached(self, fed_B1H: Tensor, text: TextStates, state: _DecoderState) -> tuple[Tensor, _DecoderState]:
        """Decode one frame, float (B, H), from what each block keeps of those before it."""
        text_mask = text.valid[:, None, None, :]
        states, caches = fed_B1H, []
        for block, cache in zip(self._blocks(), state.caches, strict=True):
            states, cache = block.step(states, cache, text_mask)
            caches.append(cache)
        return self.norm(states)[:, 0], _DecoderState(state.frame + 1, caches, state.fed)

    def _step_afresh(self, fed_B1H: Tensor, text: TextStates, state: _DecoderState) -> tuple[Tensor, _DecoderState]:
        """Decode one frame, float (B, H), and all before it once more, as one does who keeps no keys and values."""
        fed = torch.cat([state.fed, fed_B1H], dim=1)
        states, _ = self._decode(fed, text)
        return states[:, -1], _DecoderState(state.frame + 1, [], fed)

    def _encode_valid(self, frames_BT3HW: Tensor, valid_BT: Tensor) -> Tensor:
        """Encode the real frames only: padding would bend the batch norm's statistics. Returns float (B, T, H)."""
        frame_codes = self._encode(frames_BT3HW[valid_BT])
        return frame_codes.new_zeros(*valid_BT.shape, frame_codes.shape[-1]).masked_scatter(
            valid_BT[:, :, None], frame_codes
        )

    def _encode(self, frames_N3HW: Tensor) -> Tensor:
        """Down-sample frames and encode them, float (N, H)."""
        reduction = 2**self.config.feedback_levels_skipped
        return self.feedback_encoder(F.avg_pool2d(frames_N3HW, reduction)).vector


def feedback_encoder(config: TransformerT2LConfig) -> IdentityEncoder:
    """An identity encoder for fed-back frames: the same, less the levels that down-sampling replaces."""
    n_skipped = config.feedback_levels_skipped
    return IdentityEncoder(
        config.identity_channels[: len(config.identity_channels) - n_skipped],
        (config.height >> n_skipped, config.width >> n_skipped),
        vector=config.hidden,
        kernel=config.image_kernel,
    )
