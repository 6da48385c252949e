"""What is kept of the clips that were scored: a few frames for the report, all of them as videos, the real ones too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lipbench.benchmarks.scoring.clips import ClipPair, GeneratedClip, ReferenceSet, load_reference
from lipbench.corpora.video import read_video, write_video
from lipbench.errors import UserError
from lipbench.files import write_atomic
from lipbench.records.run_folder import CLIP_LIST, generated_name, read_clip_list, real_name, strip_name

STRIP_FRAMES = 12
STRIP_WIDTH = 320
"""Wider frames, of whole videos, are shown smaller."""


class SampleWriter:
    """Keeps samples of one cell.

    Args:
        run: the run's folder.
        name: of the cell.
        ids: all utterances; strips show the shortest and the longest, of equally long ones the first and the last.
        keep_clips: whether every clip is kept as a video, and the real one beside it.
        fingerprint: of the corpus: real clips of one fingerprint, id and size are the same and are kept once.
    """

    def __init__(self, run: Path, name: str, ids: Sequence[str], *, keep_clips: bool, fingerprint: str) -> None:
        self._run = run
        self._name = name
        self._places = {utterance_id: place for place, utterance_id in enumerate(ids)}
        self._shown: list[tuple[int, int, str]] = []
        self._samples: dict[str, _SampleFrames] = {}
        self._keep_clips = keep_clips
        self._fingerprint = fingerprint
        self._index: dict[str, Any] = {}

    def add(self, pair: ClipPair) -> None:
        """Take in one clip.

        Raises:
            VideoError: it cannot be written.
        """
        utterance = pair.truth.utterance
        self._show(pair)
        if self._keep_clips:
            file = f"{utterance.id.replace('/', '_')}.mkv"
            path = self._run / generated_name(self._name) / file
            write_video(pair.made.pictures, path, utterance.fps, lossless=True)
            durations = None if pair.made.durations is None else pair.made.durations.tolist()
            self._index[utterance.id] = {
                "file": file,
                "durations": durations,
                "cut_off": pair.made.cut_off,
                "real": self._keep_real(pair, file),
            }

    def _keep_real(self, pair: ClipPair, file: str) -> str:
        """Write the real clip unless it is there, and give back its name relative to the run."""
        height, width = pair.truth.pictures.shape[1:3]
        name = real_name(self._fingerprint, (height, width), file)
        if not (self._run / name).is_file():
            write_video(pair.truth.pictures, self._run / name, pair.truth.utterance.fps, lossless=True)
        return name

    def save_strip(self) -> str:
        """Write the strips, and give back their file's name relative to the run."""
        name = strip_name(self._name)
        _save_strip(self._run / name, [self._samples[i] for *_, i in self._shown])
        return name

    def _show(self, pair: ClipPair) -> None:
        """Take the clip's sample frames if it is the shortest or the longest so far."""
        utterance = pair.truth.utterance
        by_length = sorted([*self._shown, (len(pair.truth.pictures), self._places[utterance.id], utterance.id)])
        self._shown = [by_length[0], by_length[-1]] if len(by_length) > 1 else by_length
        previous_samples = self._samples
        self._samples = {i: previous_samples[i] if i in previous_samples else _sample(pair) for *_, i in self._shown}

    def save_clips(self) -> str | None:
        """Write the index of the kept clips, which makes them complete; their folder's name, or None."""
        if not self._keep_clips:
            return None
        name = generated_name(self._name)
        write_atomic(self._run / name / CLIP_LIST, json.dumps(self._index, indent=1).encode(), durable=False)
        return name


def read_index(folder: Path) -> dict[str, Any]:
    """Which clips a `SampleWriter` kept in a folder, in the order in which they were scored.

    Raises:
        UserError: the folder holds no complete set of clips.
    """
    try:
        return read_clip_list(folder)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder} holds no complete set of generated clips: {error}", remedy="Evaluate again with keep_clips=true"
        ) from error


def read_saved_pairs(folder: Path, corpus: ReferenceSet, frame_size: tuple[int, int] | None) -> Iterator[ClipPair]:
    """Read the clips that a `SampleWriter` kept, beside their truth.

    Raises:
        UserError: the folder holds no complete set of clips, or one of them is damaged.
    """
    for utterance_id, entry in read_index(folder).items():
        reference = load_reference(corpus, utterance_id, frame_size)
        pictures = read_video(folder / entry["file"]).frames
        durations = None if entry["durations"] is None else torch.tensor(entry["durations"])
        # clips that were kept before this was known have no such entry
        yield ClipPair(reference, GeneratedClip(pictures, durations, entry.get("cut_off", False)))


class _SampleFrames(NamedTuple):
    """Frames of one clip, (K, H, W, 3) each, the same frame numbers of both sides."""

    truth: NDArray[np.uint8]
    generated: NDArray[np.uint8]
    notes: dict[str, str]


def _sample(pair: ClipPair) -> _SampleFrames:
    """Evenly spaced frames of a clip."""
    reference, generated_clip = pair
    common = min(len(generated_clip.pictures), len(reference.pictures))
    numbers = np.linspace(0, common - 1, min(STRIP_FRAMES, common)).round().astype(int)
    return _SampleFrames(
        truth=_shrink(reference.pictures[numbers]),
        generated=_shrink(generated_clip.pictures[numbers]),
        notes={
            "text": reference.utterance.text,
            "id": reference.utterance.id,
            "frame_numbers": ",".join(str(n) for n in numbers),
        },
    )


def _save_strip(path: Path, samples: Sequence[_SampleFrames]) -> None:
    tensors: dict[str, NDArray[np.uint8]] = {}
    notes: dict[str, str] = {}
    for number, sample in enumerate(samples):
        tensors |= {f"{number}/truth": sample.truth, f"{number}/generated": sample.generated}
        notes |= {f"{number}/{name}": value for name, value in sample.notes.items()}
    write_atomic(path, lambda temporary: save_file(tensors, temporary, metadata=notes), durable=False)


def _shrink(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures (K, H, W, 3), shrunk if they are larger than a report shows them."""
    height, width = pictures.shape[1:3]
    if width <= STRIP_WIDTH:
        return pictures
    size = (STRIP_WIDTH, max(1, round(height * STRIP_WIDTH / width)))
    return np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures]).astype(np.uint8)
