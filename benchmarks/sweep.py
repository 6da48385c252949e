"""The bench: every model at every length, and every system's quality.

Both front doors, pytest and the command line, use it. Models are trained on the spot and kept in the run's folder for
the next time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cached_property

from lipbench import metrics, models
from lipbench.benchmarks import latency, timing
from lipbench.benchmarks.cells import environment
from lipbench.benchmarks.cells.environment import pick_device
from lipbench.benchmarks.cells.loading import LoadedModel, ModelLoader
from lipbench.benchmarks.cells.plan import (
    LatencyTask,
    QualityTask,
    model_names,
    quality_task_cell,
    resolve_control_names,
    variant_names,
)
from lipbench.benchmarks.config.requests import BenchRequest
from lipbench.benchmarks.latency import resources
from lipbench.benchmarks.latency.natural import time_utterances
from lipbench.benchmarks.scoring.clips import choose_utterances
from lipbench.benchmarks.scoring.scorer import SampleOptions, Scorer, scoring_for
from lipbench.corpora.utterance import Corpus
from lipbench.errors import UserError
from lipbench.metrics import protocols
from lipbench.records.files import load_record, record_path
from lipbench.records.latency import Latency, LatencySample, Timer, UtteranceLatency
from lipbench.records.quality import Quality
from lipbench.records.record import Record
from lipbench.registry import is_path, resolve_names, short_name
from lipbench.training.naming import training_config

log = logging.getLogger(__name__)

_OPTIONS_WITHOUT_EFFECT = {
    "again": None,
    "passes": None,
    "out": None,
    "models": None,
    "frames": None,
    "variants": None,
    "natural": None,
}
"""Options that change which cells are measured and how often, and nothing about one pass of a cell."""


class Sweep:
    """One bench run.

    Args:
        request: what is asked for.
        progress: whether there is a terminal to draw progress bars on.
    """

    def __init__(self, request: BenchRequest, *, progress: bool) -> None:
        self.request = request
        self.device = pick_device(request.device)
        self.turns = timing.TurnClient.from_environment()
        self.budget = timing.Budget(seconds=request.seconds, least=request.least_rounds, most=request.most_rounds)
        self.loader = ModelLoader(request, self.device, progress)
        self._subjects: dict[str, LoadedModel] = {}
        self._failed: dict[str, Exception] = {}
        self._load_s: dict[str, float] = {}

    @property
    def corpus(self) -> Corpus:
        """The corpus that models are trained and scored on."""
        return self.loader.corpus

    def loaded_model(self, model: str) -> LoadedModel:
        """A model ready to be measured: trained now if it can be and is not yet, as it is if it cannot."""
        if model in self._failed:
            raise self._failed[model]
        if model not in self._subjects:
            try:
                self._subjects[model] = self._prepare_model(model)
            except Exception as error:
                # the next cell of this model would fail the same way, after as long
                self._failed[model] = error
                raise
        return self._subjects[model]

    def _prepare_model(self, model: str) -> LoadedModel:
        path = self.loader.checkpoint(model)
        subjects: list[LoadedModel] = []
        sample = timing.Stopwatch(self.device).time(lambda: subjects.append(self.loader.load(model, path)))
        self._load_s[model] = sample.wall_s
        return subjects[0]

    @cached_property
    def request_fields(self) -> dict[str, object]:
        """The whole request, for the records."""
        return self.request.model_dump(mode="json")

    def check(self) -> None:
        """Check the request before any long work starts.

        Raises:
            UserError: a name, an option, the corpus or the recipe is not right.
        """
        protocols.get(self.request.protocol)
        resolve_control_names(self.request.controls)
        resolve_names(self.request.metrics, metrics.METRICS)
        training_config(self.request.training)
        variant_names(self.request)
        self._check_weights()
        for name in model_names(self.request):
            models.check(name, self.request.preset, **self.request.options)
        _ = self.ids

    def _check_weights(self) -> None:
        if self.request.weights == "trained":
            return
        for option, is_requested in (("quality", self.request.quality), ("natural", self.request.natural)):
            if is_requested:
                raise UserError(
                    f"weights=random says nothing of {option}", remedy="Write quality=false natural=[] beside it"
                )

    def prepare_latency(self, task: LatencyTask) -> latency.PreparedCell:
        """Load, build the input, warm up."""
        subject = self.loaded_model(task.model)
        return latency.prepare_cell(
            subject,
            latency.request_for(subject, task.frames, self.request.batch, device=self.device),
            device=self.device,
            budget=self.budget,
            variant=task.variant,
            turns=self.turns,
        )

    def train(self, names: Sequence[str]) -> None:
        """Train what is not yet, so that no measuring process has to; a failure is that of its cells, later."""
        for name in dict.fromkeys(names):
            if name not in self._failed:
                try:
                    self.loader.checkpoint(name)
                except Exception as error:
                    self._failed[name] = error

    def is_current(self, record: Record) -> bool:
        """Whether a latency record of an earlier run is of the same request, code and machine as this run's.

        Models of others (files and plug-ins) are never taken to be what they were.
        """
        model_name = next((name for name in model_names(self.request) if short_name(name) == record.cell.system), "")
        if is_path(model_name) or not models.MODELS.origin(model_name).startswith(
            ("lipbench.models.", "lipbench.baselines.")
        ):
            return False
        return (
            environment.same_code(record.software)
            and record.machine == environment.machine()
            and {**record.request, **_OPTIONS_WITHOUT_EFFECT} == {**self.request_fields, **_OPTIONS_WITHOUT_EFFECT}
        )

    def time(self, task: LatencyTask, *, later: bool = False) -> Latency:
        """Measure one latency cell from start to end.

        Args:
            task: which.
            later: whether a pass before has measured already what has passes of its own.
        """
        prepared_cell = self.prepare_latency(task)
        return self.finish(
            prepared_cell, task, [prepared_cell.take_sample() for _ in range(prepared_cell.rounds)], later=later
        )

    def finish(
        self,
        prepared_cell: latency.PreparedCell,
        task: LatencyTask,
        samples: list[LatencySample],
        *,
        later: bool = False,
    ) -> Latency:
        """Turn a cell's samples into its result; the first pass also measures what has passes of its own."""
        load_s = self._load_s.pop(task.model, None)  # a later cell finds the model loaded
        result = prepared_cell.result(samples, self.corpus.fps, load_s=load_s)
        if later:
            return result
        return resources.measure_resources(
            result,
            prepared_cell,
            self.loader,
            task,
            memory=self.request.memory,
            energy=self.request.energy,
            floors=self.request.floors,
        )

    def time_utterances(self, model: str, timer: Timer) -> UtteranceLatency:
        """Time a model on the test clips, and compare what it makes with what was scored, if it was."""
        cell = quality_task_cell(self.request, QualityTask(model, "model", "predicted"))
        path = record_path(cell, self.request.out)
        scored_result = load_record(path).result if path.is_file() else None
        folder = scored_result.generated if isinstance(scored_result, Quality) else None
        loaded_model = self.loaded_model(model)
        if isinstance(scored_result, Quality) and scored_result.system.checkpoint != loaded_model.system.checkpoint:
            folder = None  # clips of other weights are not what is timed
        return time_utterances(
            loaded_model,
            self.corpus,
            self.ids,
            timer=timer,
            device=self.device,
            budget=self.budget,
            clip_folder=None if folder is None else self.request.out / folder,
            scored_as=cell.key,
        )

    def score(self, task: QualityTask, on_progress: Callable[[int], None] = lambda _: None) -> Quality:
        """Measure one quality cell from start to end."""
        # natural timing compares its clips with those that were scored, so these must be there
        keep = SampleOptions(
            self.request.out, quality_task_cell(self.request, task).key, clips=bool(self.request.natural)
        )
        if task.kind == "control":
            return self.scorer.control(
                task.system, frame_size=self.frame_size, durations=task.durations, keep=keep, on_progress=on_progress
            )
        return self.scorer.model(
            self.loaded_model(task.system),
            durations=task.durations,
            batch=8,
            device=self.device,
            keep=keep,
            on_progress=on_progress,
        )

    @cached_property
    def scorer(self) -> Scorer:
        """Scores every system of the sweep on the same clips."""
        return Scorer(
            scoring_for(self.request, self.corpus, self.ids, split="test", corpus_options=self.request.corpus.options)
        )

    def close(self) -> None:
        """End the worker processes."""
        self.scorer.close()

    @cached_property
    def ids(self) -> list[str]:
        """The utterances that are scored."""
        return choose_utterances(self.corpus, "test", self.request.limit)

    @cached_property
    def frame_size(self) -> tuple[int, int]:
        """The size at which controls are scored: that of the first model."""
        names = model_names(self.request)
        if not names:
            raise UserError("controls are scored at a model's frame size", remedy="Name at least one model")
        return self.loaded_model(names[0]).frame_size
