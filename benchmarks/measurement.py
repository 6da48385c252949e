"""What a latency record holds beside its samples: pure data, each part measured in a pass of its own.

None stands for what the machine cannot say; 0 is always a reading.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    """Data of a record: it cannot be changed, and has no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class LatencySample(Frozen):
    """One timed call."""

    wall_s: float
    """From before the call to after the device has finished, in seconds."""
    device_s: float | None = None
    """Time between device events around the call; None on a CPU."""
    block: int = 0
    """Pass over all cells that it was taken in."""


class Costs(Frozen):
    """What one call does, counted: the same on every machine that runs the same code with the same libraries."""

    operations: int
    """Two per multiply-add of matrix products, convolutions, attention and recurrent layers."""
    parameters: int
    launches: int
    """Operations that torch dispatched one by one, views among them."""
    activation_bytes: int
    """Most bytes alive at once of what the call made, its output among them; weights and inputs are not."""


class FirstFrame(Frozen):
    """How long a streaming user waits for the first picture."""

    rule: Literal["stream", "first step", "whole clip"]
    """stream: the model's method `stream` gave its first chunk; first step: a model that makes frame after frame was
    asked for one frame; whole clip: the model gives its first frame with its last."""
    frames: int
    """Frames that were there by then."""
    samples: list[LatencySample] = Field(min_length=1)


class Telemetry(Frozen):
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


class Memory(Frozen):
    """Peak memory of one call."""

    allocated_bytes: int | None = None
    """Most that torch's CUDA allocator gave out, weights among it; None on a CPU."""
    reserved_bytes: int | None = None
    """Most that it held."""
    device_bytes: int | None = None
    """In use on the whole GPU after the call, by NVML, other processes among it."""
    resident_bytes: int | None = None
    """Largest resident size of a fresh process that loaded the model and made one clip; None where unreadable."""


class Energy(Frozen):
    """Energy of back-to-back calls, from the GPU's cumulative counter."""

    calls: int
    seconds: float
    joules: float
    """Of the calls together, what the GPU draws when idle included."""
    idle_watts: float | None = None
    """Mean power of the idle GPU before the calls."""


class Ceilings(Frozen):
    """The fastest that this machine was seen to go, in the cell's number type on its device."""

    operations_per_s: float
    """Of a large matrix product or of a convolution as the models have, whichever is faster; in records before
    27 November 2026 of the product alone."""
    bytes_per_s: float
    """Of a large copy, what is read and what is written both counted."""


class Floor(Frozen):
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


class ClipTime(Frozen):
    """One utterance, said at the length that the model chose."""

    utterance: str
    frames: int
    """That the model made."""
    true_frames: int
    wall_s: float
    device_s: float | None = None
    digest: str
    """Of the frames as pictures, sha256."""
