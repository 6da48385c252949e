"""A preparation: which clips there are, what is done already, and the rest over processes.

Clips are independent: each ends as done, kept (it was there already) or skipped with its reason; none stops the rest.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lipbench.corpora.manifest import MANIFEST, Manifest, StoreError, load_manifest, save_manifest
from lipbench.corpora.preparation.clip import Candidate, ClipJob, ClipOutcome, prepare_clip, start_worker
from lipbench.corpora.preparation.pool import run_jobs
from lipbench.corpora.store import find_clip
from lipbench.errors import UserError
from lipbench.files import is_leftover, remove_leftovers
from lipbench.processes import usable_cores
from lipbench.records.packages import PREPARING, installed_versions

GEOMETRY = 2
"""Raise it when the same source would give other crops, points or durations: stores of another number are refused."""
_SAVE_EVERY_S = 5.0


@dataclass(frozen=True, kw_only=True)
class SourceCorpus:
    """A corpus as it was found, and how it is to be prepared."""

    corpus: str
    fps: float
    options: Mapping[str, object]
    """Everything that changes the content, as plain JSON values."""
    layout: str
    """Which layout was found, for the log."""
    clips: tuple[Candidate, ...]
    """In a stable order."""
    absent: int = 0
    """Clips that the split lists name for the speakers found, but that are not there."""


@dataclass(frozen=True, kw_only=True)
class PreparationSummary:
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
    """Clips that the split lists name for the speakers found, but that are not in the download."""
    unsettled: int
    """Clips that the store is for and no run has come to yet: it counts as unfinished until another run has."""
    train: int
    test: int
    seen: int
    """Clips for testing whose sentence is also in training."""
    seconds: float


def prepare(
    source: SourceCorpus,
    store: Path,
    *,
    workers: int | None = None,
    limit: int | None = None,
    on_progress: Callable[[ClipOutcome], None] | None = None,
) -> PreparationSummary:
    """Prepare a corpus, or go on where an earlier preparation stopped.

    About 3 MB per clip of three seconds are written. Scripts that call this need the usual
    ``if __name__ == "__main__"`` guard, as workers are processes.

    Args:
        source: what was found.
        store: folder to make or to go on filling.
        workers: processes; None for one per usable core, 0 to work in this process.
        limit: take only the first so many clips; None for all. The store is for the most that any run was asked for:
            a smaller number later neither empties it nor makes an interrupted one finished.
        on_progress: called in this process after each clip.

    Raises:
        UserError: an option is out of range, or the store was prepared with other options or cannot be written.
    """
    start_time = time.perf_counter()
    if workers is not None and workers < 0:
        raise UserError(f"workers={workers} is too few", remedy="Give 0 (this process) or more")
    check_limit(limit)
    manifest = _open_store(store, source, limit)
    run = _Run(store, manifest, source, on_progress=on_progress)
    run.go(source.clips[:limit], workers=usable_cores() if workers is None else workers)
    return run.summary(time.perf_counter() - start_time)


def check_limit(limit: int | None) -> None:
    """Refuse a limit that leaves nothing.

    Raises:
        UserError: it does.
    """
    if limit is not None and limit < 1:
        raise UserError(f"limit={limit} leaves nothing to prepare", remedy="Give 1 or more, or no limit")


def find_manifest(store: Path, source: SourceCorpus, limit: int | None) -> Manifest:
    """The manifest that a run goes on from: the store's, or a fresh one. Changes nothing.

    Raises:
        StoreError: the folder holds something else, or a store of other options.
    """
    software = installed_versions(PREPARING)
    fresh = Manifest(corpus=source.corpus, fps=source.fps, options=source.options, software=software, limit=limit)
    if (store / MANIFEST).is_file():
        stored_manifest = load_manifest(store)
        if stored_manifest.options_digest != fresh.options_digest:
            old_options = ", ".join(f"{key}={value}" for key, value in stored_manifest.options.items())
            new_options = ", ".join(f"{key}={value}" for key, value in source.options.items())
            raise StoreError(
                f"{store} was prepared from {stored_manifest.corpus} with {old_options}; now it is {source.corpus} "
                f"with {new_options}",
                remedy="Give the options of this store, another store folder, or delete this one",
            )
        largest_limit = None if limit is None or stored_manifest.limit is None else max(limit, stored_manifest.limit)
        return replace(stored_manifest, software=software, limit=largest_limit)
    if store.is_dir() and not all(is_leftover(path) for path in store.iterdir()):
        raise StoreError(f"{store} is not empty and no prepared store", remedy="Give an empty or a new folder")
    return fresh


def _open_store(store: Path, source: SourceCorpus, limit: int | None) -> Manifest:
    manifest = find_manifest(store, source, limit)
    try:
        remove_leftovers(store)
    except OSError as error:
        raise StoreError(
            f"{error.filename} cannot be deleted: {error.strerror}", remedy="Check who owns the folder"
        ) from error
    return manifest


class _Run:
    """One running preparation: the growing manifest and its progress reports."""

    def __init__(
        self,
        store: Path,
        manifest: Manifest,
        source: SourceCorpus,
        *,
        on_progress: Callable[[ClipOutcome], None] | None,
    ) -> None:
        self._store = store
        self._manifest = replace(manifest, absent=source.absent, finished=False)
        self._scope = [clip.id for clip in source.clips[: manifest.limit]]
        # what is no longer in the download does not stay; its file does, for the day it comes back
        self._entries = {name: manifest.clips[name] for name in self._scope if name in manifest.clips}
        self._skipped = {name: manifest.skipped[name] for name in self._scope if name in manifest.skipped}
        self._on_progress = on_progress
        self._counts: Counter[str] = Counter()
        self._total = 0

    def go(self, clips: tuple[Candidate, ...], *, workers: int) -> None:
        """Take every clip to its end; what is finished stays on disk whatever happens."""
        self._total = len(clips)
        self._save()
        try:
            jobs = list(self._sort(clips))
            last_save = time.perf_counter()
            for job, outcome in run_jobs(prepare_clip, jobs, workers=workers, start=start_worker):
                self._note(_died(job) if outcome is None else outcome)
                if time.perf_counter() - last_save > _SAVE_EVERY_S:
                    self._save()
                    last_save = time.perf_counter()
            self._manifest = replace(self._manifest, finished=self._unsettled() == 0)
        finally:
            self._save()

    def _unsettled(self) -> int:
        return sum(name not in self._entries and name not in self._skipped for name in self._scope)

    def summary(self, seconds: float) -> PreparationSummary:
        """What the store holds now."""
        return PreparationSummary(
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
            seen=self._manifest.seen_tests,
            seconds=seconds,
        )

    def _sort(self, clips: Iterable[Candidate]) -> Iterable[ClipJob]:
        """Settle what needs no work, and yield the rest."""
        options = self._manifest.options_digest
        for clip in clips:
            outcome_or_source = check_clip(clip, self._store, self._manifest)
            if isinstance(outcome_or_source, ClipOutcome):
                self._note(outcome_or_source)
            else:
                yield ClipJob(id=clip.id, make=clip.make, source=outcome_or_source, store=self._store, options=options)

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


def check_clip(clip: Candidate, store: Path, manifest: Manifest) -> ClipOutcome | str:
    """Say whether a clip needs no work. Changes nothing.

    Returns:
        Its outcome if it is kept or must be skipped; the digest of its source if it is to be prepared.
    """
    if clip.split is None:
        return ClipOutcome(id=clip.id, status="skipped", reason="it is in neither split list")
    try:
        source = clip.digest()
    except OSError as error:
        name = Path(error.filename).name if error.filename else "a file"
        return ClipOutcome(id=clip.id, status="skipped", reason=f"{name} cannot be read: {error.strerror}")
    known_entry = manifest.clips.get(clip.id)
    entry = find_clip(store, clip.id, known_entry, source=source, options=manifest.options_digest)
    if entry is None:
        return source
    return ClipOutcome(id=clip.id, status="kept", notes=entry.notes, entry=entry)


def _died(job: ClipJob) -> ClipOutcome:
    return ClipOutcome(id=job.id, status="skipped", reason="the process that worked on it died, twice")
