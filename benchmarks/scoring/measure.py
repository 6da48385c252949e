"""One clip against the truth, under every metric asked for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lipbench import metrics
from lipbench.benchmarks.scoring.clips import ClipPair, Durations
from lipbench.benchmarks.scoring.faces import ClipFaces
from lipbench.metrics.alignment import FrameAlignment, align, evenly_spaced
from lipbench.metrics.clip_metric import ClipMetric, Score
from lipbench.metrics.corpus_metric import CorpusMetric, NotMeasuredError
from lipbench.metrics.frame_metric import PictureMetric
from lipbench.metrics.functional import aperture
from lipbench.metrics.inception import InceptionFeatures
from lipbench.metrics.pictures import as_unit
from lipbench.metrics.protocols import Protocol
from lipbench.records.quality import ClipScore, CorpusScore, LengthEffect, MetricFacts

DIGITS = 6
"""Digits in which values per frame are kept."""
FACE_TAKES = frozenset({"landmarks", "face"})
"""Inputs that need the mouth pasted back into a face."""
FAILURE_RATES = ("landmark_failure_preds", "landmark_failure_target")
"""Metrics that say of each side how often no mouth was found."""
TIMING_TAKES = frozenset({"durations", "lengths"})
"""Inputs that are meaningless if the true durations were given."""


@dataclass(frozen=True, eq=False)
class MetricSet:
    """The metrics of one scoring, and why others that were asked for are not among them."""

    protocol: Protocol
    clip: Mapping[str, ClipMetric]
    corpus: Mapping[str, CorpusMetric]
    not_measured: Mapping[str, str]
    inception: InceptionFeatures | None = None
    filled: frozenset[str] = frozenset()
    """Metrics of the whole corpus that have their real side already."""

    @property
    def takes(self) -> set[str]:
        """What the metrics take of a clip."""
        return {metric.takes for metric in (*self.clip.values(), *self.corpus.values())}

    def described(self, aligned_pair: AlignedPair) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Numbers of the frames of the generated and of the real side whose faces the metrics take, in order."""
        faces = {metric.aligned for metric in (*self.clip.values(), *self.corpus.values()) if metric.takes == "face"}
        frame_numbers = [aligned_pair.described(self.protocol, is_aligned=is_aligned) for is_aligned in faces]
        preds = {number for sides in frame_numbers for number in sides.preds}
        target = {number for sides in frame_numbers for number in sides.target}
        return tuple(sorted(preds)), tuple(sorted(target))

    def facts(self) -> list[MetricFacts]:
        """What a record says of them, those not measured included."""
        metric_objects = {**self.clip, **self.corpus}
        metric_objects |= {name: metrics.create(name, protocol=self.protocol) for name in self.not_measured}
        return [metric_facts(name, metric) for name, metric in sorted(metric_objects.items())]


def choose_metrics(
    names: Sequence[str],
    protocol: Protocol,
    *,
    lacking: Mapping[str, str],
    durations: Durations | None,
    inception_weights: Path | None = None,
    device: torch.device | None = None,
) -> MetricSet:
    """Make the metrics, and find out which of them cannot be measured here.

    Where a metric takes landmarks, or faces that are placed by them, the failure rates of both sides come with it:
    without them it cannot be read.

    Args:
        names: metrics asked for.
        protocol: the rules.
        lacking: what the clips cannot give of what metrics take, and why.
        durations: "true" leaves timing metrics out, as there is nothing to measure; None does so for a control.
        inception_weights: a local file; None: see `lipbench.metrics.inception`.
        device: where the Inception network computes.
    """
    metric_objects = {name: metrics.create(name, protocol=protocol) for name in names}
    if any(metric.takes in FACE_TAKES for metric in metric_objects.values()):
        metric_objects |= {
            name: metrics.create(name, protocol=protocol) for name in FAILURE_RATES if name not in metric_objects
        }
    missing: dict[str, str] = {}
    inception: InceptionFeatures | None = None
    for name, metric in metric_objects.items():
        if metric.takes in lacking:
            missing[name] = lacking[metric.takes]
        elif metric.takes in TIMING_TAKES and durations is None:
            missing[name] = "a control has the truth's own timing"
        elif metric.takes in TIMING_TAKES and durations == "true":
            missing[name] = "the true durations were given"
        elif metric.takes == "inception" and inception is None:
            try:
                inception = InceptionFeatures(inception_weights, resize=protocol.inception_resize, device=device)
            except NotMeasuredError as error:
                missing[name] = f"{error.problem.removeprefix('not measured: ')}. {error.remedy}"
    measurable = {name: metric for name, metric in metric_objects.items() if name not in missing}
    return MetricSet(
        protocol=protocol,
        clip={name: metric for name, metric in measurable.items() if isinstance(metric, ClipMetric)},
        corpus={name: metric for name, metric in measurable.items() if isinstance(metric, CorpusMetric)},
        not_measured=missing,
        inception=inception,
    )


class PredsTarget(NamedTuple):
    """Both sides of what metrics take."""

    preds: Any
    target: Any


class AlignedPair(NamedTuple):
    """One pair, with what is compared with what."""

    pair: ClipPair
    alignment: FrameAlignment

    def described(self, protocol: Protocol, *, is_aligned: bool) -> PredsTarget:
        """Numbers of the frames whose face descriptor a metric takes, after alignment or of each clip alone."""
        if is_aligned:
            frame_numbers = evenly_spaced(len(self.alignment.preds), protocol.face_frames)
            return PredsTarget(
                self.alignment.preds[frame_numbers].tolist(), self.alignment.target[frame_numbers].tolist()
            )
        return PredsTarget(
            *(evenly_spaced(len(side.pictures), protocol.face_frames).tolist() for side in reversed(self.pair))
        )


def align_pair(pair: ClipPair, protocol: Protocol) -> AlignedPair:
    """Bring a pair to equal length by the protocol's rule."""
    return AlignedPair(pair, align(pair.made.levels, pair.truth.levels, protocol.length))


@dataclass
class MetricInputs:
    """Inputs of the metrics for one pair, computed once each."""

    one: AlignedPair
    measures: MetricSet
    faces: tuple[ClipFaces, ClipFaces] | str | None
    made: dict[tuple[str, bool], PredsTarget | str] = field(default_factory=dict)
    features: dict[int, Tensor] = field(default_factory=dict)
    """Inception features by the identity of the frames, which `made` keeps."""

    def of(self, metric: ClipMetric | CorpusMetric) -> PredsTarget | str:
        """Both sides as a metric takes them, or why there are none."""
        sides = self.both(metric.takes, is_aligned=metric.aligned)
        if metric.takes == "frames" and not isinstance(metric, PictureMetric) and isinstance(sides, PredsTarget):
            # ours read levels a few frames at a time; as floats a whole video is large
            return PredsTarget(*(as_unit(side) for side in sides))
        return sides

    def both(self, takes: str, *, is_aligned: bool) -> PredsTarget | str:
        """Both sides, frames as 8-bit levels, or why there are none."""
        key = takes, is_aligned
        if key not in self.made:
            self.made[key] = self._both(takes, is_aligned=is_aligned)
        return self.made[key]

    def _both(self, takes: str, *, is_aligned: bool) -> PredsTarget | str:
        if takes == "face":
            return self._face(is_aligned=is_aligned)
        if not is_aligned:
            return getattr(self, f"_{takes}")()
        sides = self.both(takes, is_aligned=False)
        if takes in ("frames", "landmarks") and isinstance(sides, PredsTarget):
            return PredsTarget(*self.one.alignment.apply(sides.preds, sides.target))
        return sides

    def update(self, name: str, metric: CorpusMetric) -> None:
        """Give a metric of the whole corpus this clip."""
        if metric.takes == "inception":
            frames = self.both("frames", is_aligned=False)
            assert isinstance(frames, PredsTarget), "every clip has frames"
            real = None if name in self.measures.filled else self._inception(frames.target)
            metric.update(self._inception(frames.preds), real)
            return
        sides = self.of(metric)
        if isinstance(sides, PredsTarget):
            metric.update(*sides)

    def _frames(self) -> PredsTarget:
        return PredsTarget(self.one.pair.made.levels, self.one.pair.truth.levels)

    def _landmarks(self) -> PredsTarget | str:
        assert self.faces is not None, "faces are looked for wherever a measure takes them"
        return self.faces if isinstance(self.faces, str) else PredsTarget(*(side.landmarks for side in self.faces))

    def _face(self, *, is_aligned: bool) -> PredsTarget | str:
        assert self.faces is not None, "faces are looked for wherever a measure takes them"
        if isinstance(self.faces, str):
            return self.faces
        frame_numbers = self.one.described(self.measures.protocol, is_aligned=is_aligned)
        face_frames = zip(self.faces, frame_numbers, strict=True)
        return PredsTarget(*(torch.stack([side.descriptors[n] for n in numbers]) for side, numbers in face_frames))

    def _inception(self, frames: Tensor) -> Tensor:
        network, count = self.measures.inception, self.measures.protocol.inception_frames
        assert network is not None, "without the network no measure takes its features"
        if id(frames) not in self.features:
            self.features[id(frames)] = network(frames[evenly_spaced(len(frames), count)])
        return self.features[id(frames)]

    def _durations(self) -> PredsTarget | str:
        generated_durations, true_durations = self.one.pair.made.durations, self.one.pair.truth.utterance.durations
        if generated_durations is None:
            return "the system gives no durations"
        if true_durations is None:
            return "the corpus gives no durations"
        return PredsTarget(generated_durations, torch.from_numpy(true_durations))

    def _lengths(self) -> PredsTarget:
        return PredsTarget(self.one.alignment.preds_frames, self.one.alignment.target_frames)


def score_clip(
    aligned_pair: AlignedPair, metric_set: MetricSet, faces: tuple[ClipFaces, ClipFaces] | str | None
) -> ClipScore:
    """Score one pair; metrics of the whole corpus take it in.

    Args:
        aligned_pair: the pair.
        metric_set: the metrics.
        faces: of the generated and of the real side, or why there are none; None if no metric needs them.
    """
    metric_inputs = MetricInputs(aligned_pair, metric_set, faces)
    scores: dict[str, Score] = {}
    missing: dict[str, str] = {}
    for name, metric in metric_set.clip.items():
        sides = metric_inputs.of(metric)
        if isinstance(sides, str):
            missing[name] = sides
        else:
            scores[name] = metric.score(*sides)
    for name, metric in metric_set.corpus.items():
        metric_inputs.update(name, metric)
    missing |= {name: score.reason for name, score in scores.items() if score.reason is not None}
    lips = metric_inputs.both("landmarks", is_aligned=False) if faces is not None else ""
    opening = (
        PredsTarget([], []) if isinstance(lips, str) else PredsTarget(*(_curve(aperture(points)) for points in lips))
    )
    utterance, effect = aligned_pair.pair.truth.utterance, aligned_pair.alignment.effect
    return ClipScore(
        utterance=utterance.id,
        speaker=utterance.speaker,
        text=utterance.text,
        frames=effect.target_frames,
        generated_frames=effect.preds_frames,
        cut_off=aligned_pair.pair.made.cut_off,
        length=None
        if effect.preds_frames == effect.target_frames == effect.scored
        else LengthEffect(
            scored=effect.scored,
            preds_dropped=effect.preds_dropped,
            target_dropped=effect.target_dropped,
            preds_repeated=effect.preds_repeated,
            target_repeated=effect.target_repeated,
        ),
        values={name: score.value for name, score in scores.items() if score.reason is None},
        weights={name: score.weight for name, score in scores.items() if score.reason is None and score.weight != 1},
        missing=missing,
        curves={name: _curve(score.frames) for name, score in scores.items() if score.frames is not None},
        aperture=opening.preds,
        aperture_truth=opening.target,
    )


def _curve(frames: Tensor) -> list[float | None]:
    return [None if math.isnan(value) else float(f"{value:.{DIGITS}g}") for value in frames.tolist()]


def corpus_scores(metric_set: MetricSet) -> tuple[list[CorpusScore], dict[str, str]]:
    """Values of the metrics of whole corpora, and why others have none."""
    scores: list[CorpusScore] = []
    missing: dict[str, str] = {}
    for name, metric in metric_set.corpus.items():
        if not metric.update_called:
            missing[name] = "no clip has what it is computed from"
            continue
        try:
            value = float(metric.compute())
        except NotMeasuredError as error:
            missing[name] = error.problem
            continue
        (clips, real), (failed_frames, real_failed) = metric.clips(), metric.failures()
        scores.append(
            CorpusScore(
                metric=name,
                value=value,
                clips=clips,
                real_clips=real,
                failed_frames=failed_frames,
                real_failed_frames=real_failed,
            )
        )
    return scores, missing


def metrics_without_value(metric_set: MetricSet, scores: Sequence[ClipScore]) -> dict[str, str]:
    """Metrics of single clips that not one clip has a value of, and why."""
    reason_by_metric: dict[str, str] = {}
    for name in metric_set.clip:
        reasons = Counter(score.missing[name] for score in scores if name in score.missing)
        if scores and reasons.total() == len(scores):
            (first, _), *others = reasons.most_common()
            reason_by_metric[name] = f"{first}; other clips have other reasons" if others else first
    return reason_by_metric


def metric_facts(name: str, metric: ClipMetric | CorpusMetric) -> MetricFacts:
    """What a record says of a metric."""
    is_clip = isinstance(metric, ClipMetric)
    return MetricFacts(
        name=name,
        title=metric.title,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        perfect=_perfect(metric) if is_clip else None,
        per="clip" if is_clip else "corpus",
    )


def _perfect(metric: ClipMetric) -> float | None:
    """What equal sides score: the bound on the good side, the cap of PSNR, 1 for a ratio; None: the corpus decides."""
    if not metric.best_is_due:
        return None
    if metric.higher_is_better is None:
        return 1.0
    low, high = metric.bounds
    return min(high, metric.protocol.psnr_cap_db) if metric.higher_is_better else low
