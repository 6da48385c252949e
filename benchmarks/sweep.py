"""The bench: every model at every length, and every system's quality.

Both front doors, pytest and the command line, use it. Models are trained on the spot and kept in the run's folder for
the next time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from lipbench import corpora, metrics, models
from lipbench.benchmarks import latency, timing
from lipbench.benchmarks.cells import environment, loading
from lipbench.benchmarks.cells.environment import pick_device
from lipbench.benchmarks.cells.loading import Subject
from lipbench.benchmarks.cells.plan import Scored, Timed, chosen_controls, model_names, variant_names
from lipbench.benchmarks.config.requests import Bench
from lipbench.benchmarks.latency import resources
from lipbench.benchmarks.latency.natural import time_natural
from lipbench.benchmarks.scoring.clips import choose
from lipbench.benchmarks.scoring.scorer import Keep, Scorer, Scoring
from lipbench.corpora.utterance import Corpus
from lipbench.errors import UserError
from lipbench.metrics import protocols
from lipbench.models.contract import LipRequest
from lipbench.models.text import Vocabulary
from lipbench.records.files import load_record, record_path
from lipbench.records.latency import EAGER, Latency, LatencySample, Natural, Timer
from lipbench.records.quality import Quality
from lipbench.records.record import Cell, Record
from lipbench.registry import chosen, is_path, short_name
from lipbench.training.folders import checkpoint_path, training_config, training_name

log = logging.getLogger(__name__)

_FREE = {"again": None, "passes": None, "out": None, "models": None, "frames": None, "variants": None, "natural": None}
"""Options that change which cells are measured and how often, and nothing about one pass of a cell."""


class Sweep:
    """One bench run.

    Args:
        request: what is asked for.
        progress: whether there is a terminal to draw progress bars on.
    """

    def __init__(self, request: Bench, *, progress: bool) -> None:
        self.request = request
        self.device = pick_device(request.device)
        self.turns = timing.Turns.agreed()
        self.budget = timing.Budget(seconds=request.seconds, least=request.least_rounds, most=request.most_rounds)
        self._progress = progress
        self._subjects: dict[str, Subject] = {}
        self._failed: dict[str, Exception] = {}
        self._load_s: dict[str, float] = {}

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
        path = self._train(model) if models.is_trainable(model) and request.weights == "trained" else None
        loaded: list[Subject] = []
        sample = timing.Stopwatch(self.device).time(lambda: loaded.append(self._load(model, path)))
        self._load_s[model] = sample.wall_s
        return loaded[0]

    def _load(self, model: str, path: Path | None) -> Subject:
        request = self.request
        if path is not None:
            return loading.trained(path, model=model, preset=request.preset, device=self.device)
        vocabulary = Vocabulary(self.corpus.symbols)
        sized = {"vocabulary_size": vocabulary.size} if models.is_trainable(model) else {}
        return loading.untrained(
            model,
            request.preset,
            options={**sized, **request.options},
            device=self.device,
            vocabulary=vocabulary,
        )

    def _train(self, model: str) -> Path:
        from lipbench.training.fit import train

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

    def latency_cell(self, timed: Timed) -> Cell:
        """What timing one model at one length is called."""
        return self._cell(
            "latency",
            timed.model,
            frames=timed.frames,
            batch=self.request.batch,
            device=self.device.type,
            variant=None if timed.variant == EAGER else timed.variant,
        )

    def natural_cell(self, model: str, timer: Timer) -> Cell:
        """What timing one model on the test clips is called."""
        return self._cell(
            "natural", model, split="test", limit=self.request.limit, batch=1, device=self.device.type, timer=timer
        )

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

    def _cell(self, kind: Literal["quality", "latency", "natural"], system: str, **asked: Any) -> Cell:
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
        variant_names(self.request)
        self._check_weights()
        for name in model_names(self.request):
            models.check(name, self.request.preset, **self.request.options)
        _ = self.ids

    def _check_weights(self) -> None:
        if self.request.weights == "trained":
            return
        for option, wanted in (("quality", self.request.quality), ("natural", self.request.natural)):
            if wanted:
                raise UserError(
                    f"weights=random says nothing of {option}", remedy="Write quality=false natural=[] beside it"
                )

    def request_of(self, timed: Timed) -> LipRequest:
        """A cell's input, on the device."""
        subject = self.subject(timed.model)
        assert subject.vocabulary is not None
        return latency.request_of(
            timed.frames,
            self.request.batch,
            frame_size=subject.frame_size,
            symbols=subject.vocabulary.size,
            device=self.device,
        )

    def prepare_latency(self, timed: Timed) -> latency.Prepared:
        """Load, build the input, warm up."""
        return latency.prepare(
            self.subject(timed.model),
            self.request_of(timed),
            device=self.device,
            budget=self.budget,
            variant=timed.variant,
            turns=self.turns,
        )

    def train(self, names: Sequence[str]) -> None:
        """Train what is not yet, so that no measuring process has to; a failure is that of its cells, later."""
        for name in dict.fromkeys(names):
            if self.request.weights == "trained" and name not in self._failed and models.is_trainable(name):
                try:
                    self._train(name)
                except Exception as error:
                    self._failed[name] = error

    def holds(self, record: Record) -> bool:
        """Whether a latency record of an earlier run is of the same request, code and machine as this run's.

        Models of others (files and plug-ins) are never taken to be what they were.
        """
        asked = next((name for name in model_names(self.request) if short_name(name) == record.cell.system), "")
        if is_path(asked) or not models.MODELS.origin(asked).startswith(("lipbench.models.", "lipbench.baselines.")):
            return False
        return (
            environment.same_code(record.software)
            and record.machine == environment.machine()
            and {**record.request, **_FREE} == {**self.asked, **_FREE}
        )

    def time(self, timed: Timed, *, later: bool = False) -> Latency:
        """Measure one latency cell from start to end.

        Args:
            timed: which.
            later: whether a pass before has measured already what has passes of its own.
        """
        prepared = self.prepare_latency(timed)
        return self.finish(prepared, timed, [prepared.once() for _ in range(prepared.rounds)], later=later)

    def finish(
        self, prepared: latency.Prepared, timed: Timed, samples: list[LatencySample], *, later: bool = False
    ) -> Latency:
        """Turn a cell's samples into its result; the first pass also measures what has passes of its own."""
        load_s = self._load_s.pop(timed.model, None)  # a later cell finds the model loaded
        result = prepared.result(samples, self.corpus.fps, load_s=load_s)
        return result if later else resources.added(result, prepared, self.request, timed)

    def natural(self, model: str, timer: Timer) -> Natural:
        """Time a model on the test clips, and compare what it makes with what was scored, if it was."""
        cell = self.quality_cell(Scored(model, "model", "predicted"))
        path = record_path(cell, self.request.out)
        kept = load_record(path).result if path.is_file() else None
        folder = kept.generated if isinstance(kept, Quality) else None
        subject = self.subject(model)
        if isinstance(kept, Quality) and kept.system.checkpoint != subject.system.checkpoint:
            folder = None  # clips of other weights are not what is timed
        return time_natural(
            subject,
            self.corpus,
            self.ids,
            timer=timer,
            device=self.device,
            budget=self.budget,
            scored=None if folder is None else self.request.out / folder,
            scored_as=cell.key,
        )

    def score(self, scored: Scored, advance: Callable[[int], None] = lambda _: None) -> Quality:
        """Measure one quality cell from start to end."""
        # natural timing compares its clips with those that were scored, so these must be there
        keep = Keep(self.request.out, self.quality_cell(scored).key, clips=bool(self.request.natural))
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
