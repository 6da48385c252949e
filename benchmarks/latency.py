"""Timing one model at one length: input, warm-up, rounds, result."""

from __future__ import annotations

from typing import NamedTuple

import torch

from benchmarks import timing
from benchmarks.record import Costs, Latency, LatencySample
from benchmarks.systems import Subject
from benchmarks.timing import costs
from models.contract import LipRequest

FRAMES_PER_TOKEN = 2.5
"""Typical of GRID: 75 frames for about thirty characters and boundaries."""


class Prepared(NamedTuple):
    """A warmed-up cell, about to be timed."""

    subject: Subject
    request: LipRequest
    watch: timing.Stopwatch
    warmed: timing.WarmUp
    rounds: int
    costs: Costs

    def once(self) -> LatencySample:
        """Take one sample."""
        return self.watch.time(lambda: self.subject.model.generate(self.request))

    def result(self, samples: list[LatencySample], fps: float) -> Latency:
        """Put the samples into a record's result."""
        return Latency(
            system=self.subject.system,
            device=self.watch.device.type,
            dtype=str(self.request.identity.dtype).removeprefix("torch."),
            batch=len(self.request.tokens),
            frames=int(self.request.n_frames.max()) if self.request.n_frames is not None else 0,
            tokens=self.request.tokens.shape[1],
            fps=fps,
            first_call_s=self.warmed.first_s,
            warmup=self.warmed.samples,
            samples=samples,
            settled=self.warmed.settled,
            costs=self.costs,
        )


def request_of(
    frames: int, batch: int, *, frame_size: tuple[int, int], symbols: int, device: torch.device, seed: int = 0
) -> LipRequest:
    """A request of fixed length, already on the device: random text and a random picture.

    What a model computes does not depend on what the text says once the length is fixed, so every model does the work
    of exactly `frames` frames.

    Args:
        frames: length of each clip, at least 1.
        batch: clips.
        frame_size: (H, W).
        symbols: number of token ids, padding included.
        device: where the model is.
        seed: of text and picture.
    """
    generator = torch.Generator().manual_seed(seed)
    n_tokens = max(1, round(frames / FRAMES_PER_TOKEN))
    return LipRequest(
        tokens=torch.randint(1, symbols, (batch, n_tokens), generator=generator).to(device),
        token_lengths=torch.full((batch,), n_tokens, device=device),
        identity=torch.rand(batch, 3, *frame_size, generator=generator).to(device),
        n_frames=torch.full((batch,), frames, device=device),
    )


def prepare(subject: Subject, request: LipRequest, *, device: torch.device, budget: timing.Budget) -> Prepared:
    """Warm up at the shape to be measured, and check once that the model makes the length asked for.

    Raises:
        ValueError: the clip has another length than asked, so cells would compare different work.
    """
    watch = timing.Stopwatch(device)
    warmed = timing.warm_up(lambda: subject.model.generate(request), watch, budget)
    made = subject.model.generate(request).lengths
    if request.n_frames is not None and not torch.equal(made.cpu(), request.n_frames.cpu()):
        raise ValueError(f"{subject.system.name} made {made.tolist()} frames, asked for {request.n_frames.tolist()}")
    counted = costs.count(subject.model, lambda: subject.model.generate(request))
    return Prepared(subject, request, watch, warmed, timing.rounds(warmed, budget), counted)
