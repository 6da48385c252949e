"""The record: one JSON file per cell, from which every report is made.

A record says what was asked, what that resolved to, on what machine and code it ran, how it ended, and the raw values.
Statistics are never stored, only derived. A cell that failed is a record with status "failed", not a gap.

History of the format:
    1: first version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from benchmarks.measurement import ClipTime, Costs, Energy, FirstFrame, Floor, LatencySample, Memory, Telemetry
from benchmarks.measurement import Frozen as _Frozen

SCHEMA_VERSION = 1


class Machine(_Frozen):
    """Where a cell ran. None where the machine cannot say."""

    cpu: str | None
    cores: int
    """Logical cores that this process may use."""
    memory_bytes: int
    system: str
    gpu: str | None = None
    gpu_driver: str | None = None
    threads: int
    """Threads that torch used within one operation."""


class Software(_Frozen):
    """What code ran."""

    python: str
    packages: dict[str, str]
    commit: str | None
    """Git revision of lipbench; None outside a git checkout."""
    dirty: bool | None
    """True if the checkout had uncommitted changes."""
    source: str | None = None
    """Digest of lipbench's own Python files; None in records made before it was kept."""


class Training(_Frozen):
    """How a model came by its weights."""

    corpus: str
    corpus_fingerprint: str
    steps: int
    """Updates taken."""
    recipe: dict[str, object]
    """All options of the training."""


class System(_Frozen):
    """The thing measured: a model, or a control that stands beside the models."""

    name: str
    """Registry name, such as "hh_t2l" or "first_frame"."""
    title: str
    """Name for tables, such as "HH-T2L"."""
    kind: Literal["model", "control"]
    preset: str | None = None
    options: dict[str, object] = Field(default_factory=dict)
    """Options as asked for, on top of the preset."""
    config: dict[str, object] = Field(default_factory=dict)
    """Every option as resolved."""
    parameters: int | None = None
    frame_size: tuple[int, int] | None = None
    """(height, width) in pixels."""
    autoregressive: bool | None = None
    checkpoint: str | None = None
    """sha256 of the weights; None for an untrained model or a control."""
    training: Training | None = None
    """None for an untrained model or a control."""
    videos: str | None = None
    """sha256 over names and content of the video files that were scored in the model's place; None where the model
    itself made the clips."""


class Corpus(_Frozen):
    """What a cell was measured on."""

    name: str
    fingerprint: str
    """Changes when any option or content of the corpus changes."""
    options: dict[str, object] = Field(default_factory=dict)
    """As asked for."""
    split: str
    clips: int


class Protocol(_Frozen):
    """What pins a quality number down."""

    name: str
    fingerprint: str
    """Numbers with different fingerprints never share a table column."""
    summary: str
    length: str | None = None
    """Rule by which clips of unequal length are compared, such as "truncate"; None in records that are older."""


class LengthEffect(_Frozen):
    """What the protocol's rule for clips of unequal length did to one clip, or to several together, in frames."""

    scored: int
    """Pairs of frames that were compared."""
    preds_dropped: int = 0
    target_dropped: int = 0
    preds_repeated: int = 0
    target_repeated: int = 0


class ClipScore(_Frozen):
    """One clip of one system."""

    utterance: str
    speaker: str
    text: str
    frames: int
    """True length of the clip."""
    generated_frames: int
    cut_off: bool = False
    """Whether the model was stopped at the longest length that it may make, without a stop token of its own."""
    length: LengthEffect | None = None
    """None: every frame was compared with its own."""
    values: dict[str, float]
    """Metric name to value, in the metric's unit; a metric that has none for this clip is in `missing`."""
    weights: dict[str, float] = Field(default_factory=dict)
    """Metric name to the clip's weight in the mean over clips, where that is not 1 (protocols that pool frames)."""
    missing: dict[str, str] = Field(default_factory=dict)
    """Metric name to the reason why this clip has no value."""
    curves: dict[str, list[float | None]] = Field(default_factory=dict)
    """Metric name to its value in each compared frame, six digits; None where a frame has none. A shorter one is of the
    evenly spaced frames that the protocol looks at (`metrics.alignment.sampled`)."""
    aperture: list[float | None] = Field(default_factory=list)
    """Opening of the inner lips in each generated frame, in pixels, six digits; None where no face was found. Empty if
    no metric took landmarks, and in records that are older than this."""
    aperture_truth: list[float | None] = Field(default_factory=list)
    """The same of each real frame."""


def changed_lengths(clips: Sequence[ClipScore]) -> list[ClipScore]:
    """The clips that the protocol's length rule changed, or that are of another length than the truth."""
    return [clip for clip in clips if clip.length is not None or clip.generated_frames != clip.frames]


def total_effect(clips: Sequence[ClipScore]) -> LengthEffect | None:
    """What the length rule did to clips, summed.

    Returns:
        None if that is not recorded of one that is of another length than the truth.
    """
    changed = changed_lengths(clips)
    effects = [clip.length.model_dump() for clip in changed if clip.length is not None]
    if len(effects) < len(changed):
        return None
    return LengthEffect(**{name: sum(one[name] for one in effects) for name in LengthEffect.model_fields})


class CorpusScore(_Frozen):
    """One metric that has a value for all clips together only, such as FID."""

    metric: str
    value: float
    clips: int
    """Generated clips that it was computed from."""
    real_clips: int
    failed_frames: int | None = None
    """Generated frames that were left out, as nothing was found in them; None in records that are older than this."""
    real_failed_frames: int | None = None
    """The same of real frames."""
    floor: float | None = None
    """The same distance between two halves of the real clips, below which models cannot be told from the truth; None
    if a half has too few frames."""


class MetricFacts(_Frozen):
    """What a reader must know of a metric."""

    name: str
    title: str
    unit: str
    higher_is_better: bool | None
    """None: the best value lies between (a ratio whose best is 1)."""
    perfect: float | None = None
    """What a perfect clip scores under the protocol; None where nothing is perfect."""
    per: Literal["clip", "corpus"] = "clip"
    """Whether every clip has a value of its own, or only all of them together."""


class Quality(_Frozen):
    """The result of scoring one system on one corpus."""

    kind: Literal["quality"] = "quality"
    system: System
    corpus: Corpus
    protocol: Protocol
    durations: Literal["true", "predicted"]
    """Whether the true durations were given."""
    device: str | None
    """Where the clips were generated: "cpu" or "cuda"; None if that is not known."""
    metrics: list[MetricFacts]
    clips: list[ClipScore]
    left_out: dict[str, str] = Field(default_factory=dict)
    """Clip to the reason why it could not be scored at all."""
    corpus_scores: list[CorpusScore] = Field(default_factory=list)
    not_measured: dict[str, str] = Field(default_factory=dict)
    """Metric to the reason why no clip has a value of it."""
    strip: str | None = None
    """File with sample frames, relative to the run's folder."""
    generated: str | None = None
    """Folder with the generated clips as video files, relative to the run's folder; None if they were not kept."""

    @property
    def asked(self) -> int:
        """Clips that were to be scored, those left out among them."""
        return len(self.clips) + len(self.left_out)

    def values(self, metric: str) -> list[float]:
        """One metric's value of each clip that has one."""
        return [clip.values[metric] for clip in self.clips if metric in clip.values]

    def mean(self, metric: str) -> float | None:
        """One metric over all clips: their mean, weighted as the protocol pools them, or the one value of them all.

        Returns:
            None if no clip has a value and the corpus has none.
        """
        overall = [score.value for score in self.corpus_scores if score.metric == metric]
        if overall:
            return overall[0]
        pairs = [(clip.values[metric], clip.weights.get(metric, 1.0)) for clip in self.clips if metric in clip.values]
        weight = sum(weight for _, weight in pairs)
        return sum(value * weight for value, weight in pairs) / weight if weight else None


def by_reason(left_out: Mapping[str, str]) -> dict[str, list[str]]:
    """Turn clip to reason into reason to its clips, the reason with most clips first."""
    found: dict[str, list[str]] = {}
    for clip, reason in sorted(left_out.items()):
        found.setdefault(reason, []).append(clip)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


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
    variant: str = "eager"
    """How the model was run; see `benchmarks.latency.variants`."""
    costs: Costs | None = None
    """Of the eager call, counted in a pass of its own; None in records that are older than it."""
    load_s: float | None = None
    """Building the model, reading its weights and bringing them to the device; None where it was there already."""
    first_frame: FirstFrame | None = None
    outputs: list[str] = Field(default_factory=list)
    """sha256 of the frames made by the first and the last call of each block, as they are."""
    sketch: list[float] = Field(default_factory=list)
    """Of the frames made by the first timed call; see `benchmarks.latency.outputs.sketch`. Empty in records that are
    older than it."""
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


class Natural(_Frozen):
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


class Failure(_Frozen):
    """Why a cell has no result."""

    type: str
    message: str


class Cell(_Frozen):
    """What was asked for. Two cells that differ in anything have records of their own."""

    kind: Literal["quality", "latency", "natural"]
    system: str
    role: Literal["model", "control"] = "model"
    preset: str | None = None
    options: dict[str, object] = Field(default_factory=dict)
    checkpoint: str | None = None
    """The checkpoint's file, if one was named; None: the one that the run itself trained, or none."""
    corpus: str | None = None
    corpus_options: dict[str, object] = Field(default_factory=dict)
    split: str | None = None
    limit: int | None = None
    """Most clips to score; None: all."""
    durations: Literal["true", "predicted"] | None = None
    protocol: str | None = None
    metrics: list[str] | None = None
    """Those asked for; None: all."""
    frames: int | None = None
    batch: int | None = None
    device: str | None = None
    variant: str | None = None
    """How the model is run; None: as it is."""
    timer: Literal["synchronised", "unsynchronised"] | None = None

    @property
    def key(self) -> str:
        """A name, unique within a run, that is also the record's file name: readable first, then a digest of it all."""
        parts = [self.kind, self.system, self.corpus, self.durations, self.preset, self.device, self.variant]
        named = [part for part in parts if part]
        if self.frames is not None:
            named.append(f"{self.frames:04d}")
        readable = "-".join("".join(c if c.isalnum() or c in "._" else "_" for c in part) for part in named)
        # cells of records that are older than these fields keep their names
        newer = {field for field in ("variant", "timer") if getattr(self, field) is None}
        digest = hashlib.sha256(self.model_dump_json(exclude=newer).encode()).hexdigest()
        return f"{readable[:100]}-{digest[:8]}"


class Record(_Frozen):
    """One cell, ended one way or another."""

    version: Literal[1] = SCHEMA_VERSION
    created: str
    """UTC, ISO 8601."""
    command: str
    """The command line that made it."""
    request: dict[str, object] = Field(default_factory=dict)
    """All options of that command, as they were understood."""
    cell: Cell
    status: Literal["measured", "failed", "not_attempted"]
    machine: Machine
    software: Software
    result: Annotated[Quality | Latency | Natural, Field(discriminator="kind")] | None = None
    failure: Failure | None = None
    seconds: float
    """How long the whole cell took, loading and warm-up included."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Record:
        measured = self.status == "measured"
        if measured != (self.result is not None) or measured != (self.failure is None):
            raise ValueError("a measured record has a result and no failure, any other one the reverse")
        if self.result is not None and self.result.kind != self.cell.kind:
            raise ValueError(f"the cell asks for {self.cell.kind}, the result is {self.result.kind}")
        return self
