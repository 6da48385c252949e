"""DualLip's lip generator without durations (Chen et al. 2020, §3.3.2 as quoted by others), reconstructed.

No code and no layer sizes are public. Known: recurrent encoder and decoder, location-sensitive attention as in
Tacotron 2, the last frame down-sampled and fed back, a stop token (HH-T2L §1, §2.1, §5.1). The rest is our choice; the
identity encoder and image decoder are HH-T2L's, so that the comparison is about decoding and not about drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lipbench.baselines.dual_lip.attention import AttentionStep, LocationAttention
from lipbench.baselines.dual_lip.config import PRESETS, DualLipConfig
from lipbench.baselines.dual_lip.shared import DualLipBase, with_identity
from lipbench.baselines.dual_lip.with_durations import DualLipWithDurations
from lipbench.baselines.rollout import RolloutStep, roll_out
from lipbench.models.contract import LipClip, LipRequest, ModelCard, TrainingBatch, TrainingOutput
from lipbench.models.layers.drawing import prepare_drawing
from lipbench.models.layers.images import gather_frames
from lipbench.models.layers.masks import valid_positions
from lipbench.presets import resolve


class _Text(NamedTuple):
    states: Tensor
    keys: Tensor
    valid: Tensor


class _RecurrentState(NamedTuple):
    attention_rnn: tuple[Tensor, Tensor]
    decoder_rnn: tuple[Tensor, Tensor]
    context: Tensor
    look: AttentionStep


class DualLip(DualLipBase):
    """The recurrent autoregressive model.

    Args:
        config: sizes; see `DualLipConfig`.
    """

    card: ClassVar[ModelCard] = ModelCard(
        title="DualLip",
        paper="Chen et al. 2020, DualLip: A System for Joint Lip Reading and Generation, arXiv 2009.05784",
        origin="a reconstruction: recurrence, location-sensitive attention, the down-sampled frame fed back and the "
        "stop token are known at second hand; every layer size, the pre-net and its dropout, the stop rule and its "
        "loss, the guided-attention loss and the image stack (HH-T2L's) are our choice",
        licence="this repository's",
        autoregressive=True,
        predicts_durations=False,
    )

    def __init__(self, config: DualLipConfig) -> None:
        super().__init__(config)
        hidden, cells = config.hidden, config.recurrent
        reduced_size = 3 * (config.height // config.feedback_reduction) * (config.width // config.feedback_reduction)
        self.feedback = nn.Sequential(
            nn.Linear(reduced_size, hidden),
            nn.ReLU(),
            nn.Dropout(config.feedback_dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(config.feedback_dropout),
        )
        self.attention_rnn = nn.LSTMCell(3 * hidden, cells)
        self.attention = LocationAttention(
            cells, hidden, channels=config.location_channels, kernel=config.location_kernel
        )
        self.decoder_rnn = nn.LSTMCell(cells + hidden, cells)
        self.motion = nn.Linear(cells + hidden, hidden)
        self.stop = nn.Linear(cells + hidden, 1)

    @classmethod
    def from_preset(cls, preset: str, **options: Any) -> DualLip | DualLipWithDurations:
        """Build from a preset and changes to it, one branch or the other; see `lipbench.models.create`."""
        config = resolve("dual_lip", PRESETS, preset, options)
        return DualLipWithDurations(config) if config.durations else cls(config)

    def forward(self, batch: TrainingBatch) -> TrainingOutput:
        """Answer a training batch with the true previous frames fed back (teacher forcing)."""
        identity = self.identity_encoder(batch.identity)
        text = self._read(batch.tokens, batch.token_lengths, batch.token_lengths.tolist())
        previous = torch.cat([batch.identity[:, None], batch.frames[:, :-1]], dim=1)
        fed_BTH = self._feed_back(previous.flatten(0, 1)).unflatten(0, previous.shape[:2])
        state = self._start(text)
        outputs: list[Tensor] = []
        attention_weights: list[Tensor] = []
        for fed in fed_BTH.unbind(dim=1):
            output, state = self._step(fed, identity.vector, text, state)
            outputs.append(output)
            attention_weights.append(state.look.now)
        output_BTD = torch.stack(outputs, dim=1)
        motion = torch.tanh(self.motion(output_BTD))
        frame_inputs, clip = gather_frames(with_identity(motion, identity.vector), batch.frame_indices)
        return TrainingOutput(
            frames=self.image_decoder(frame_inputs, identity.levels, clip).unflatten(0, batch.frame_indices.shape),
            stop_logits=self.stop(output_BTD).squeeze(-1),
            attention=torch.stack(attention_weights, dim=1),
        )

    @torch.no_grad()
    def generate(self, request: LipRequest) -> LipClip:
        """Make the clips frame by frame; durations, if given, fix the length only."""
        identity = self.identity_encoder(request.identity)
        text = self._read(request.tokens, request.token_lengths, request.tokens_on_host())
        frame_drawing = prepare_drawing(self.image_decoder, identity.levels, self.config.drawing)

        def step(previous: Tensor, state: _RecurrentState) -> RolloutStep:
            output, state = self._step(self._feed_back(previous), identity.vector, text, state)
            frame = frame_drawing.frame(with_identity(torch.tanh(self.motion(output)), identity.vector))
            return RolloutStep(frame, self.stop(output).squeeze(-1), state)

        return roll_out(step, request, self._start(text), limit=self.config.max_frames)

    def _read(self, tokens_Bm: Tensor, token_lengths: Tensor, on_host: Sequence[int]) -> _Text:
        states = self.read(tokens_Bm, on_host)
        return _Text(states, self.attention.memory(states), valid_positions(token_lengths, tokens_Bm.shape[1]))

    def _feed_back(self, frames_N3HW: Tensor) -> Tensor:
        """Down-sample frames and encode them, float (N, H)."""
        return self.feedback(F.avg_pool2d(frames_N3HW, self.config.feedback_reduction).flatten(1))

    def _start(self, text: _Text) -> _RecurrentState:
        zeros = text.states.new_zeros(len(text.states), self.config.recurrent)
        attention_step = self.attention.start(text.states)
        return _RecurrentState((zeros, zeros), (zeros, zeros), text.states[:, 0], attention_step)

    def _step(
        self, fed_BH: Tensor, identity_BH: Tensor, text: _Text, state: _RecurrentState
    ) -> tuple[Tensor, _RecurrentState]:
        """One frame's state, float (B, cells + H): the decoder's cells and what it looked at."""
        attention_rnn = self.attention_rnn(torch.cat([fed_BH, state.context, identity_BH], dim=-1), state.attention_rnn)
        context, attention_step = self.attention(attention_rnn[0], text.states, text.keys, text.valid, state.look)
        decoder_rnn = self.decoder_rnn(torch.cat([attention_rnn[0], context], dim=-1), state.decoder_rnn)
        output = torch.cat([self.dropout(decoder_rnn[0]), context], dim=-1)
        return output, _RecurrentState(attention_rnn, decoder_rnn, context, attention_step)
