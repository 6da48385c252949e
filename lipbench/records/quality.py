"""The result of a quality cell: scores per clip and over the corpus, with what they were measured on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from lipbench.records.frozen import FrozenModel as _Frozen
from lipbench.records.system import System


class CorpusFacts(_Frozen):
    """What a cell was measured on."""

    name: str
    fingerprint: str
    """Changes when any option or content of the corpus changes."""
    options: dict[str, object] = Field(default_factory=dict)
    """As asked for."""
    split: str
    clips: int


class ProtocolFacts(_Frozen):
    """The protocol that a quality number was scored under."""

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
    evenly spaced frames that the protocol looks at (`lipbench.metrics.alignment.evenly_spaced`)."""
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
    changed_clips = changed_lengths(clips)
    effects = [clip.length.model_dump() for clip in changed_clips if clip.length is not None]
    if len(effects) < len(changed_clips):
        return None
    return LengthEffect(**{name: sum(effect[name] for effect in effects) for name in LengthEffect.model_fields})


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
    """The same distance between two halves of the real clips, below which a model cannot be told from
    real clips; None if a half has too few frames."""


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
    corpus: CorpusFacts
    protocol: ProtocolFacts
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


def group_by_reason(left_out: Mapping[str, str]) -> dict[str, list[str]]:
    """Turn clip to reason into reason to its clips, the reason with most clips first."""
    clips_by_reason: dict[str, list[str]] = {}
    for clip, reason in sorted(left_out.items()):
        clips_by_reason.setdefault(reason, []).append(clip)
    return dict(sorted(clips_by_reason.items(), key=lambda item: -len(item[1])))
