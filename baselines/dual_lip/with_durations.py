"""DualLip's other branch (§3.3.1 as quoted by others): the text is expanded by durations, and nothing is fed back.

Known: with durations the text is brought to the video's length, so that no attention and no earlier frame is needed
(HH-T2L's authors report the other branch, as real text comes without durations). All else is our choice: recurrence
over the frames in both directions, and HH-T2L's duration predictor for texts that come without durations, where DualLip
takes them from speech.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from lipbench.baselines.dual_lip.config import DualLipConfig
from lipbench.baselines.dual_lip.shared import DualLipBase, run_packed, with_identity
from lipbench.models.contract import LipClip, LipRequest, ModelCard, TrainingBatch, TrainingOutput
from lipbench.models.layers.drawing import prepare_drawing
from lipbench.models.layers.durations import DurationPredictor, expand, whole_frames
from lipbench.models.layers.images import gather_frames
from lipbench.models.layers.masks import valid_positions


class DualLipWithDurations(DualLipBase):
    """DualLip with token durations.

    Args:
        config: sizes; those of attention and feedback are not used.
    """

    card: ClassVar[ModelCard] = ModelCard(
        title="DualLip with durations",
        paper="Chen et al. 2020, DualLip: A System for Joint Lip Reading and Generation, arXiv 2009.05784",
        origin="a reconstruction: that the text is expanded by durations is known at second hand; every layer and its "
        "size, the recurrence in both directions, the image stack (HH-T2L's) and the duration predictor are our choice",
        licence="this repository's",
        autoregressive=False,
        predicts_durations=True,
    )

    def __init__(self, config: DualLipConfig) -> None:
        super().__init__(config)
        hidden, cells = config.hidden, config.recurrent
        self.duration_predictor = DurationPredictor(hidden)
        self.frame_rnn = nn.LSTM(2 * hidden, cells // 2, num_layers=2, batch_first=True, bidirectional=True)
        self.motion = nn.Linear(cells, hidden)

    def forward(self, batch: TrainingBatch) -> TrainingOutput:
        """Answer a training batch with the true durations; draw only the picked frames, which is exact."""
        identity = self.identity_encoder(batch.identity)
        text = self.read(batch.tokens, batch.token_lengths.tolist())
        valid = valid_positions(batch.token_lengths, batch.tokens.shape[1])
        sizes = batch.frame_lengths.tolist()
        motion = self._motion(text, identity.vector, batch.durations, sizes, batch.frames.shape[1])
        frame_inputs, clip = gather_frames(motion, batch.frame_indices)
        return TrainingOutput(
            frames=self.image_decoder(frame_inputs, identity.levels, clip).unflatten(0, batch.frame_indices.shape),
            # the duration loss leaves the reader of the text alone, as in HH-T2L
            durations=self.duration_predictor(text.detach(), valid),
        )

    @torch.no_grad()
    def generate(self, request: LipRequest) -> LipClip:
        """Make the clips; given durations are obeyed exactly, and so is a given length."""
        identity = self.identity_encoder(request.identity)
        text = self.read(request.tokens, request.tokens_on_host())
        durations = request.durations
        if durations is None:
            valid = valid_positions(request.token_lengths, request.tokens.shape[1])
            durations = whole_frames(self.duration_predictor(text, valid), valid, request.n_frames)
        lengths = durations.sum(dim=1)
        sizes = request.frames_on_host(lengths)
        motion = self._motion(text, identity.vector, durations, sizes, max(sizes))
        frame_drawing = prepare_drawing(self.image_decoder, identity.levels, self.config.drawing)
        return LipClip(frame_drawing.clips(motion, sizes), lengths, durations)

    def _motion(
        self, text_BmH: Tensor, identity_BH: Tensor, durations: Tensor, sizes: Sequence[int], n_frames: int
    ) -> Tensor:
        """Motion and identity of every frame, float (B, T, 2H)."""
        frame_states, _ = expand(text_BmH, durations, n_frames)
        states = run_packed(self.frame_rnn, with_identity(frame_states, identity_BH), sizes)
        return with_identity(torch.tanh(self.motion(self.dropout(states))), identity_BH)
