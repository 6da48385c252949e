"""The bench: every model at every length, and every system's quality.

Both front doors, pytest and the command line, use it. Models are trained on the spot and kept in the run's folder for
the next time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch

import corpora
import metrics
import models
from benchmarks import latency, systems, timing
from benchmarks.cells import Scored, chosen, chosen_controls, model_names
from benchmarks.config import Bench
from benchmarks.record import Cell, LatencySample, Quality
from benchmarks.scoring.clips import choose
from benchmarks.scoring.scorer import Keep, Scorer, Scoring
from benchmarks.systems import Subject
from corpora.utterance import Corpus
from metrics import protocols
from models.errors import UserError
from models.presets import resolve
from models.registry import short_name
from models.text import Vocabulary
from training.config import TrainingConfig

log = logging.getLogger(__name__)


def pick_device(wanted: str) -> torch.device:
    """Turn "auto" into the GPU where there is one.

    Raises:
        UserError: a GPU is asked for and there is none.
    """
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise UserError("there is no CUDA device here", remedy="Write device=cpu or device=auto")
    return torch.device("cuda" if there and wanted != "cpu" else "cpu")


def training_config(values: dict[str, object]) -> TrainingConfig:
    """Check a training group.

    Raises:
        UserError: a name or a value is not valid.
    """
    return resolve("training", {"base": TrainingConfig()}, "base", values)


def training_name(model: str, preset: str, config: TrainingConfig | None = None) -> str:
    """What a training is called if it was given no name: trainings with other losses never share a folder.

    Args:
        model: a model given as file:Class is called as the class.
        preset: the model's.
        config: the recipe; None: one with the usual losses.
    """
    usual = TrainingConfig().losses
    losses = usual if config is None else config.losses
    return f"{short_name(model)}-{preset}" if losses == usual else f"{short_name(model)}-{preset}-{losses}"


def checkpoint_path(run: Path, name: str) -> Path:
    """Where a run keeps the checkpoint of a training of that name."""
    return run / "train" / name / "last.ckpt"


class Sweep:
    """One bench run.

    Args:
        request: what is asked for.
        progress: whether there is a terminal to draw progress bars on.
    """

    def __init__(self, request: Bench, *, progress: bool) -> None:
        self.request = request
        self.device = pick_device(request.device)
        self.budget = timing.Budget(seconds=request.seconds, least=request.least_rounds, most=request.most_rounds)
        self._progress = progress
        self._subjects: dict[str, Subject] = {}
        self._failed: dict[str, Exception] = {}

    @cached_property
    def corpus(self) -> Corpus:
        """The corpus that models are trained and scored on."""
        return corpora.create(self.request.corpus.name, **self.request.corpus.options)

    def subject(self, model: str) -> Subject:
        """A model ready to be measured: trained now if it can be and is not yet, as it is if it cannot."""
        if model in self._failed:
            raise self._failed[model]
        if model not in self._subjects:
            try:
                self._subjects[model] = self._make_subject(model)
            except Exception as error:
                # the next cell of this model would fail the same way, after as long
                self._failed[model] = error
                raise
        return self._subjects[model]

    def _make_subject(self, model: str) -> Subject:
        request = self.request
        if models.is_trainable(model):
            return systems.trained(self._train(model), model=model, preset=request.preset, device=self.device)
        return systems.untrained(
            model,
            request.preset,
            options=request.options,
            device=self.device,
            vocabulary=Vocabulary(self.corpus.symbols),
        )

    def _train(self, model: str) -> Path:
        from training.fit import train

        request = self.request
        config = training_config(request.training)
        path = checkpoint_path(request.out, training_name(model, request.preset, config))
        log.info("%s (%s) learns %s; kept in %s", model, request.preset, request.corpus.name, path.parent)
        return train(
            model,
            request.preset,
            options=request.options,
            corpus=self.corpus,
            config=config,
            folder=path.parent,
            progress=self._progress,
            device="gpu" if self.device.type == "cuda" else "cpu",
        )

    def latency_cell(self, model: str, frames: int) -> Cell:
        """What timing one model at one length is called."""
        return self._cell("latency", model, frames=frames, batch=self.request.batch, device=self.device.type)

    def quality_cell(self, scored: Scored) -> Cell:
        """What scoring one system is called."""
        return self._cell(
            "quality",
            scored.system,
            role=scored.kind,
            split="test",
            limit=self.request.limit,
            durations=scored.durations,
            protocol=self.request.protocol,
            metrics=None if self.request.metrics == ["all"] else sorted(self.request.metrics),
        )

    def _cell(self, kind: Literal["quality", "latency"], system: str, **asked: Any) -> Cell:
        return Cell(
            kind=kind,
            system=short_name(system),
            preset=self.request.preset,
            options=self.request.options,
            corpus=self.request.corpus.name,
            corpus_options=self.request.corpus.options,
            **asked,
        )

    @cached_property
    def asked(self) -> dict[str, object]:
        """The whole request, for the records."""
        return self.request.model_dump(mode="json")

    def check(self) -> None:
        """Find what cannot work before hours are spent on what can.

        Raises:
            UserError: a name, an option, the corpus or the recipe is not right.
        """
        protocols.get(self.request.protocol)
        chosen_controls(self.request.controls)
        chosen(self.request.metrics, metrics.METRICS)
        training_config(self.request.training)
        for name in model_names(self.request):
            models.check(name, self.request.preset, **self.request.options)
        _ = self.ids

    def prepare_latency(self, model: str, frames: int) -> latency.Prepared:
        """Load, build the input, warm up."""
        subject = self.subject(model)
        assert subject.vocabulary is not None
        request = latency.request_of(
            frames,
            self.request.batch,
            frame_size=subject.frame_size,
            symbols=subject.vocabulary.size,
            device=self.device,
        )
        return latency.prepare(subject, request, device=self.device, budget=self.budget)

    def time(self, model: str, frames: int) -> latency.Latency:
        """Measure one latency cell from start to end."""
        prepared = self.prepare_latency(model, frames)
        samples: list[LatencySample] = [prepared.once() for _ in range(prepared.rounds)]
        return prepared.result(samples, self.corpus.fps)

    def score(self, scored: Scored, advance: Callable[[int], None] = lambda _: None) -> Quality:
        """Measure one quality cell from start to end."""
        keep = Keep(self.request.out, self.quality_cell(scored).key)
        if scored.kind == "control":
            return self.scorer.control(
                scored.system, frame_size=self.frame_size, durations=scored.durations, keep=keep, advance=advance
            )
        return self.scorer.model(
            self.subject(scored.system),
            durations=scored.durations,
            batch=8,
            device=self.device,
            keep=keep,
            advance=advance,
        )

    @cached_property
    def scorer(self) -> Scorer:
        """Scores every system of the sweep on the same clips."""
        return Scorer(
            Scoring(
                corpus=self.corpus,
                corpus_options=self.request.corpus.options,
                ids=self.ids,
                split="test",
                protocol=self.request.protocol,
                metrics=chosen(self.request.metrics, metrics.METRICS),
            )
        )

    def close(self) -> None:
        """End what works in the background."""
        self.scorer.close()

    @cached_property
    def ids(self) -> list[str]:
        """The utterances that are scored."""
        return choose(self.corpus, "test", self.request.limit)

    @cached_property
    def frame_size(self) -> tuple[int, int]:
        """The size at which controls are scored: that of the first model."""
        names = model_names(self.request)
        if not names:
            raise UserError("controls are scored at a model's frame size", remedy="Name at least one model")
        return self.subject(names[0]).frame_size
