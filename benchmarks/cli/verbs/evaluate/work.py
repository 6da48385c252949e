"""`lipbench evaluate`: score a trained model and the controls on a corpus."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

import torch

from lipbench import corpora, metrics, models
from lipbench.benchmarks.cells import loading
from lipbench.benchmarks.cells.environment import pick_device
from lipbench.benchmarks.cells.loading import LoadedModel
from lipbench.benchmarks.cells.plan import quality_cell, resolve_control_names
from lipbench.benchmarks.cells.runner import run_cell
from lipbench.benchmarks.cli.console import quality_line, quality_lines, raise_on_failures
from lipbench.benchmarks.cli.progress import show_progress
from lipbench.benchmarks.cli.verbs.evaluate import EvaluateRequest
from lipbench.benchmarks.scoring.clips import Durations, choose_utterances
from lipbench.benchmarks.scoring.scorer import SampleOptions, Scorer, scoring_for
from lipbench.corpora.utterance import Corpus
from lipbench.locks import hold
from lipbench.metrics import protocols
from lipbench.models.text import Vocabulary
from lipbench.records.files import record_path
from lipbench.records.quality import Quality
from lipbench.records.record import Cell, Record
from lipbench.records.run_folder import checkpoint_path
from lipbench.registry import resolve_names, short_name
from lipbench.training.naming import training_name

log = logging.getLogger(__name__)


def run(request: EvaluateRequest) -> None:
    """Score, and print one line per cell."""
    resolve_names(request.metrics, metrics.METRICS)
    protocols.get(request.protocol)
    beside = resolve_control_names(request.controls)
    device = pick_device(request.device)
    corpus = corpora.create(request.corpus.name, **request.corpus.options)
    subject = _load_model(request, corpus, device)
    ids = choose_utterances(corpus, request.split, request.limit)
    scoring = scoring_for(request, corpus, ids, split=request.split, corpus_options=request.corpus.options)
    records: list[Record] = []
    with hold(claims(request)), Scorer(scoring) as scorer:
        evaluation = _Evaluation(request, scorer, subject, device)
        for durations in request.durations:
            for system in (request.model, *beside):
                records.append(evaluation.score(system, durations))
                # of controls, which have the truth's own timing, there is nothing to account for
                describe = quality_lines if system == request.model else quality_line
                print(describe(records[-1]), flush=True)
    print(f"records: {request.out / 'records'}   (lipbench report {request.out})")
    raise_on_failures(records)


def claims(request: EvaluateRequest) -> list[Path]:
    """The model's records. A control's scores do not depend on the run, so its records are shared."""
    return [record_path(_cell(request, request.model, durations), request.out) for durations in request.durations]


def _cell(request: EvaluateRequest, system: str, durations: Durations) -> Cell:
    return quality_cell(
        system,
        role="model" if system == request.model else "control",
        preset=request.preset,
        options=request.options,
        checkpoint=None if _named_checkpoint(request) is None else str(_named_checkpoint(request)),
        corpus=request.corpus.name,
        corpus_options=request.corpus.options,
        split=request.split,
        limit=request.limit,
        durations=durations,
        protocol=request.protocol,
        metrics=request.metrics,
    )


def _load_model(request: EvaluateRequest, corpus: Corpus, device: torch.device) -> LoadedModel:
    """The model: from its checkpoint, or as it is if it is one that does not learn."""
    if request.checkpoint is None and not models.is_trainable(request.model):
        return loading.build_untrained(
            request.model, request.preset, options=request.options, device=device, vocabulary=Vocabulary(corpus.symbols)
        )
    path = _named_checkpoint(request) or checkpoint_path(request.out, training_name(request.model, request.preset))
    subject = loading.load_trained(path, model=request.model, preset=request.preset, device=device)
    learned = subject.system.training
    if learned is not None and learned.corpus_fingerprint != corpus.fingerprint:
        log.warning(
            "%s has learned from another corpus than it is scored on: from %s %s, not %s %s",
            *(request.model, learned.corpus, learned.corpus_fingerprint[:8], corpus.name, corpus.fingerprint[:8]),
        )
    return subject


def _named_checkpoint(request: EvaluateRequest) -> Path | None:
    """The checkpoint that the request names, if it names one."""
    if request.checkpoint is not None or request.name is None:
        return request.checkpoint
    return checkpoint_path(request.out, request.name)


class _Evaluation:
    """One run of the verb."""

    def __init__(self, request: EvaluateRequest, scorer: Scorer, subject: LoadedModel, device: torch.device) -> None:
        self.request = request
        self.scorer = scorer
        self.subject = subject
        self.device = device
        self._asked = request.model_dump(mode="json")
        # durations change nothing of a control, which may then take as long as a model to score
        self._control = cache(self._score_control)

    def score(self, system: str, durations: Durations) -> Record:
        """Score one system under a progress bar, and record it."""
        request = self.request
        is_model = system == request.model
        cell = _cell(request, system, durations)
        keep = SampleOptions(request.out, cell.key, clips=request.keep_clips and is_model)

        def measure() -> Quality:
            return self._score_model(durations, keep) if is_model else self._restated(system, durations)

        return run_cell(cell, request.out, measure, request=self._asked)

    def _score_model(self, durations: Durations, keep: SampleOptions) -> Quality:
        title = f"{short_name(self.request.model)}, {durations} durations"
        with show_progress(title, len(self.scorer.scoring.ids)) as shown:
            return self.scorer.model(
                self.subject,
                durations=durations,
                batch=self.request.batch,
                device=self.device,
                keep=keep,
                on_progress=shown.on_progress,
            )

    def _restated(self, system: str, durations: Durations) -> Quality:
        """A control's result as one of these durations: what says nothing of a model's timing is left out of both."""
        return self._control(system).model_copy(update={"durations": durations})

    def _score_control(self, system: str) -> Quality:
        keep = SampleOptions(
            self.request.out, f"control-{system}-{self.subject.frame_size[0]}x{self.subject.frame_size[1]}"
        )
        with show_progress(system, len(self.scorer.scoring.ids)) as shown:
            return self.scorer.control(
                system, frame_size=self.subject.frame_size, durations="true", keep=keep, on_progress=shown.on_progress
            )
