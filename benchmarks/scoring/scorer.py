"""Scoring as a whole: pairs in, a record's result out, in bounded memory."""

from __future__ import annotations

import json
import typing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lipbench.benchmarks.cells.loading import Subject, control
from lipbench.benchmarks.scoring import files
from lipbench.benchmarks.scoring.clips import Durations, Pair, Reference, controlled, generated, load_truth
from lipbench.benchmarks.scoring.faces import FaceFinder, Looking, RealClip, lacking, summary_for
from lipbench.benchmarks.scoring.measure import (
    FACE_TAKES,
    Aligned,
    Measures,
    aligned,
    choose_measures,
    corpus_scores,
    measure,
    never_measured,
)
from lipbench.errors import UserError
from lipbench.metrics import METRICS, protocols
from lipbench.metrics.alignment import sampled
from lipbench.metrics.corpus_metric import CorpusMetric, NotMeasuredError
from lipbench.metrics.inception import InceptionFeatures
from lipbench.metrics.real_side import fill_real, floor
from lipbench.processes import usable_cores
from lipbench.records.quality import ClipScore, Corpus, Protocol, Quality
from lipbench.records.system import System
from lipbench.registry import chosen

Advance = Callable[[int], None]
CPU = torch.device("cpu")
WAITING_BYTES = 128 * 2**20
"""Beside one clip, pictures of so many bytes wait for their faces: more large videos would fill the memory."""


def _quietly(_: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """What is scored, and how."""

    corpus: Reference
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
    request: _Asked, corpus: Reference, ids: Sequence[str], *, split: str, corpus_options: dict[str, Any]
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
        metrics=chosen(request.metrics, METRICS),
        **{name: getattr(request, name) for name in others if hasattr(request, name)},
    )


class Keep(NamedTuple):
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
        self._floors: dict[tuple[str, frozenset[RealClip]], float | None] = {}

    def __enter__(self) -> Scorer:
        """Nothing starts before it is needed."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the worker processes."""
        self.close()

    def close(self) -> None:
        """End the worker processes."""
        self._faces.close()

    def model(
        self,
        subject: Subject,
        *,
        durations: Durations,
        batch: int,
        device: torch.device = CPU,
        keep: Keep | None = None,
        advance: Advance = _quietly,
    ) -> Quality:
        """Let a model say every utterance, and score it.

        Args:
            subject: the model.
            durations: whether the true ones are given.
            batch: clips generated at once.
            device: where the model is.
            keep: where samples go; None: nowhere.
            advance: told how many utterances were finished.

        Raises:
            UserError: the model is not trained on this corpus' symbols.
        """
        scoring = self.scoring
        pairs = generated(subject, scoring.corpus, scoring.ids, durations=durations, batch=batch, device=device)
        return self.pairs(subject.system, pairs, durations=durations, device=device, keep=keep, advance=advance)

    def control(
        self,
        name: str,
        *,
        frame_size: tuple[int, int],
        durations: Durations,
        keep: Keep | None = None,
        advance: Advance = _quietly,
    ) -> Quality:
        """Score a control; arguments as for `model`.

        Args:
            name: which.
            frame_size: (H, W) at which it is scored: that of the models beside it.
            durations: of the models beside it; changes nothing of a control.
            keep: where samples go.
            advance: told how many utterances were finished.

        Raises:
            UnknownNameError: there is no such control.
            UserError: it needs what the corpus has not.
        """
        pairs = controlled(name, self.scoring.corpus, self.scoring.ids, frame_size=frame_size)
        return self.pairs(control(name, frame_size), pairs, durations=durations, keep=keep, advance=advance)

    def pairs(
        self,
        system: System,
        pairs: Iterator[Pair],
        *,
        durations: Durations,
        device: torch.device = CPU,
        keep: Keep | None = None,
        advance: Advance = _quietly,
    ) -> Quality:
        """Score clips of any origin, such as those that an earlier run kept; arguments as for `model`."""
        scoring = self.scoring
        measures = self._measures(system, durations, device)
        kept = None
        if keep is not None:
            truth = scoring.corpus.fingerprint
            kept = files.Keeper(keep.run, keep.name, scoring.ids, keep_clips=keep.clips, fingerprint=truth)
        scores: list[ClipScore] = []
        real_clips: list[RealClip] = []
        for one, score in self._measured(pairs, measures):
            scores.append(score)
            real_clips.append(self._real_clip(one))
            if kept is not None:
                kept.add(one.pair)
            advance(1)
        overall, missing = corpus_scores(measures)
        overall = [one.model_copy(update={"floor": self._floor(one.metric, measures, real_clips)}) for one in overall]
        return Quality(
            system=system,
            corpus=Corpus(
                name=scoring.corpus.name,
                fingerprint=scoring.corpus.fingerprint,
                # how a store was made belongs to it as much as where it lies
                options={**getattr(scoring.corpus, "options", {}), **scoring.corpus_options},
                split=scoring.split,
                clips=len(scores),
            ),
            protocol=Protocol(
                name=self.protocol.name,
                fingerprint=self.protocol.fingerprint,
                summary=summary_for(scoring.corpus, self.protocol),
                length=self.protocol.length,
            ),
            durations=durations,
            device=device.type,
            metrics=measures.facts(),
            not_measured={**measures.not_measured, **missing, **never_measured(measures, scores)},
            clips=scores,
            corpus_scores=overall,
            strip=None if kept is None else kept.save_strip(),
            generated=None if kept is None else kept.save_clips(),
        )

    def _measures(self, system: System, durations: Durations, device: torch.device) -> Measures:
        scoring = self.scoring
        measures = choose_measures(
            scoring.metrics,
            self.protocol,
            lacking=lacking(scoring.corpus, scoring.ids[0], self.protocol),
            durations=None if system.kind == "control" else durations,
            inception_weights=scoring.inception_weights,
            device=device,
        )
        if measures.inception is None or scoring.features is None or system.frame_size is None:
            return measures
        real = {name: metric for name, metric in measures.corpus.items() if metric.takes == "inception"}
        for metric in real.values():
            fill(
                metric,
                scoring.features,
                corpus=scoring.corpus,
                ids=scoring.ids,
                frame_size=system.frame_size,
                network=measures.inception,
            )
        return replace(measures, filled=frozenset(real))

    def _measured(self, pairs: Iterator[Pair], measures: Measures) -> Iterator[tuple[Aligned, ClipScore]]:
        """Score pairs in order, while workers look for the faces of those that come next."""
        waiting: deque[tuple[Aligned, tuple[Looking, Looking] | str | None]] = deque()
        ahead = self._faces.ahead if measures.takes & FACE_TAKES else 0
        for pair in pairs:
            one = aligned(pair, self.protocol)
            waiting.append((one, self._look(one, measures)))
            while len(waiting) > ahead or (len(waiting) > 1 and _bytes(waiting) > WAITING_BYTES):
                yield _finished(*waiting.popleft(), measures)
        while waiting:
            yield _finished(*waiting.popleft(), measures)

    def _look(self, one: Aligned, measures: Measures) -> tuple[Looking, Looking] | str | None:
        """Begin to look for the faces of both sides, or say why there are none; None if no metric takes them."""
        if not measures.takes & FACE_TAKES:
            return None
        preds, target = measures.described(one)
        truth, made = one.pair
        reason = self._faces.faceless(truth)
        if reason is not None:
            return reason
        real = self._faces.look_at_truth(truth, target)
        return self._faces.look(truth, made.pictures, preds), real

    def _real_clip(self, one: Aligned) -> RealClip:
        """The real side of a pair, as distances between corpora see it."""
        height, width = one.pair.truth.pictures.shape[1:3]
        frames = one.described(self.protocol, is_aligned=False).target
        return RealClip(one.pair.truth.utterance.id, (height, width), tuple(frames))

    def _floor(self, name: str, measures: Measures, real: Sequence[RealClip]) -> float | None:
        """Distance between two halves of the real clips, worked out once per metric and clips."""
        metric = measures.corpus[name]
        key = name, frozenset(real)
        if key not in self._floors:
            self._floors[key] = self._new_floor(metric, measures, real)
        return self._floors[key]

    def _new_floor(self, metric: CorpusMetric, measures: Measures, real: Sequence[RealClip]) -> float | None:
        if metric.takes == "inception" and measures.inception is not None:
            corpus, network, count = self.scoring.corpus, measures.inception, self.protocol.inception_frames
            clips = real_features(corpus, [one[:2] for one in real], network, count)
            return real_floor(metric, [one.utterance for one in real], clips)
        described = {one.utterance: self._faces.real_descriptors(one) for one in real}
        known = {utterance: rows for utterance, rows in described.items() if rows is not None}
        return real_floor(metric, list(known), known.values())


def _finished(
    one: Aligned, sides: tuple[Looking, Looking] | str | None, measures: Measures
) -> tuple[Aligned, ClipScore]:
    faces = (sides[0].found(), sides[1].found()) if isinstance(sides, tuple) else sides
    return one, measure(one, measures, faces)


def _bytes(waiting: Iterable[tuple[Aligned, object]]) -> int:
    """Size of the pictures of some pairs."""
    return sum(one.pair.truth.pictures.nbytes + one.pair.made.pictures.nbytes for one, _ in waiting)


def real_features(
    corpus: Reference,
    clips: Iterable[tuple[str, tuple[int, int]]],
    network: InceptionFeatures,
    count: int | None,
) -> Iterator[Tensor]:
    """Features of every real clip, given by its id and the size at which it is scored, float (T, 2048) each."""
    for utterance_id, frame_size in clips:
        levels = load_truth(corpus, utterance_id, frame_size).levels
        yield network(levels[sampled(len(levels), count)])


def fill(
    metric: CorpusMetric,
    folder: Path,
    *,
    corpus: Reference,
    ids: Sequence[str],
    frame_size: tuple[int, int],
    network: InceptionFeatures,
) -> None:
    """Give a metric its real side, from the folder or by making it.

    Raises:
        UserError: the folder cannot be written.
    """
    key = {
        "corpus": corpus.fingerprint,
        "clips": json.dumps(list(ids)),
        "frame_size": json.dumps(frame_size),
        "weights": network.digest,
    }
    clips = [(one, frame_size) for one in ids]
    count = metric.protocol.inception_frames
    try:
        fill_real(metric, folder, key, lambda: real_features(corpus, clips, network, count))
    except OSError as error:
        raise UserError(
            f"features cannot be kept in {folder}: {error.strerror or error}", remedy="Give another features=FOLDER"
        ) from error


def real_floor(metric: CorpusMetric, ids: Sequence[str], clips: Iterable[Tensor]) -> float | None:
    """Distance between two halves of the real clips; None if a half is smaller than the distance needs.

    Args:
        metric: of the kind and the protocol of the distance.
        ids: of the clips.
        clips: features of each.
    """
    kind = type(metric)
    try:
        return floor(lambda: kind(protocol=metric.protocol), ids, clips)
    except NotMeasuredError:
        return None
