"""Scoring: a system's clips against the truth, metric by metric, clip by clip.

Every value of every clip is kept; means and intervals are the reports' business.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

import metrics
from baselines import controls
from benchmarks import record
from benchmarks.systems import Subject, control
from corpora.utterance import Corpus, Split, Utterance
from metrics import protocols
from metrics.clip_metric import ClipMetric
from models.contract import LipRequest
from models.errors import UserError
from models.text import Vocabulary
from training.frames import to_model_size, to_unit

Durations = Literal["true", "predicted"]
STRIP_FRAMES = 12


class Truth(NamedTuple):
    """One utterance at the size at which it is scored."""

    utterance: Utterance
    frames: Tensor
    """float (T, 3, H, W) in [0, 1]."""


class Scoring(NamedTuple):
    """What is scored, and how."""

    corpus: Corpus
    corpus_options: dict[str, object]
    ids: Sequence[str]
    split: Split
    protocol: str
    metrics: Sequence[str]
    durations: Durations
    frame_size: tuple[int, int]


def choose(corpus: Corpus, split: Split, limit: int | None) -> list[str]:
    """The utterances to score: all of a split, or `limit` of them spread evenly over it.

    Raises:
        UserError: the split is empty.
    """
    ids = corpus.ids(split)
    if not ids:
        raise UserError(
            f"the {split} split of {corpus.name} is empty", remedy="Prepare more clips, or choose another split"
        )
    if limit is None or limit >= len(ids):
        return ids
    return [ids[round(i)] for i in np.linspace(0, len(ids) - 1, max(limit, 1))]


def score(
    system: str,
    subject: Subject | None,
    scoring: Scoring,
    *,
    batch: int,
    device: torch.device,
    strip: Path | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> record.Quality:
    """Score one system.

    Args:
        system: a control's name; not read if there is a subject.
        subject: a trained model; None: score the control.
        scoring: what and how.
        batch: clips generated at once.
        device: where the model is.
        strip: file for sample frames, inside a run's `strips` folder; None: none are kept.
        advance: told how many utterances were finished.

    Raises:
        UserError: the model is not trained on this corpus' symbols.
        UnknownNameError: there is no such control.
    """
    if subject is not None:
        return score_model(subject, scoring, batch=batch, device=device, strip=strip, advance=advance)
    return score_control(control(system, scoring.frame_size), scoring, strip=strip, advance=advance)


def score_model(
    subject: Subject,
    scoring: Scoring,
    *,
    batch: int,
    device: torch.device,
    strip: Path | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> record.Quality:
    """Generate every utterance and score it; see `score`."""
    if subject.vocabulary is None:
        raise UserError(f"{subject.system.name} is not trained", remedy="Train it first: lipbench train")
    vocabulary = subject.vocabulary

    def generated() -> Iterator[tuple[Truth, Tensor]]:
        for start in range(0, len(scoring.ids), batch):
            truths = [_truth(scoring, i) for i in scoring.ids[start : start + batch]]
            request = request_of(truths, vocabulary, durations=scoring.durations, device=device)
            clip = subject.model.generate(request)
            for truth, frames, length in zip(truths, clip.frames, clip.lengths.tolist(), strict=True):
                yield truth, frames[:length].cpu()

    return _score(subject.system, scoring, generated(), device=device, strip=strip, advance=advance)


def score_control(
    system: record.System,
    scoring: Scoring,
    *,
    strip: Path | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> record.Quality:
    """Score a control; see `score`."""
    make = controls.get(system.name).make

    def made() -> Iterator[tuple[Truth, Tensor]]:
        for utterance_id in scoring.ids:
            truth = _truth(scoring, utterance_id)
            yield truth, make(truth.frames)

    return _score(system, scoring, made(), device=torch.device("cpu"), strip=strip, advance=advance)


def request_of(
    truths: Sequence[Truth], vocabulary: Vocabulary, *, durations: Durations, device: torch.device
) -> LipRequest:
    """The request for some utterances: their text and first frame (paper §4.3), and their durations if "true"."""
    tokens = [torch.tensor(vocabulary.encode(truth.utterance.tokens)) for truth in truths]
    known = [torch.from_numpy(truth.utterance.durations) for truth in truths]
    return LipRequest(
        tokens=pad_sequence(tokens, batch_first=True).to(device),
        token_lengths=torch.tensor([len(row) for row in tokens], device=device),
        identity=torch.stack([truth.frames[0] for truth in truths]).to(device),
        durations=pad_sequence(known, batch_first=True).to(device) if durations == "true" else None,
    )


def _truth(scoring: Scoring, utterance_id: str) -> Truth:
    utterance = scoring.corpus.load(utterance_id)
    return Truth(utterance, to_unit(to_model_size(utterance.frames, scoring.frame_size)))


def _score(
    system: record.System,
    scoring: Scoring,
    pairs: Iterator[tuple[Truth, Tensor]],
    *,
    device: torch.device,
    strip: Path | None,
    advance: Callable[[int], None],
) -> record.Quality:
    measures = {name: metrics.create(name, protocol=scoring.protocol) for name in scoring.metrics}
    shown = set(scoring.ids[:1]) | set(scoring.ids[-1:])
    scores: list[record.ClipScore] = []
    samples: dict[str, tuple[Truth, Tensor]] = {}
    for truth, made in pairs:
        values = {name: float(measure.per_clip(made, truth.frames)) for name, measure in measures.items()}
        # a metric that has no value for a clip (the motion ratio of a still truth) says NaN: no value is kept
        values = {name: value for name, value in values.items() if not math.isnan(value)}
        utterance = truth.utterance
        scores.append(
            record.ClipScore(
                utterance=utterance.id,
                speaker=utterance.speaker,
                text=utterance.text,
                frames=len(truth.frames),
                generated_frames=len(made),
                values=values,
            )
        )
        if utterance.id in shown:
            samples[utterance.id] = truth, made
        advance(1)
    if strip is not None:
        _save_strip(strip, [samples[i] for i in scoring.ids if i in samples])
    protocol = protocols.get(scoring.protocol)
    return record.Quality(
        system=system,
        corpus=record.Corpus(
            name=scoring.corpus.name,
            fingerprint=scoring.corpus.fingerprint,
            options=scoring.corpus_options,
            split=scoring.split,
            clips=len(scores),
        ),
        protocol=record.Protocol(name=protocol.name, fingerprint=protocol.fingerprint, summary=protocol.summary),
        durations=scoring.durations,
        device=device.type,
        metrics=[facts(name, measure) for name, measure in measures.items()],
        clips=scores,
        strip=None if strip is None else f"{strip.parent.name}/{strip.name}",
    )


def facts(name: str, metric: ClipMetric) -> record.MetricFacts:
    """What a record says of a metric."""
    return record.MetricFacts(name=name, title=metric.title, unit=metric.unit, higher_is_better=metric.higher_is_better)


def _save_strip(path: Path, samples: Sequence[tuple[Truth, Tensor]]) -> None:
    """Keep evenly spaced frames of some clips, the same frame numbers of truth and generation."""
    tensors: dict[str, NDArray[np.uint8]] = {}
    notes: dict[str, str] = {}
    for number, (truth, made) in enumerate(samples):
        common = min(len(made), len(truth.frames))
        numbers = np.linspace(0, common - 1, min(STRIP_FRAMES, common)).round().astype(int)
        for side, frames in (("truth", truth.frames), ("generated", made)):
            picked = (frames[numbers].clamp(0, 1) * 255).round().to(torch.uint8)
            tensors[f"{number}/{side}"] = np.ascontiguousarray(picked.permute(0, 2, 3, 1).numpy())
        notes[f"{number}/text"] = truth.utterance.text
        notes[f"{number}/id"] = truth.utterance.id
        notes[f"{number}/frame_numbers"] = ",".join(str(n) for n in numbers)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    save_file(tensors, temporary, metadata=notes)
    temporary.replace(path)
