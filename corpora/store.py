"""The prepared store: a folder in which preparation leaves its utterances, and from which training and scoring read.

    store/
        manifest.json                  what it is, how it was made, each clip with its digest, each skip with its reason
        clips/s1/bbaf2n.safetensors    one utterance

Every file is written under another name and renamed, so nothing half-written is ever read. Reading opens the one file
that is asked for and keeps nothing open, so many workers may read at once.

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
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from corpora.atomic import write_whole
from corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH, Split, Utterance
from models.errors import UserError, suggest

FORMAT = 1
FACE_SIZE = 256
MANIFEST = "manifest.json"


class StoreError(UserError):
    """A store that cannot be read or written."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Placement:
    """Where a clip's crops came from, so that a generated mouth can be put back into a face."""

    face: NDArray[np.uint8]
    """(256, 256, 3) RGB: the face of the first frame, at the scale of the crops."""
    corner: tuple[int, int]
    """(x, y) of the first crop's upper left pixel in `face`: `face[y:y+80, x:x+160]` is the first crop."""
    box: tuple[float, float, float]
    """(left, top, side) of the face square in the source frame, in pixels, pixel centres at integers."""
    affines: NDArray[np.float64]
    """(T, 2, 3) maps from (x, y) of each source frame to (x, y) of its crop. All equal if stabilised per clip."""

    @property
    def box_in_face(self) -> tuple[float, float, float]:
        """(left, top, side) of the face square in `face`: nearly (-0.5, -0.5, 256)."""
        affine = self.affines[0]
        left, top = affine[:, :2] @ self.box[:2] + affine[:, 2] + self.corner
        return float(left), float(top), float(self.box[2] * affine[0, 0])

    def paste(self, crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Put mouths onto the face of the first frame.

        Args:
            crops: (N, 80, 160, 3) RGB uint8.

        Returns:
            (N, 256, 256, 3) RGB uint8.
        """
        if crops.shape[1:] != (FRAME_HEIGHT, FRAME_WIDTH, 3):
            raise ValueError(f"crops are {crops.shape}, not (N, {FRAME_HEIGHT}, {FRAME_WIDTH}, 3)")
        faces = np.repeat(self.face[None], len(crops), axis=0)
        x, y = self.corner
        faces[:, y : y + FRAME_HEIGHT, x : x + FRAME_WIDTH] = crops
        return faces


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
    _write(store / MANIFEST, json.dumps(data, indent=1).encode())


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


def write_clip(
    store: Path,
    utterance: Utterance,
    placement: Placement | None,
    *,
    source: str,
    options: str,
    notes: tuple[str, ...] = (),
    sentence: str | None = None,
) -> ClipEntry:
    """Write one utterance into the store.

    Args:
        store: the store's folder.
        utterance: what to keep; its id is its place below ``clips/``.
        placement: where the crops came from; None if they were never part of a face.
        source: digest of what it was made from.
        options: the manifest's `options_digest`.
        notes: what a reader should know.
        sentence: what clips that say the same have in common; None for the text.

    Raises:
        StoreError: the file cannot be written.
    """
    tensors: dict[str, NDArray[Any]] = {
        "frames": utterance.frames,
        "landmarks": utterance.landmarks.astype(np.float32),
        "durations": utterance.durations.astype(np.int64),
    }
    if placement is not None:
        tensors |= {
            "face": placement.face,
            "corner": np.array(placement.corner, dtype=np.int64),
            "box": np.array(placement.box, dtype=np.float64),
            "affines": placement.affines.astype(np.float64),
        }
    facts = {
        "id": utterance.id,
        "speaker": utterance.speaker,
        "text": utterance.text,
        "tokens": list(utterance.tokens),
        "duration_source": utterance.duration_source,
        "fps": utterance.fps,
        "split": utterance.split,
        "source": source,
        "options": options,
        "notes": list(notes),
    }
    if sentence is not None:
        facts["sentence"] = sentence
    # one key only: the order of several would differ from run to run, and the digest with it
    metadata = {"utterance": json.dumps(facts, sort_keys=True)}
    content = save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, metadata)
    file = f"clips/{utterance.id}.safetensors"
    _write(store / file, content)
    return _entry(file, facts, len(utterance.frames), content)


def _entry(file: str, facts: Mapping[str, Any], n_frames: int, content: bytes) -> ClipEntry:
    return ClipEntry(
        file=file,
        split=facts["split"],
        frames=n_frames,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        source=facts["source"],
        sentence=facts.get("sentence", facts["text"]),
        notes=tuple(facts["notes"]),
    )


def find_clip(store: Path, clip: str, known: ClipEntry | None, *, source: str, options: str) -> ClipEntry | None:
    """Say whether a clip is already in the store, made from the same source with the same options.

    Args:
        store: the store's folder.
        clip: its id.
        known: its manifest entry, if any; a file that an interrupted run left behind is read and adopted.
        source: digest of what it would be made from.
        options: the manifest's `options_digest`.

    Returns:
        Its entry, or None if it must be made.
    """
    file = f"clips/{clip}.safetensors"
    path = store / file
    if not path.is_file():
        return None
    if (
        known is not None
        and known.sentence is not None
        and (known.bytes, known.source) == (path.stat().st_size, source)
    ):
        return known
    try:
        with safe_open(path, framework="numpy") as opened:
            facts = json.loads(opened.metadata()["utterance"])
            n_frames = opened.get_slice("frames").get_shape()[0]
        if (facts["source"], facts["options"]) != (source, options):
            return None
        return _entry(file, facts, n_frames, path.read_bytes())
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None


def _write(path: Path, content: bytes) -> None:
    try:
        write_whole(path, content)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}", remedy="Check the folder and its free space"
        ) from error


class Store:
    """A finished store, open for reading. Small, picklable, and holds no open file.

    Args:
        folder: the store's folder.
        corpus: the corpus it must hold.

    Raises:
        StoreError: there is no store, it holds another corpus, or its preparation was not finished.
    """

    def __init__(self, folder: Path, corpus: str) -> None:
        self.folder = folder
        command = f"lipbench prepare corpus={corpus} root=FOLDER"
        if not (folder / MANIFEST).is_file():
            raise StoreError(
                f"there is no prepared {corpus} in {folder}",
                remedy=f"Prepare it, FOLDER being the download, with: {command}",
            )
        self.manifest = load_manifest(folder)
        if self.manifest.corpus != corpus:
            raise StoreError(
                f"{folder} holds {self.manifest.corpus}, not {corpus}",
                remedy=f"Give another folder, or prepare one with: {command}",
            )
        if not self.manifest.finished:
            raise StoreError(
                f"the preparation of {folder} has not finished",
                remedy=f"Wait for it, or go on where it stopped with: {command}",
            )

    def utterance(self, clip: str) -> Utterance:
        """Read one utterance.

        Raises:
            StoreError: there is none of this id, or its file is missing or damaged.
        """
        facts, tensors = self._read(clip, ("frames", "landmarks", "durations"))
        try:
            return Utterance(
                id=facts["id"],
                speaker=facts["speaker"],
                text=facts["text"],
                tokens=tuple(facts["tokens"]),
                duration_source=facts["duration_source"],
                fps=facts["fps"],
                split=cast("Literal['train', 'test']", facts["split"]),
                seen=self.manifest.seen(clip),
                frames=tensors["frames"],
                landmarks=tensors["landmarks"],
                durations=tensors["durations"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(clip, error) from error

    def placement(self, clip: str) -> Placement:
        """Read where a clip's crops came from.

        Raises:
            StoreError: there is none of this id, its file is missing or damaged, or its mouth was never part of a face.
        """
        _, tensors = self._read(clip, ("face", "corner", "box", "affines"), optional=True)
        if not tensors:
            raise StoreError(
                f"the mouth of '{clip}' was never part of a face", remedy="Take a corpus of filmed faces for this"
            )
        x, y = tensors["corner"].tolist()
        left, top, side = tensors["box"].tolist()
        return Placement(face=tensors["face"], corner=(x, y), box=(left, top, side), affines=tensors["affines"])

    def _read(
        self, clip: str, names: tuple[str, ...], *, optional: bool = False
    ) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        entry = self.manifest.clips.get(clip)
        if entry is None:
            raise StoreError(f"{self.folder} holds no clip '{clip}'", remedy=self._why_not(clip))
        try:
            with safe_open(self.folder / entry.file, framework="numpy") as opened:
                facts = json.loads(opened.metadata()["utterance"])
                if optional and not set(names) & set(opened.keys()):
                    return facts, {}
                return facts, {name: opened.get_tensor(name) for name in names}
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise self._damaged(clip, error) from error

    def _why_not(self, clip: str) -> str:
        if clip in self.manifest.skipped:
            return f"Preparation skipped it: {self.manifest.skipped[clip]}"
        some = sorted(self.manifest.clips)
        return suggest(clip, some) if len(some) <= 20 else f"There are {len(some)}, such as '{some[0]}'"

    def _damaged(self, clip: str, error: Exception) -> StoreError:
        file = self.manifest.clips[clip].file
        return StoreError(
            f"the prepared clip {self.folder / file} cannot be read: {error}",
            remedy="Delete that file and prepare the corpus again: only what is missing is made",
        )
