"""The noise floor: an A/A run, one piece of work against itself, paired as the gate pairs two revisions.

What differs is chance. How far chance takes the median over rounds says what difference this machine can resolve.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch

from lipbench.benchmarks import latency, timing
from lipbench.benchmarks.cells import loading
from lipbench.benchmarks.doctor.diagnosis import Noise, Resolution, RoundsNeeded
from lipbench.benchmarks.gate.deciding.estimate import LEVEL, MIN_PAIRS, estimate
from lipbench.benchmarks.gate.pairs import typical_sample_seconds
from lipbench.processes import run_in_subprocess

MODEL, PRESET, FRAMES, SYMBOLS = "hh_t2l", "small", 25, 29
"""The piece of work: a second of HH-T2L with random weights, as `bench` times it."""
WORK = "HH-T2L, small, 25 frames"
POWER = 0.8
"""Share of runs that detect a slowdown of the resolved size (statistical power)."""
TARGETS = (0.03, 0.01)
"""Slowdowns for which the rounds that they need are said; the first is the gate's margin."""
RESAMPLES = 1000
OUTER_RESAMPLES = 200
"""Times that the rounds themselves are drawn again, for the resolution's interval."""
LEAST_CALLS = 3
"""Calls in a block; the block's value is their median."""
MOST_CALLS = 1000

BlockTimer = Callable[[], float]
"""Runs the work some times, and gives the typical time of one call in seconds."""


def aa_run(
    device: torch.device,
    *,
    seconds: float,
    rounds: int,
    isolated: bool = False,
    seed: int = 0,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Noise:
    """Measure what chance alone shows.

    Args:
        device: where the work is done.
        seconds: time to call for, of all blocks together; warming up, and starting processes, comes on top.
        rounds: pairs of blocks, at least `MIN_PAIRS`.
        isolated: whether each block has a process of its own, as the gate's have.
        seed: of the resampling.
        on_progress: told after each round.

    Raises:
        ValueError: there are too few rounds.
    """
    if rounds < MIN_PAIRS:
        raise ValueError(f"{rounds} rounds are too few, {MIN_PAIRS} are needed")
    block_seconds = seconds / (2 * rounds)
    block = (
        partial(run_in_subprocess, time_block, device, block_seconds)
        if isolated
        else prepared_block(device, block_seconds)
    )
    began = time.perf_counter()
    changes = measure_in_turn(block, rounds, on_progress)
    return summarise_noise(
        changes, seconds=time.perf_counter() - began, device=device.type, isolated=isolated, seed=seed
    )


def time_block(device: torch.device, seconds: float) -> float:
    """Load, warm up, and take one block: what a fresh process does."""
    return prepared_block(device, seconds)()


def prepared_block(device: torch.device, seconds: float) -> BlockTimer:
    """Load the model, warm it up, and fix how often a block of so many seconds calls it."""
    loaded_model = loading.build_untrained(MODEL, PRESET, options={"vocabulary_size": SYMBOLS}, device=device)
    request = latency.random_request(FRAMES, 1, frame_size=loaded_model.frame_size, symbols=SYMBOLS, device=device)
    watch = timing.Stopwatch(device)

    def call() -> object:
        return loaded_model.model.generate(request)

    warm_up_result = timing.warm_up(call, watch, timing.Budget())
    calls = timing.rounds(warm_up_result, timing.Budget(seconds=seconds, least=LEAST_CALLS, most=MOST_CALLS))
    return lambda: typical_sample_seconds([watch.time(call) for _ in range(calls)])


def measure_in_turn(block: BlockTimer, rounds: int, on_progress: Callable[[int], None]) -> list[float]:
    """Take pairs of blocks in the gate's order: base first in every even round, head first in every odd one.

    Returns:
        Of each round, the logarithm of head's time over base's, as the gate has it: twice as slow and twice as fast
        are equally far from no change.
    """
    changes: list[float] = []
    for number in range(rounds):
        first, second = block(), block()
        base, head = (first, second) if number % 2 == 0 else (second, first)
        changes.append(math.log(head / base))
        on_progress(1)
    return changes


def summarise_noise(changes: Sequence[float], *, seconds: float, device: str, isolated: bool, seed: int = 0) -> Noise:
    """Summarise an A/A run, from the change of each pair.

    Args:
        changes: one logarithm per round, at least `MIN_PAIRS`.
        seconds: that the rounds took.
        device: "cpu" or "cuda".
        isolated: whether each block had a process of its own.
        seed: of the resampling.
    """
    difference = estimate(changes, margin=0.0, seed=seed)
    assert difference is not None
    smallest_slowdown = resolution(changes, seed=seed)
    return Noise(
        work=WORK,
        device=device,
        isolated=isolated,
        seconds=seconds,
        changes=[math.expm1(change) for change in changes],
        difference=math.expm1(difference.value),
        difference_low=math.expm1(difference.low),
        difference_high=math.expm1(difference.high),
        resolution=smallest_slowdown,
        needed=[rounds_needed(smallest_slowdown, share) for share in TARGETS],
    )


def resolution(changes: Sequence[float], *, seed: int = 0) -> Resolution:
    """The smallest slowdown that as many rounds tell from chance at 95 % confidence in `POWER` of all runs.

    Chance alone keeps the median over rounds within a limit in 95 % of A/A runs, and a slowed run's median lies beyond
    it in `POWER` of them. Both by the bootstrap over rounds, and the interval by drawing the rounds themselves again.

    Args:
        changes: of an A/A run, one logarithm per round.
        seed: of the resampling.
    """
    generator = np.random.default_rng(seed)
    values = np.asarray(changes, dtype=np.float64)
    resolutions = [_smallest_resolved(generator.choice(values, len(values)), generator) for _ in range(OUTER_RESAMPLES)]
    low, high = np.quantile(resolutions, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    share = _smallest_resolved(values, generator)
    return Resolution(rounds=len(values), share=share, low=min(float(low), share), high=max(float(high), share))


def _smallest_resolved(values: np.ndarray, generator: np.random.Generator) -> float:
    medians = np.median(generator.choice(values, size=(RESAMPLES, len(values))), axis=1)
    limit = np.quantile(np.abs(medians), LEVEL)
    return math.expm1(limit + np.median(values) - np.quantile(medians, 1 - POWER))


def rounds_needed(measured_resolution: Resolution, share: float) -> RoundsNeeded:
    """Rounds that resolve something else: what chance does to a median shrinks with the root of their number.

    Args:
        measured_resolution: by the rounds that there are.
        share: what is to be resolved.
    """

    def rounds(measured_share: float) -> int:
        return max(
            MIN_PAIRS, math.ceil(measured_resolution.rounds * (math.log1p(measured_share) / math.log1p(share)) ** 2)
        )

    return RoundsNeeded(
        share=share,
        rounds=rounds(measured_resolution.share),
        low=rounds(measured_resolution.low),
        high=rounds(measured_resolution.high),
    )
