"""The prepared store: a folder in which preparation leaves its utterances, and from which training and scoring read.

    store/
        manifest.json                  see `lipbench.corpora.manifest`
        clips/s1/bbaf2n.safetensors    one utterance

Every file is written under another name and renamed, so nothing half-written is ever read. Reading opens the one file
that is asked for and keeps nothing open, so many workers may read at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lipbench.corpora.manifest import MANIFEST, ClipEntry, StoreError, load_manifest, write_file
from lipbench.corpora.placement import Placement
from lipbench.corpora.utterance import Utterance
from lipbench.errors import suggest


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
    write_file(store / file, content)
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


def find_clip(store: Path, clip: str, known_entry: ClipEntry | None, *, source: str, options: str) -> ClipEntry | None:
    """Say whether a clip is already in the store, made from the same source with the same options.

    Args:
        store: the store's folder.
        clip: its id.
        known_entry: its manifest entry, if any; a file that an interrupted run left behind is read and adopted.
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
        known_entry is not None
        and known_entry.sentence is not None
        and (known_entry.bytes, known_entry.source) == (path.stat().st_size, source)
    ):
        return known_entry
    try:
        with safe_open(path, framework="numpy") as tensors_file:
            facts = json.loads(tensors_file.metadata()["utterance"])
            n_frames = tensors_file.get_slice("frames").get_shape()[0]
        if (facts["source"], facts["options"]) != (source, options):
            return None
        return _entry(file, facts, n_frames, path.read_bytes())
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None


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
            with safe_open(self.folder / entry.file, framework="numpy") as tensors_file:
                facts = json.loads(tensors_file.metadata()["utterance"])
                if optional and not set(names) & set(tensors_file.keys()):
                    return facts, {}
                return facts, {name: tensors_file.get_tensor(name) for name in names}
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise self._damaged(clip, error) from error

    def _why_not(self, clip: str) -> str:
        if clip in self.manifest.skipped:
            return f"Preparation skipped it: {self.manifest.skipped[clip]}"
        clip_ids = sorted(self.manifest.clips)
        return suggest(clip, clip_ids) if len(clip_ids) <= 20 else f"There are {len(clip_ids)}, such as '{clip_ids[0]}'"

    def _damaged(self, clip: str, error: Exception) -> StoreError:
        file = self.manifest.clips[clip].file
        return StoreError(
            f"the prepared clip {self.folder / file} cannot be read: {error}",
            remedy="Delete that file and prepare the corpus again: only what is missing is made",
        )
