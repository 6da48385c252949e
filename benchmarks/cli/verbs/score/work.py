"""`lipbench score`: score clips that are there already, without a model: a run's own, or another system's videos."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

from lipbench import metrics
from lipbench.benchmarks.cells.environment import pick_device
from lipbench.benchmarks.cells.loading import control_system
from lipbench.benchmarks.cells.plan import metrics_key, quality_cell, resolve_control_names
from lipbench.benchmarks.cells.runner import run_cell
from lipbench.benchmarks.cli.console import first_names, quality_line, quality_lines, raise_on_failures
from lipbench.benchmarks.cli.progress import show_progress
from lipbench.benchmarks.cli.verbs.score import ScoreRequest
from lipbench.benchmarks.scoring.clips import Durations, make_control_clips
from lipbench.benchmarks.scoring.files import read_saved_pairs
from lipbench.benchmarks.scoring.saved_clips import SavedResult, SystemGroup, find_saved_results, keys_without_clips
from lipbench.benchmarks.scoring.scorer import SampleOptions, Scorer, scoring_for
from lipbench.benchmarks.scoring.videos import CORPUS_NAME, GeneratedVideos, ReferenceVideos, find_videos, match_names
from lipbench.errors import UserError
from lipbench.metrics import protocols
from lipbench.records.quality import Quality
from lipbench.records.record import Cell, Record
from lipbench.records.system import System
from lipbench.registry import resolve_names

ALL_VIDEOS = "all"
"""The split of video files."""


def run(request: ScoreRequest) -> None:
    """Score, and print one line per cell and what was left out."""
    resolve_names(request.metrics, metrics.METRICS)
    resolve_control_names(request.controls or [])
    protocols.get(request.protocol)
    folders = _form(request)
    if request.run is not None:
        out = request.out or request.run
        records = _score_run(request, request.run, out)
    else:
        out = request.out or Path("runs") / CORPUS_NAME
        generated, reference = folders
        records = _score_videos(request, generated, reference, out)
    print(f"records: {out / 'records'}   (lipbench report {out})")
    raise_on_failures(records)


def _form(request: ScoreRequest) -> list[Path]:
    """The folders of videos to score, generated and reference; none for a run.

    Raises:
        UserError: half a form, both forms, or an option of the other form, by its name.
    """
    folders = {name: path for name in ("generated", "reference") if (path := getattr(request, name)) is not None}
    if request.run is None and len(folders) < 2:
        raise UserError("score needs run, or generated and reference", remedy="See lipbench score --help")
    of_videos = {"title": None, "durations": "predicted", "resize": False, "ignore_rates": False}
    given = [*folders, *(name for name, default in of_videos.items() if getattr(request, name) != default)]
    if request.run is not None and given:
        raise UserError(f"scoring a run again takes no {given[0]}=", remedy=f"Leave out {given[0]}=, or run=")
    return list(folders.values())


def _score_run(request: ScoreRequest, run_: Path, out: Path) -> list[Record]:
    """Score the clips that a run kept, and controls beside them."""
    groups = find_saved_results(run_)
    for key in keys_without_clips(run_, groups):
        print(f"not scored again, as no clips of it were kept: {key}")
    records: list[Record] = []
    for group in groups:
        cell, result, _ = group.systems[0]
        scoring = scoring_for(
            request, group.corpus(), group.ids, split=result.corpus.split, corpus_options=cell.corpus_options
        )
        with Scorer(scoring) as scorer:
            for record in _RunScoring(request, out, scorer, group).records():
                records.append(record)
                print((quality_lines if record.cell.role == "model" else quality_line)(record), flush=True)
    return records


class _RunScoring:
    """Scores one group of a run again."""

    def __init__(self, request: ScoreRequest, out: Path, scorer: Scorer, group: SystemGroup) -> None:
        self._request = request
        self._out = out
        self._scorer = scorer
        self._group = group
        self._device = pick_device(request.device)
        # durations change nothing of a control, so it is scored once for both
        self._control = cache(self._score_control)

    def records(self) -> Iterator[Record]:
        """Score the systems, then the controls in each condition that the systems were scored in."""
        request, asked = self._request, self._request.model_dump(mode="json")
        controls = self._group.controls if request.controls is None else resolve_control_names(request.controls)
        for size, systems in self._group.sizes():
            for one in systems:
                cell = self._cell(one.cell)
                yield run_cell(cell, self._out, partial(self._score, one, cell), request=asked)
            conditions: dict[Durations, SavedResult] = {one.result.durations: one for one in systems}
            for durations, one in conditions.items():
                for name in controls:
                    cell = self._cell(one.cell).model_copy(update={"system": name, "role": "control"})
                    yield run_cell(cell, self._out, partial(self._restated, name, size, durations), request=asked)

    def _cell(self, cell: Cell) -> Cell:
        return cell.model_copy(
            update={"protocol": self._request.protocol, "metrics": metrics_key(self._request.metrics)}
        )

    def _score(self, one: SavedResult, cell: Cell) -> Quality:
        before = one.result
        with show_progress(f"{before.system.title}, {before.durations} durations", len(self._group.ids)) as shown:
            found = self._scorer.pairs(
                before.system,
                read_saved_pairs(one.folder, self._scorer.scoring.corpus, before.system.frame_size),
                durations=before.durations,
                device=self._device,
                keep=SampleOptions(self._out, cell.key),
                on_progress=shown.on_progress,
            )
        # in another run's folder the clips are not
        kept = before.generated if before.generated and (self._out / before.generated).is_dir() else None
        return found.model_copy(update={"device": before.device, "left_out": before.left_out, "generated": kept})

    def _restated(self, name: str, size: tuple[int, int] | None, durations: Durations) -> Quality:
        return self._control(name, size).model_copy(update={"durations": durations})

    def _score_control(self, name: str, size: tuple[int, int] | None) -> Quality:
        scoring = self._scorer.scoring
        with show_progress(name, len(scoring.ids)) as shown:
            return self._scorer.pairs(
                control_system(name, size),
                make_control_clips(name, scoring.corpus, scoring.ids, frame_size=size),
                durations="true",
                device=self._device,
                keep=SampleOptions(self._out, f"control-{name}-{size[0]}x{size[1]}" if size else f"control-{name}"),
                on_progress=shown.on_progress,
            )


def _score_videos(request: ScoreRequest, generated: Path, reference: Path, out: Path) -> list[Record]:
    """Score another system's videos, and controls on the same clips."""
    made, real = find_videos(generated), find_videos(reference)
    for folder in (made, real):
        if folder.others:
            print(f"{folder.path}: {len(folder.others)} files are not named as videos: {first_names(folder.others)}")
    matched = match_names(made, real)
    videos = ReferenceVideos(real)
    name = generated.resolve().name
    system = System(
        name=name,
        title=request.title or name,
        kind="model",
        options={option: True for option in ("resize", "ignore_rates") if getattr(request, option)},
        videos=made.digest,
    )
    others = GeneratedVideos(made.files, videos, matched, resize=request.resize, ignore_rates=request.ignore_rates)
    options: dict[str, object] = {"reference": str(reference)}
    with Scorer(scoring_for(request, videos, matched.ids, split=ALL_VIDEOS, corpus_options=options)) as scorer:
        scoring = _VideoScoring(request, out, scorer, others)
        records = [scoring.system(system, generated)]
        first = records[0].result
        print(quality_lines(records[0]), flush=True)
        if isinstance(first, Quality):
            for control_name in resolve_control_names(request.controls or []):
                records.append(scoring.control(control_name, [clip.utterance for clip in first.clips]))
                print(quality_line(records[-1]), flush=True)
    return records


class _VideoScoring:
    """Scores videos, and controls beside them."""

    def __init__(self, request: ScoreRequest, out: Path, scorer: Scorer, others: GeneratedVideos) -> None:
        self._request = request
        self._out = out
        self._scorer = scorer
        self._others = others
        self._device = pick_device(request.device)

    def system(self, system: System, folder: Path) -> Record:
        """Score the videos, and record it."""
        cell = self._cell(system.name, {**system.options, "generated": str(folder)})

        def measure() -> Quality:
            with show_progress(system.title, len(self._scorer.scoring.ids)) as shown:
                found = self._scorer.pairs(
                    system,
                    self._others.pairs(shown.on_progress),
                    durations=self._request.durations,
                    device=self._device,
                    keep=SampleOptions(self._out, cell.key),
                    on_progress=shown.on_progress,
                )
            return self._of_videos(found).model_copy(update={"left_out": self._others.left_out})

        return run_cell(cell, self._out, measure, request=self._request.model_dump(mode="json"))

    def control(self, name: str, ids: list[str]) -> Record:
        """Score a control on the clips that were scored of the system, and record it."""
        cell = self._cell(name, {}).model_copy(update={"role": "control"})

        def measure() -> Quality:
            with show_progress(name, len(ids)) as shown:
                found = self._scorer.pairs(
                    # the size is told afterwards: clips of several sizes have none in common
                    control_system(name, None),
                    make_control_clips(name, self._scorer.scoring.corpus, ids, frame_size=None),
                    durations=self._request.durations,
                    device=self._device,
                    keep=SampleOptions(self._out, cell.key),
                    on_progress=shown.on_progress,
                )
            return self._of_videos(found)

        return run_cell(cell, self._out, measure, request=self._request.model_dump(mode="json"))

    def _of_videos(self, found: Quality) -> Quality:
        """A result with what is known of videos once they have been read; where they were made is not."""
        system = found.system.model_copy(update={"frame_size": self._others.frame_size})
        return found.model_copy(update={"system": system, "device": None})

    def _cell(self, name: str, options: dict[str, object]) -> Cell:
        request = self._request
        return quality_cell(
            name,
            options=options,
            corpus=CORPUS_NAME,
            corpus_options={"reference": str(request.reference)},
            split=ALL_VIDEOS,
            durations=request.durations,
            protocol=request.protocol,
            metrics=request.metrics,
        )
