"""Score all clips of one system in bounded memory and return a `Quality` result."""

from __future__ import annotations

import typing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import torch

from lipbench.benchmarks.cells.loading import LoadedModel, control_system
from lipbench.benchmarks.scoring import files
from lipbench.benchmarks.scoring.clips import ClipPair, Durations, ReferenceSet, generate_clips, make_control_clips
from lipbench.benchmarks.scoring.faces import (
    FaceFinder,
    PendingFaces,
    ReferenceFrames,
    missing_inputs,
    protocol_summary,
)
from lipbench.benchmarks.scoring.measure import (
    FACE_TAKES,
    AlignedPair,
    MetricSet,
    align_pair,
    choose_metrics,
    corpus_scores,
    metrics_without_value,
    score_clip,
)
from lipbench.benchmarks.scoring.real_side import fill_reference_features, reference_features, reference_floor
from lipbench.metrics import METRICS, protocols
from lipbench.metrics.corpus_metric import CorpusMetric
from lipbench.processes import usable_cores
from lipbench.records.quality import ClipScore, CorpusFacts, ProtocolFacts, Quality
from lipbench.records.system import System
from lipbench.registry import resolve_names

OnProgress = Callable[[int], None]
CPU = torch.device("cpu")
WAITING_BYTES = 128 * 2**20
"""Beside one clip, pictures of so many bytes wait for their faces: more large videos would fill the memory."""


def _no_progress(_: int) -> None:
    """Report no progress."""


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """What is scored, and how."""

    corpus: ReferenceSet
    corpus_options: dict[str, Any]
    ids: Sequence[str]
    split: str
    protocol: str
    metrics: Sequence[str]
    """Those asked for; the failure rates of landmarks come with every metric that takes these or a face."""
    inception_weights: Path | None = None
    """Local file for FID and KID; None: see `lipbench.metrics.inception`."""
    features: Path | None = None
    """Folder in which the real side of FID and KID is kept from one run to the next; None: it is not."""
    workers: int | None = None
    """Processes that look for faces; None: one per usable core; 0: none besides this one."""


class _Asked(typing.Protocol):
    """The options of a request that say how clips are scored."""

    protocol: str
    metrics: list[str]


def scoring_for(
    request: _Asked, corpus: ReferenceSet, ids: Sequence[str], *, split: str, corpus_options: dict[str, Any]
) -> Scoring:
    """What a request asks to score, and how; the one place where verbs get it from.

    Args:
        request: of a verb that scores. Options for Inception, for the kept real side and for workers may be absent.
        corpus: whose clips.
        ids: which of them.
        split: what they are called together.
        corpus_options: as they go into the record.

    Raises:
        UnknownNameError: there is no such metric.
    """
    others = ("inception_weights", "features", "workers")
    return Scoring(
        corpus=corpus,
        corpus_options=corpus_options,
        ids=ids,
        split=split,
        protocol=request.protocol,
        metrics=resolve_names(request.metrics, METRICS),
        **{name: getattr(request, name) for name in others if hasattr(request, name)},
    )


class SampleOptions(NamedTuple):
    """Where samples of what was scored are kept."""

    run: Path
    """The run's folder."""
    name: str
    """Name of the cell, and of its files."""
    clips: bool = False
    """Whether every generated clip is kept as a lossless video."""


class Scorer:
    """Scores one system after another on the same clips. Use it as a context: it may keep worker processes.

    Args:
        scoring: what and how.

    Raises:
        UnknownNameError: there is no such protocol.
    """

    def __init__(self, scoring: Scoring) -> None:
        self.scoring = scoring
        self.protocol = protocols.get(scoring.protocol)
        workers = usable_cores() if scoring.workers is None else scoring.workers
        self._faces = FaceFinder(scoring.corpus, workers)
        self._floors: dict[tuple[str, frozenset[ReferenceFrames]], float | None] = {}

    def __enter__(self) -> Scorer:
        """Nothing starts before it is needed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the worker processes."""
        self.close()

    def close(self) -> None:
        """End the worker processes."""
        self._faces.close()

    def model(
        self,
        loaded_model: LoadedModel,
        *,
        durations: Durations,
        batch: int,
        device: torch.device = CPU,
        keep: SampleOptions | None = None,
        on_progress: OnProgress = _no_progress,
    ) -> Quality:
        """Let a model say every utterance, and score it.

        Args:
            loaded_model: the model.
            durations: whether the true ones are given.
            batch: clips generated at once.
            device: where the model is.
            keep: where samples go; None: nowhere.
            on_progress: called with the number of utterances that were finished.

        Raises:
            UserError: the model is not trained on this corpus' symbols.
        """
        scoring = self.scoring
        pairs = generate_clips(
            loaded_model, scoring.corpus, scoring.ids, durations=durations, batch=batch, device=device
        )
        return self.pairs(
            loaded_model.system, pairs, durations=durations, device=device, keep=keep, on_progress=on_progress
        )

    def control(
        self,
        name: str,
        *,
        frame_size: tuple[int, int],
        durations: Durations,
        keep: SampleOptions | None = None,
        on_progress: OnProgress = _no_progress,
    ) -> Quality:
        """Score a control; arguments as for `model`.

        Args:
            name: which.
            frame_size: (H, W) at which it is scored: that of the models beside it.
            durations: of the models beside it; changes nothing of a control.
            keep: where samples go.
            on_progress: called with the number of utterances that were finished.

        Raises:
            UnknownNameError: there is no such control.
            UserError: it needs what the corpus has not.
        """
        pairs = make_control_clips(name, self.scoring.corpus, self.scoring.ids, frame_size=frame_size)
        return self.pairs(
            control_system(name, frame_size), pairs, durations=durations, keep=keep, on_progress=on_progress
        )

    def pairs(
        self,
        system: System,
        pairs: Iterator[ClipPair],
        *,
        durations: Durations,
        device: torch.device = CPU,
        keep: SampleOptions | None = None,
        on_progress: OnProgress = _no_progress,
    ) -> Quality:
        """Score clips of any origin, such as those that an earlier run kept; arguments as for `model`."""
        scoring = self.scoring
        metric_set = self._measures(system, durations, device)
        sample_writer = None
        if keep is not None:
            corpus_fingerprint = scoring.corpus.fingerprint
            sample_writer = files.SampleWriter(
                keep.run, keep.name, scoring.ids, keep_clips=keep.clips, fingerprint=corpus_fingerprint
            )
        scores: list[ClipScore] = []
        real_clips: list[ReferenceFrames] = []
        for item, score in self._measured(pairs, metric_set):
            scores.append(score)
            real_clips.append(self._real_clip(item))
            if sample_writer is not None:
                sample_writer.add(item.pair)
            on_progress(1)
        overall, missing = corpus_scores(metric_set)
        overall = [
            item.model_copy(update={"floor": self._floor(item.metric, metric_set, real_clips)}) for item in overall
        ]
        return Quality(
            system=system,
            corpus=CorpusFacts(
                name=scoring.corpus.name,
                fingerprint=scoring.corpus.fingerprint,
                # how a store was made belongs to it as much as where it lies
                options={**getattr(scoring.corpus, "options", {}), **scoring.corpus_options},
                split=scoring.split,
                clips=len(scores),
            ),
            protocol=ProtocolFacts(
                name=self.protocol.name,
                fingerprint=self.protocol.fingerprint,
                summary=protocol_summary(scoring.corpus, self.protocol),
                length=self.protocol.length,
            ),
            durations=durations,
            device=device.type,
            metrics=metric_set.facts(),
            not_measured={**metric_set.not_measured, **missing, **metrics_without_value(metric_set, scores)},
            clips=scores,
            corpus_scores=overall,
            strip=None if sample_writer is None else sample_writer.save_strip(),
            generated=None if sample_writer is None else sample_writer.save_clips(),
        )

    def _measures(self, system: System, durations: Durations, device: torch.device) -> MetricSet:
        scoring = self.scoring
        metric_set = choose_metrics(
            scoring.metrics,
            self.protocol,
            lacking=missing_inputs(scoring.corpus, scoring.ids[0], self.protocol),
            durations=None if system.kind == "control" else durations,
            inception_weights=scoring.inception_weights,
            device=device,
        )
        if metric_set.inception is None or scoring.features is None or system.frame_size is None:
            return metric_set
        real = {name: metric for name, metric in metric_set.corpus.items() if metric.takes == "inception"}
        for metric in real.values():
            fill_reference_features(
                metric,
                scoring.features,
                corpus=scoring.corpus,
                ids=scoring.ids,
                frame_size=system.frame_size,
                network=metric_set.inception,
            )
        return replace(metric_set, filled=frozenset(real))

    def _measured(self, pairs: Iterator[ClipPair], metric_set: MetricSet) -> Iterator[tuple[AlignedPair, ClipScore]]:
        """Score pairs in order, while workers look for the faces of those that come next."""
        waiting: deque[tuple[AlignedPair, tuple[PendingFaces, PendingFaces] | str | None]] = deque()
        ahead = self._faces.ahead if metric_set.takes & FACE_TAKES else 0
        for pair in pairs:
            aligned_pair = align_pair(pair, self.protocol)
            waiting.append((aligned_pair, self._look(aligned_pair, metric_set)))
            while len(waiting) > ahead or (len(waiting) > 1 and _bytes(waiting) > WAITING_BYTES):
                yield _score_waiting(*waiting.popleft(), metric_set)
        while waiting:
            yield _score_waiting(*waiting.popleft(), metric_set)

    def _look(self, aligned_pair: AlignedPair, metric_set: MetricSet) -> tuple[PendingFaces, PendingFaces] | str | None:
        """Begin to look for the faces of both sides, or say why there are none; None if no metric takes them."""
        if not metric_set.takes & FACE_TAKES:
            return None
        preds, target = metric_set.described(aligned_pair)
        reference, generated_clip = aligned_pair.pair
        reason = self._faces.faceless(reference)
        if reason is not None:
            return reason
        real = self._faces.find_real(reference, target)
        return self._faces.look(reference, generated_clip.pictures, preds), real

    def _real_clip(self, aligned_pair: AlignedPair) -> ReferenceFrames:
        """The real side of a pair, as distances between corpora see it."""
        height, width = aligned_pair.pair.truth.pictures.shape[1:3]
        frames = aligned_pair.described(self.protocol, is_aligned=False).target
        return ReferenceFrames(aligned_pair.pair.truth.utterance.id, (height, width), tuple(frames))

    def _floor(self, name: str, metric_set: MetricSet, real: Sequence[ReferenceFrames]) -> float | None:
        """Distance between two halves of the real clips, worked out once per metric and clips."""
        metric = metric_set.corpus[name]
        key = name, frozenset(real)
        if key not in self._floors:
            self._floors[key] = self._new_floor(metric, metric_set, real)
        return self._floors[key]

    def _new_floor(self, metric: CorpusMetric, metric_set: MetricSet, real: Sequence[ReferenceFrames]) -> float | None:
        if metric.takes == "inception" and metric_set.inception is not None:
            corpus, network, count = self.scoring.corpus, metric_set.inception, self.protocol.inception_frames
            clips = reference_features(corpus, [real_clip[:2] for real_clip in real], network, count)
            return reference_floor(metric, [real_clip.utterance for real_clip in real], clips)
        descriptors = {real_clip.utterance: self._faces.real_descriptors(real_clip) for real_clip in real}
        known_descriptors = {utterance: rows for utterance, rows in descriptors.items() if rows is not None}
        return reference_floor(metric, list(known_descriptors), known_descriptors.values())


def _score_waiting(
    aligned_pair: AlignedPair, sides: tuple[PendingFaces, PendingFaces] | str | None, metric_set: MetricSet
) -> tuple[AlignedPair, ClipScore]:
    faces = (sides[0].found(), sides[1].found()) if isinstance(sides, tuple) else sides
    return aligned_pair, score_clip(aligned_pair, metric_set, faces)


def _bytes(waiting: Iterable[tuple[AlignedPair, object]]) -> int:
    """Size of the pictures of some pairs."""
    return sum(
        aligned_pair.pair.truth.pictures.nbytes + aligned_pair.pair.made.pictures.nbytes for aligned_pair, _ in waiting
    )
