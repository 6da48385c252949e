"""One cell: a model in one variant at one length, from the request to the result."""

from __future__ import annotations

import torch
from torch import Tensor

from lipbench.benchmarks import timing
from lipbench.benchmarks.cells.loading import LoadedModel
from lipbench.benchmarks.latency import outputs
from lipbench.benchmarks.latency.first_frame import time_first_frame
from lipbench.benchmarks.latency.passes import instability
from lipbench.benchmarks.latency.variants import VariantCall, apply_variant
from lipbench.benchmarks.timing import costs
from lipbench.benchmarks.timing.telemetry import Observer
from lipbench.models.contract import HostLengths, LipClip, LipRequest
from lipbench.records.latency import Costs, FirstFrame, Latency, LatencySample

FRAMES_PER_TOKEN = 2.5
"""Typical of GRID: 75 frames for about thirty characters and boundaries."""
SHARE_OF_FIRST_FRAME = 1 / 8
"""Of the time that a cell is measured for, as much more for its time to first frame."""


class PreparedCell:
    """A warmed-up cell, about to be timed; see `prepare_cell`."""

    def __init__(
        self,
        loaded_model: LoadedModel,
        request: LipRequest,
        running: VariantCall,
        *,
        variant: str,
        watch: timing.Stopwatch,
        warm_up_result: timing.WarmUp,
        rounds: int,
        observer: Observer,
        turns: timing.TurnClient,
    ) -> None:
        self.subject = loaded_model
        self.request = request
        self.variant = variant
        self.watch = watch
        self.warmed = warm_up_result
        self.rounds = rounds
        self.first_frame: FirstFrame | None = None
        self.costs: Costs | None = None
        self.deviation: float | None = None
        self._running = running
        self._observer = observer
        self._turns = turns
        self._name = (
            f"{loaded_model.system.name} {variant} {tuple(request.identity.shape)} {tuple(request.tokens.shape)}"
        )
        self._first: Tensor | None = None
        self._last: Tensor | None = None

    def call(self) -> LipClip:
        """Make the clip once, untimed."""
        return self._running.call()

    def take_sample(self) -> LatencySample:
        """Take one sample, at this process's turn; the machine is looked at between samples, never within one."""
        self._observer.look()
        self._turns.wait(self._name)
        clips: list[LipClip] = []
        sample = self.watch.time(lambda: clips.append(self._running.call()))
        self._last = clips[0].frames
        if self._first is None:
            # a replayed graph writes into the same memory every time
            self._first = self._last.clone()
        return sample

    def result(self, samples: list[LatencySample], fps: float, *, load_s: float | None = None) -> Latency:
        """Put the samples into a record's result.

        Raises:
            VoidError: the last call did not make what the first one made.
        """
        assert self._first is not None
        assert self._last is not None
        outputs.check_frames_equal(self._last, self._first, f"last and first timed call of {self.subject.system.name}")
        return Latency(
            system=self.subject.system,
            device=self.watch.device.type,
            dtype=str(self._running.dtype).removeprefix("torch."),
            batch=len(self.request.tokens),
            frames=int(self.request.n_frames.max()) if self.request.n_frames is not None else 0,
            tokens=self.request.tokens.shape[1],
            fps=fps,
            first_call_s=self.warmed.first_s,
            warmup=self.warmed.samples,
            samples=samples,
            settled=self.warmed.settled,
            variant=self.variant,
            costs=self.costs,
            load_s=load_s,
            first_frame=self.first_frame,
            outputs=[outputs.digest(self._first), outputs.digest(self._last)],
            sketch=outputs.sketch(self._first),
            deviation=self.deviation,
            unstable=instability(samples, settled=self.warmed.settled),
            telemetry=[self._observer.telemetry()],
        )


def random_request(
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
        host=HostLengths(tokens=(n_tokens,) * batch, frames=(frames,) * batch),
    )


def request_for(subject: LoadedModel, frames: int, batch: int, *, device: torch.device) -> LipRequest:
    """The request of `random_request` that fits a model's text and frame size."""
    assert subject.vocabulary is not None
    return random_request(frames, batch, frame_size=subject.frame_size, symbols=subject.vocabulary.size, device=device)


def prepare_cell(
    loaded_model: LoadedModel,
    request: LipRequest,
    *,
    device: torch.device,
    budget: timing.Budget,
    variant: str = "eager",
    observer: Observer | None = None,
    turns: timing.TurnClient | None = None,
) -> PreparedCell:
    """Warm up at the shape to be measured; check the frames that are made, count costs, time the first frame.

    Args:
        loaded_model: the model.
        request: from `random_request`.
        device: where it computes.
        budget: how long to measure.
        variant: see `lipbench.benchmarks.latency.variants`.
        observer: looks at the machine; None: at what this one shows.
        turns: what is agreed with another process; None: nothing.

    Raises:
        ValueError: the clip has another length than asked, so cells would compare different work.
        VoidError: a float32 variant makes other frames than the eager model.
        NotAttemptedError: there is no such variant here.
    """
    watch = timing.Stopwatch(device)
    running = apply_variant(variant, loaded_model, request)
    warm_up_result = timing.warm_up(running.call, watch, budget)
    eager: list[LipClip] = []
    call_costs = costs.count_costs(loaded_model.model, lambda: eager.append(loaded_model.model.generate(request)))
    _check_length(loaded_model, request, eager[0])
    prepared_cell = PreparedCell(
        loaded_model,
        request,
        running,
        variant=variant,
        watch=watch,
        warm_up_result=warm_up_result,
        rounds=timing.rounds(warm_up_result, budget),
        observer=observer or Observer.of(device),
        turns=turns or timing.TurnClient(None),
    )
    prepared_cell.costs = call_costs
    if variant == "eager":
        seconds = budget.seconds * SHARE_OF_FIRST_FRAME
        prepared_cell.first_frame = time_first_frame(
            loaded_model, request, eager[0].frames, watch=watch, seconds=seconds
        )
        return prepared_cell
    variant_clip = running.call()
    _check_length(loaded_model, request, variant_clip)
    prepared_cell.deviation = outputs.largest_difference(variant_clip.frames, eager[0].frames)
    if running.dtype == request.identity.dtype:
        outputs.check_frames_equal(
            variant_clip.frames, eager[0].frames, f"{variant} and eager {loaded_model.system.name}"
        )
    return prepared_cell


def _check_length(loaded_model: LoadedModel, request: LipRequest, clip: LipClip) -> None:
    if request.n_frames is not None and not torch.equal(clip.lengths.cpu(), request.n_frames.cpu()):
        requested_frames = request.n_frames.tolist()
        raise ValueError(
            f"{loaded_model.system.name} made {clip.lengths.tolist()} frames, asked for {requested_frames}"
        )
