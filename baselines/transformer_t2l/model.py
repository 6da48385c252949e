"""TransformerT2L (paper §5.1): HH-T2L's modules with a causal decoder that is fed the frames it has made.

There is no public code. The paper says that most modules and the number of parameters are HH-T2L's; that the encoder
of the fed-back frame is a second identity encoder is our choice.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.rollout import Step, roll_out
from baselines.transformer_t2l.config import PRESETS, TransformerT2LConfig
from baselines.transformer_t2l.decoder import BlockCache, CausalBlock
from models.contract import Attempt, Lesson, LipClip, LipRequest, ModelCard
from models.hh_t2l.model import TextEncoder, identity_encoder, image_decoder
from models.layers.images import IdentityEncoder, pick
from models.layers.masks import valid_positions
from models.layers.positions import Positions
from models.presets import resolve


class _State(NamedTuple):
    frame: int
    caches: list[BlockCache]


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
        self.motion_positions = Positions(config.hidden)
        self.blocks = nn.ModuleList(
            CausalBlock(
                config.hidden,
                config.heads,
                inner=config.ffn_inner,
                kernel=config.ffn_kernel,
                dropout=config.dropout,
            )
            for _ in range(config.decoder_layers)
        )
        self.norm = nn.LayerNorm(config.hidden)
        self.stop = nn.Linear(config.hidden, 1)
        self.image_decoder = image_decoder(config)

    @classmethod
    def from_preset(cls, preset: str, **options: Any) -> TransformerT2L:
        """Build from a preset and changes to it; see `models.create`."""
        return cls(resolve("transformer_t2l", PRESETS, preset, options))

    @property
    def frame_size(self) -> tuple[int, int]:
        """(H, W) of the frames."""
        return self.config.height, self.config.width

    def forward(self, lesson: Lesson) -> Attempt:
        """Answer a training batch with the true previous frames fed back (teacher forcing)."""
        identity = self.identity_encoder(lesson.identity)
        text = self.text_encoder(lesson.tokens, lesson.token_lengths)
        text_mask = text.valid[:, None, None, :]
        n_frames = lesson.frames.shape[1]
        previous = torch.cat([lesson.identity[:, None], lesson.frames[:, :-1]], dim=1)
        fed = self._encode_valid(previous, valid_positions(lesson.frame_lengths, n_frames))
        states = self.motion_positions(self.feedback_dropout(fed) + identity.vector[:, None])
        looks: list[Tensor] = []
        for block in self.blocks:
            assert isinstance(block, CausalBlock)
            states, look = block(states, block.text_attention.remember(text.states), text_mask)
            looks.append(look)
        states = self.norm(states)
        motion = torch.cat([states, identity.vector[:, None].expand_as(states)], dim=-1)
        chosen, clip = pick(motion, lesson.picked)
        return Attempt(
            frames=self.image_decoder(chosen, identity.levels, clip).unflatten(0, lesson.picked.shape),
            stop_logits=self.stop(states).squeeze(-1),
            attention=torch.stack(looks).mean(dim=0),
        )

    @torch.no_grad()
    def generate(self, request: LipRequest) -> LipClip:
        """Make the clips frame by frame, with keys and values of the past kept; durations fix the length only."""
        identity = self.identity_encoder(request.identity)
        text = self.text_encoder(request.tokens, request.token_lengths)
        text_mask = text.valid[:, None, None, :]
        clip = torch.arange(len(request.tokens), device=request.tokens.device)

        def step(previous: Tensor, state: _State) -> Step:
            fed = self._encode(previous) + identity.vector
            states = self.motion_positions(fed[:, None], start=state.frame)
            caches: list[BlockCache] = []
            for block, cache in zip(self.blocks, state.caches, strict=True):
                assert isinstance(block, CausalBlock)
                states, cache = block.step(states, cache, text_mask)
                caches.append(cache)
            states = self.norm(states)[:, 0]
            frame = self.image_decoder(torch.cat([states, identity.vector], dim=-1), identity.levels, clip)
            return Step(frame, self.stop(states).squeeze(-1), _State(state.frame + 1, caches))

        caches = [block.start(text.states) for block in self.blocks if isinstance(block, CausalBlock)]
        return roll_out(step, request, _State(0, caches), limit=self.config.max_frames)

    def _encode_valid(self, frames_BT3HW: Tensor, valid_BT: Tensor) -> Tensor:
        """Encode the real frames only: padding would bend the batch norm's statistics. Returns float (B, T, H)."""
        encoded = self._encode(frames_BT3HW[valid_BT])
        return encoded.new_zeros(*valid_BT.shape, encoded.shape[-1]).masked_scatter(valid_BT[:, :, None], encoded)

    def _encode(self, frames_N3HW: Tensor) -> Tensor:
        """Down-sample frames and encode them, float (N, H)."""
        reduction = 2**self.config.feedback_levels_skipped
        return self.feedback_encoder(F.avg_pool2d(frames_N3HW, reduction)).vector


def feedback_encoder(config: TransformerT2LConfig) -> IdentityEncoder:
    """An identity encoder for fed-back frames: the same, less the levels that down-sampling replaces."""
    skipped = config.feedback_levels_skipped
    return IdentityEncoder(
        config.identity_channels[: len(config.identity_channels) - skipped],
        (config.height >> skipped, config.width >> skipped),
        vector=config.hidden,
        kernel=config.image_kernel,
    )
