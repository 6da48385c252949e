"""`lipbench evaluate`: score a trained model and the controls on a corpus."""

from __future__ import annotations

import statistics

import torch

import corpora
import metrics
import models
from baselines import controls
from benchmarks import evaluation, systems
from benchmarks.cells import chosen
from benchmarks.config import Evaluate
from benchmarks.progress import bar
from benchmarks.record import Cell, Quality, Record
from benchmarks.runner import run_cell
from benchmarks.sweep import checkpoint_path, pick_device
from benchmarks.systems import Subject
from corpora.utterance import Corpus
from metrics import protocols
from models.errors import UserError
from models.registry import short_name
from models.text import Vocabulary


def run(request: Evaluate) -> None:
    """Score, and print one line per cell."""
    models.check(request.model, request.preset, **request.options)
    measured = chosen(request.metrics, metrics.METRICS)
    protocols.get(request.protocol)
    for name in request.controls:
        controls.get(name)
    device = pick_device(request.device)
    corpus = corpora.create(request.corpus.name, **request.corpus.options)
    subject = _subject(request, corpus, device)
    ids = evaluation.choose(corpus, request.split, request.limit)
    records: list[Record] = []
    for durations in request.durations:
        scoring = evaluation.Scoring(
            corpus=corpus,
            corpus_options=request.corpus.options,
            ids=ids,
            split=request.split,
            protocol=request.protocol,
            metrics=measured,
            durations=durations,
            frame_size=subject.frame_size,
        )
        for system in (request.model, *request.controls):
            records.append(_score(request, system, subject if system == request.model else None, scoring, device))
            print(describe(records[-1]), flush=True)
    print(f"records: {request.out / 'records'}   (lipbench report {request.out})")
    refuse_failures(records)


def _subject(request: Evaluate, corpus: Corpus, device: torch.device) -> Subject:
    """The model: from its checkpoint, or as it is if it is one that does not learn."""
    if request.checkpoint is None and not models.is_trainable(request.model):
        return systems.untrained(
            request.model, request.preset, options=request.options, device=device, vocabulary=Vocabulary(corpus.symbols)
        )
    path = request.checkpoint or checkpoint_path(request.out, request.model, request.preset)
    return systems.trained(path, model=request.model, preset=request.preset, device=device)


def _score(
    request: Evaluate, system: str, subject: Subject | None, scoring: evaluation.Scoring, device: torch.device
) -> Record:
    """Score one system under a progress bar, and record it."""
    cell = Cell(
        kind="quality",
        system=short_name(system),
        role="control" if subject is None else "model",
        preset=request.preset,
        options=request.options,
        checkpoint=None if request.checkpoint is None else str(request.checkpoint),
        corpus=request.corpus.name,
        corpus_options=request.corpus.options,
        split=request.split,
        limit=request.limit,
        durations=scoring.durations,
        protocol=request.protocol,
    )
    strip = request.out / "strips" / f"{cell.key}.safetensors"
    with bar(f"{cell.system}, {scoring.durations} durations", len(scoring.ids)) as shown:

        def measure() -> Quality:
            return evaluation.score(
                system, subject, scoring, batch=request.batch, device=device, strip=strip, advance=shown.advance
            )

        return run_cell(cell, request.out, measure, request=request.model_dump(mode="json"))


def refuse_failures(records: list[Record]) -> None:
    """End with an error if cells failed: their records are kept, and say why.

    Raises:
        UserError: some did.
    """
    failed = [record for record in records if record.failure]
    if failed:
        named = "; ".join(f"{record.cell.key}: {record.failure.message}" for record in failed if record.failure)
        raise UserError(
            f"{len(failed)} of {len(records)} cells failed ({named})", remedy="Mend the cause and run it again"
        )


def describe(record: Record) -> str:
    """One quality record as a line of text."""
    head = f"{record.cell.system:<16} {record.cell.durations or '':<10}"
    if record.failure is not None:
        return f"{head} failed: {record.failure.type}: {record.failure.message}"
    assert isinstance(record.result, Quality)
    means: list[str] = []
    for facts in record.result.metrics:
        values = record.result.values(facts.name)
        means.append(
            f"{facts.title} {statistics.fmean(values):.3f} {facts.unit}".rstrip() if values else f"{facts.title} –"
        )
    return f"{head} {len(record.result.clips)} clips   {'   '.join(means)}"
