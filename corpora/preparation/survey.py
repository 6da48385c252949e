"""A dry run: what a preparation has found, and what it would do, without writing anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from lipbench.corpora.preparation.clip import ClipOutcome
from lipbench.corpora.preparation.run import SourceCorpus, check_clip, check_limit, find_manifest


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was found, and what a run would do."""

    corpus: str
    layout: str
    store: Path
    clips: int
    speakers: tuple[str, ...]
    train: int
    test: int
    unlisted: tuple[str, ...]
    """Clips in neither split list."""
    unlabelled: tuple[str, ...]
    """Clips without an alignment."""
    absent: int
    """Clips that the split lists name for the speakers found, but that are not there."""
    to_prepare: int
    """Clips that a run would prepare; those without an alignment it would then leave out."""
    kept: int
    """Clips that are in the store already."""
    skipped: dict[str, str]
    """Clips that a run would leave out without trying, with the reason."""


def survey(source: SourceCorpus, store: Path, *, limit: int | None = None) -> Survey:
    """Say what a run with the same arguments would do. Reads the store, changes nothing.

    Args:
        source: what was found.
        store: the folder that the run would fill.
        limit: take only the first so many clips; None for all. The counts of the download are of all clips.

    Raises:
        UserError: the run would be refused: an option is out of range, or the store was prepared with other options.
    """
    check_limit(limit)
    manifest = find_manifest(store, source, limit)
    clip_states = [check_clip(clip, store, manifest) for clip in source.clips[:limit]]
    outcomes = [outcome for outcome in clip_states if isinstance(outcome, ClipOutcome)]
    splits = Counter(clip.split for clip in source.clips)
    return Survey(
        corpus=source.corpus,
        layout=source.layout,
        store=store,
        clips=len(source.clips),
        speakers=tuple(dict.fromkeys(clip.speaker for clip in source.clips)),
        train=splits["train"],
        test=splits["test"],
        unlisted=tuple(clip.id for clip in source.clips if clip.split is None),
        unlabelled=tuple(clip.id for clip in source.clips if not clip.labelled),
        absent=source.absent,
        to_prepare=len(clip_states) - len(outcomes),
        kept=sum(outcome.status == "kept" for outcome in outcomes),
        skipped={outcome.id: outcome.reason or "" for outcome in outcomes if outcome.status == "skipped"},
    )
