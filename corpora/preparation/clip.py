"""One clip into the store: whatever is wrong with it ends as its outcome, and never stops the others."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2

from lipbench.corpora.manifest import ClipEntry, StoreError
from lipbench.corpora.placement import Placement
from lipbench.corpora.store import write_clip
from lipbench.corpora.utterance import Split, Utterance
from lipbench.errors import UserError


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparedClip:
    """A clip as it goes into the store."""

    utterance: Utterance
    placement: Placement | None
    """Where the crops came from; None for mouths that were never part of a face."""
    notes: tuple[str, ...] = ()
    """What a reader should know, such as an unusual length."""
    sentence: str | None = None
    """What two clips that say the same have in common; None: their text."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A clip that a corpus has found."""

    id: str
    speaker: str
    split: Split | None
    """None if it is in neither split list: it is skipped."""
    labelled: bool = True
    """Whether its labels are there. Only a dry run asks: a run reads them."""
    make: Callable[[], PreparedClip]
    """Picklable. Raises `UserError` with what is wrong."""
    digest: Callable[[], str]
    """Digest of what it would be made from; cheap, as every run asks. Raises `OSError` if a file cannot be read."""


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
class ClipJob:
    """What it takes to prepare one clip."""

    id: str
    make: Callable[[], PreparedClip]
    source: str
    """Digest of what it is made from."""
    store: Path
    options: str
    """The manifest's `options_digest`."""


def start_worker() -> None:
    """Set up a worker process: one thread each, as there are as many workers as cores."""
    cv2.setNumThreads(1)


def prepare_clip(job: ClipJob) -> ClipOutcome:
    """Take one clip from its files into the store.

    Returns:
        Done, or skipped with the reason, whatever is wrong with the clip.

    Raises:
        StoreError: the store cannot be written; no other clip would fare better.
    """
    start_time = time.perf_counter()
    try:
        prepared_clip = job.make()
        entry = write_clip(
            job.store,
            prepared_clip.utterance,
            prepared_clip.placement,
            source=job.source,
            options=job.options,
            notes=prepared_clip.notes,
            sentence=prepared_clip.sentence,
        )
    except StoreError:
        raise
    except UserError as error:
        return _skip(job, error.problem, start_time)
    except Exception as error:  # a decoder's or detector's own failure on one odd file must not stop the other clips
        return _skip(job, f"unexpected {type(error).__name__}: {error}", start_time)
    seconds = time.perf_counter() - start_time
    return ClipOutcome(id=job.id, status="done", notes=entry.notes, seconds=seconds, entry=entry)


def _skip(job: ClipJob, reason: str, start_time: float) -> ClipOutcome:
    return ClipOutcome(id=job.id, status="skipped", reason=reason, seconds=time.perf_counter() - start_time)
