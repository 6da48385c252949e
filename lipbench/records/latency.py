"""What a latency record holds beside its samples: pure data, each part measured in a pass of its own.

None stands for what the machine cannot say; 0 is always a reading.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lipbench.records.frozen import FrozenModel
from lipbench.records.frozen import FrozenModel as _Frozen
from lipbench.records.system import System

Timer = Literal["synchronised", "unsynchronised"]

EAGER = "eager"
"""The variant of a model that is run as it is."""
VARIANTS = (EAGER, "compile", "bf16", "cuda_graph", "uncached")
"""Ways to run a model; `lipbench.benchmarks.latency.variants` has them."""


class LatencySample(FrozenModel):
    """One timed call."""

    wall_s: float
    """From before the call to after the device has finished, in seconds."""
    device_s: float | None = None
    """Time between device events around the call; None on a CPU."""
    block: int = 0
    """Pass over all cells that it was taken in."""


class Costs(FrozenModel):
    """What one call does, counted: the same on every machine that runs the same code with the same libraries."""

    operations: int
    """Two per multiply-add of matrix products, convolutions, attention and recurrent layers."""
    parameters: int
    launches: int
    """Operations that torch dispatched one by one, views among them."""
    activation_bytes: int
    """Most bytes alive at once of what the call made, its output among them; weights and inputs are not."""


class FirstFrame(FrozenModel):
    """How long a streaming user waits for the first picture."""

    rule: Literal["stream", "first step", "whole clip"]
    """stream: the model's method `stream` gave its first chunk; first step: a model that makes frame after frame was
    asked for one frame; whole clip: the model gives its first frame with its last."""
    frames: int
    """Frames that were there by then."""
    samples: list[LatencySample] = Field(min_length=1)


class Telemetry(FrozenModel):
    """The machine while one block of samples was taken; clocks and the like as lowest and highest reading."""

    block: int
    seconds: float
    """From the first sample to the last."""
    threads: int
    """Threads that torch used within one operation."""
    load_before: float | None = None
    """Load average over one minute before the block: what else ran, the warm-up among it."""
    load_after: float | None = None
    cpu_mhz: float | None = None
    """Mean of the cores, before the block; None where the system does not say."""
    gpu_sm_mhz: tuple[int, int] | None = None
    gpu_memory_mhz: tuple[int, int] | None = None
    gpu_power_w: tuple[float, float] | None = None
    gpu_temperature_c: tuple[int, int] | None = None
    gpu_utilisation: tuple[int, int] | None = None
    """Percent."""
    throttled: list[str] | None = None
    """NVML's reasons for slower clocks, idling left out; empty: none; None: not readable."""
    foreign_processes: int | None = None
    """Other processes that computed on the GPU."""


class Memory(FrozenModel):
    """Peak memory of one call."""

    allocated_bytes: int | None = None
    """Most that torch's CUDA allocator gave out, weights among it; None on a CPU."""
    reserved_bytes: int | None = None
    """Most that it held."""
    device_bytes: int | None = None
    """In use on the whole GPU after the call, by NVML, other processes among it."""
    resident_bytes: int | None = None
    """Largest resident size of a fresh process that loaded the model and made one clip; None where unreadable."""


class Energy(FrozenModel):
    """Energy of back-to-back calls, from the GPU's cumulative counter."""

    calls: int
    seconds: float
    joules: float
    """Of the calls together, what the GPU draws when idle included."""
    idle_watts: float | None = None
    """Mean power of the idle GPU before the calls."""


class Ceilings(FrozenModel):
    """The fastest that this machine was seen to go, in the cell's number type on its device."""

    operations_per_s: float
    """Of a large matrix product or of a convolution as the models have, whichever is faster; in records before
    27 November 2026 of the product alone."""
    bytes_per_s: float
    """Of a large copy, what is read and what is written both counted."""


class Floor(FrozenModel):
    """The least time that a call can take on this machine, by measured ceilings."""

    ceilings: Ceilings
    arithmetic_s: float
    """All operations at that speed."""
    memory_s: float
    """Every weight read once and every frame written once, at the speed of a large copy."""

    @property
    def seconds(self) -> float:
        """Whichever is longer."""
        return max(self.arithmetic_s, self.memory_s)


class ClipTime(FrozenModel):
    """One utterance, said at the length that the model chose."""

    utterance: str
    frames: int
    """That the model made."""
    true_frames: int
    wall_s: float
    device_s: float | None = None
    digest: str
    """Of the frames as pictures, sha256."""


class Latency(_Frozen):
    """The result of timing one system at one length."""

    kind: Literal["latency"] = "latency"
    system: System
    device: str
    """"cpu" or "cuda"."""
    dtype: str
    batch: int = Field(ge=1)
    frames: int = Field(ge=1)
    """Length of each clip, the same for every system."""
    tokens: int
    fps: float = Field(gt=0)
    first_call_s: float
    """The very first call at this shape, before any warm-up."""
    warmup: list[LatencySample]
    samples: list[LatencySample] = Field(min_length=1)
    settled: bool
    """False if the warm-up ended at its limit before the samples were flat."""
    variant: str = EAGER
    """How the model was run; see `lipbench.benchmarks.latency.variants`."""
    costs: Costs | None = None
    """Of the eager call, counted in a pass of its own; None in records that are older than it."""
    load_s: float | None = None
    """Building the model, reading its weights and bringing them to the device; None where it was there already."""
    first_frame: FirstFrame | None = None
    outputs: list[str] = Field(default_factory=list)
    """sha256 of the frames made by the first and the last call of each block, as they are."""
    sketch: list[float] = Field(default_factory=list)
    """Of the frames made by the first timed call; see `lipbench.benchmarks.latency.outputs.sketch`. Empty in
    records that are older than it."""
    deviation: float | None = None
    """Largest difference of a variant's frames from the eager ones, in [0, 1]; None for the eager model."""
    unstable: str | None = None
    """Why the samples do not agree with one another; None if they do."""
    lost: str | None = None
    """Why a later pass failed; the samples are of those before it."""
    telemetry: list[Telemetry] = Field(default_factory=list)
    """One for each block."""
    memory: Memory | None = None
    energy: Energy | None = None
    floor: Floor | None = None

    @property
    def blocks(self) -> int:
        """Passes that are in it."""
        return 1 + max(sample.block for sample in self.samples)


class UtteranceLatency(_Frozen):
    """The result of timing one system on real utterances, one by one, at the lengths that it chooses."""

    kind: Literal["natural"] = "natural"
    system: System
    device: str
    dtype: str
    fps: float = Field(gt=0)
    timer: Literal["synchronised", "unsynchronised"]
    """unsynchronised: the clock stops when the call returns, which on a GPU is before its work is done; the paper's
    times were taken so."""
    corpus_fingerprint: str
    clips: list[ClipTime] = Field(min_length=1)
    scored: str | None = None
    """Cell whose scored clips the timed ones were found to equal; None if there are none to compare with."""
