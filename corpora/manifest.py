"""The manifest of a prepared store: what it is, how it was made, each clip with its digest, each skip with its reason.

History of the format:
    1: first version. Later, without another number as older stores stay readable: the manifest names each clip's
       sentence (unknown in a store that has not been prepared again since), and a clip may have no placement.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from lipbench.corpora.utterance import Split
from lipbench.errors import UserError
from lipbench.files import write_atomic

FORMAT = 1
MANIFEST = "manifest.json"


class StoreError(UserError):
    """A store that cannot be read or written."""


@dataclass(frozen=True, kw_only=True)
class ClipEntry:
    """What the manifest knows of one clip."""

    file: str
    """Path within the store."""
    split: Split
    frames: int
    bytes: int
    sha256: str
    source: str
    """Digest of what it was made from, as the preparation defines it."""
    sentence: str | None = None
    """What it has in common with clips that say the same; None in a store from before this was kept."""
    notes: tuple[str, ...] = ()
    """What a reader should know, such as an unusual length."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a store holds and how it was made."""

    corpus: str
    fps: float
    options: Mapping[str, Any]
    """Everything that changes the content, as plain JSON values."""
    software: Mapping[str, str] = field(default_factory=dict)
    """Versions of the packages that made it; not part of the fingerprint, as the digests of the clips are."""
    clips: Mapping[str, ClipEntry] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Clip id to the reason it is not there."""
    absent: int = 0
    """Clips that the split lists name for the talkers found, but that were not there."""
    limit: int | None = None
    """The store is for the first so many clips of the download; None for all. Not part of the fingerprint."""
    finished: bool = False
    """Whether each clip that the store is for is in `clips` or `skipped`. False while a preparation runs."""

    @property
    def options_digest(self) -> str:
        """Hex digest of format, corpus and options: clips of different digests never share a store."""
        return _digest([FORMAT, self.corpus, self.fps, self.options])

    @property
    def fingerprint(self) -> str:
        """Hex digest of the options and of every clip's content and split."""
        content = [[name, entry.split, entry.sha256] for name, entry in sorted(self.clips.items())]
        return _digest([self.options_digest, content])

    def ids(self, split: Split) -> list[str]:
        """Clip ids of one split, sorted."""
        return sorted(name for name, entry in self.clips.items() if entry.split == split)

    @cached_property
    def trained(self) -> frozenset[str] | None:
        """Sentences of the clips for training; None if any of them is not known."""
        sentences = {entry.sentence for entry in self.clips.values() if entry.split == "train"}
        return None if None in sentences else frozenset(s for s in sentences if s is not None)

    def seen(self, clip: str) -> bool | None:
        """Whether a clip for training says the same sentence; None if it is not known.

        Raises:
            KeyError: there is no such clip.
        """
        sentence = self.clips[clip].sentence
        return None if sentence is None or self.trained is None else sentence in self.trained

    @property
    def seen_tests(self) -> int:
        """Clips for testing whose sentence is also in training, as far as known."""
        return sum(bool(self.seen(name)) for name in self.ids("test"))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def save_manifest(store: Path, manifest: Manifest) -> None:
    """Write `manifest.json`, with counts and the fingerprint for human readers.

    Raises:
        StoreError: the folder cannot be written.
    """
    counts = {
        "train": len(manifest.ids("train")),
        "test": len(manifest.ids("test")),
        "seen": manifest.seen_tests,
        "frames": sum(entry.frames for entry in manifest.clips.values()),
        "bytes": sum(entry.bytes for entry in manifest.clips.values()),
        "skipped": len(manifest.skipped),
        "absent": manifest.absent,
    }
    data = {
        "format": FORMAT,
        "corpus": manifest.corpus,
        "fps": manifest.fps,
        "options": dict(manifest.options),
        "software": dict(manifest.software),
        "limit": manifest.limit,
        "finished": manifest.finished,
        "fingerprint": manifest.fingerprint,
        "counts": counts,
        "skipped": dict(sorted(manifest.skipped.items())),
        "clips": {name: asdict(entry) for name, entry in sorted(manifest.clips.items())},
    }
    write_file(store / MANIFEST, json.dumps(data, indent=1).encode())


def load_manifest(store: Path) -> Manifest:
    """Read a store's manifest.

    Raises:
        StoreError: there is none, or it is damaged or of another format.
    """
    path = store / MANIFEST
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise StoreError(f"{path} cannot be read: {error}", remedy="Prepare the corpus anew") from error
    version = data.get("format") if isinstance(data, dict) else None
    if version != FORMAT:
        raise StoreError(
            f"{store} is a store of format {version}, this lipbench reads format {FORMAT}",
            remedy="Delete the folder and prepare the corpus anew",
        )
    try:
        clips = {name: ClipEntry(**(entry | {"notes": tuple(entry["notes"])})) for name, entry in data["clips"].items()}
        manifest = Manifest(
            corpus=data["corpus"],
            fps=data["fps"],
            options=data["options"],
            software=data["software"],
            clips=clips,
            skipped=data["skipped"],
            absent=data["counts"]["absent"],
            limit=data.get("limit"),
            finished=data["finished"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path} is damaged: {error}", remedy="Delete it and prepare the corpus anew") from error
    return manifest


def write_file(path: Path, content: bytes) -> None:
    """Write a file of a store, whole or not at all.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        write_atomic(path, content)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}", remedy="Check the folder and its free space"
        ) from error
