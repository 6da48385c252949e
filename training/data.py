"""Batches from a corpus.

The batch of a step follows from the seed and the step alone, so a resumed run gets the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, Sampler

from lipbench.corpora.utterance import Corpus, Utterance
from lipbench.errors import UserError
from lipbench.models.contract import TrainingBatch
from lipbench.models.text import Vocabulary
from lipbench.training.config import TrainingConfig
from lipbench.training.frames import to_model_size, to_unit

MIN_CROP_FRAMES = 10
"""Frames of an excerpt, at least: 0.4 s of GRID, about a word."""


class Clip(NamedTuple):
    """One utterance as a model sees it."""

    tokens: Tensor
    """int64 (m,)."""
    durations: Tensor
    """int64 (m,); zeros where the corpus has none and the model needs none."""
    frames: Tensor
    """uint8 (T, 3, H, W)."""


class ClipReader:
    """Reads clips at a model's size and keeps as many as the memory given allows.

    Args:
        corpus: where they come from.
        vocabulary: symbols to ids.
        frame_size: (H, W) of the model.
        cache_bytes: memory for kept clips.
        needs_durations: whether the model learns from durations; False: a clip without any has zeros instead.
    """

    def __init__(
        self,
        corpus: Corpus,
        vocabulary: Vocabulary,
        *,
        frame_size: tuple[int, int],
        cache_bytes: int,
        needs_durations: bool = True,
    ) -> None:
        self._corpus = corpus
        self._vocabulary = vocabulary
        self._frame_size = frame_size
        self._free = cache_bytes
        self._needs_durations = needs_durations
        self._kept: dict[str, Clip] = {}

    def read(self, utterance_id: str) -> Clip:
        """Read one clip.

        Raises:
            UserError: it cannot be read, or has no durations and the model needs them.
        """
        if utterance_id in self._kept:
            return self._kept[utterance_id]
        utterance = self._corpus.load(utterance_id)
        clip = Clip(
            torch.tensor(self._vocabulary.encode(utterance.tokens)),
            self._durations(utterance),
            to_model_size(utterance.frames, self._frame_size),
        )
        if clip.frames.nbytes <= self._free:
            self._free -= clip.frames.nbytes
            self._kept[utterance_id] = clip
        return clip

    def _durations(self, utterance: Utterance) -> Tensor:
        # a corpus of someone else's may have utterances of its own kind
        durations: NDArray[np.int64] | None = utterance.durations
        if durations is None or not len(durations):
            if self._needs_durations:
                raise UserError(
                    f"{utterance.id} of the corpus '{self._corpus.name}' has no durations, which this model learns",
                    remedy="Prepare the corpus with alignments, or train a model that needs none (dual_lip)",
                )
            return torch.zeros(len(utterance.tokens), dtype=torch.int64)
        return torch.tensor(durations)  # a copy: a view would keep the whole clip's file in memory


class TrainingDataset(Dataset[TrainingBatch]):
    """All batches of a run; item i is the batch of step i.

    Args:
        reader: gives the clips.
        ids: utterances to learn from.
        config: batch sizes and seed.
    """

    def __init__(self, reader: ClipReader, ids: Sequence[str], config: TrainingConfig) -> None:
        if not ids:
            raise UserError("the training split is empty", remedy="Prepare more clips, or choose another split")
        self._reader = reader
        self._ids = list(ids)
        self._config = config

    def __len__(self) -> int:
        """Steps of the run."""
        return self._config.steps

    def __getitem__(self, step: int) -> TrainingBatch:
        """The batch of a step."""
        rng = np.random.default_rng([self._config.seed, 1, step])
        clips = [self._reader.read(self._ids[i]) for i in self.clip_numbers(step)]
        first = self._config.identity == "first"
        identities = [clip.frames[0 if first else int(rng.integers(len(clip.frames)))] for clip in clips]
        if self._config.excerpts > 0:
            clips = [crop_in_time(clip, rng) if rng.random() < self._config.excerpts else clip for clip in clips]
        if self._config.mirrored > 0 or self._config.shift > 0:
            for i, (clip, identity) in enumerate(zip(clips, identities, strict=True)):
                augmentation = Augmentation.drawn(rng, mirrored=self._config.mirrored, shift=self._config.shift)
                clips[i], identities[i] = clip._replace(frames=augmentation.of(clip.frames)), augmentation.of(identity)
        return collate(clips, identities, rng, self._config.frames_per_clip)

    def clip_numbers(self, step: int) -> list[int]:
        """Walk through shuffled passes over the corpus, `clips` at a time."""
        numbers: list[int] = []
        for place in range(step * self._config.clips, (step + 1) * self._config.clips):
            passed, within = divmod(place, len(self._ids))
            order = np.random.default_rng([self._config.seed, 0, passed]).permutation(len(self._ids))
            numbers.append(int(order[within]))
        return numbers


class Augmentation(NamedTuple):
    """How all pictures of one clip are seen in one step."""

    mirrored: bool
    down: int
    """Pixels by which the picture moves; below 0: up."""
    right: int

    @classmethod
    def drawn(cls, rng: np.random.Generator, *, mirrored: float, shift: int) -> Augmentation:
        """Draw a view: mirrored with a probability, moved by at most `shift` pixels each way."""
        down, right = (int(pixels) for pixels in rng.integers(-shift, shift + 1, size=2))
        return cls(bool(rng.random() < mirrored), down, right)

    def of(self, pictures: Tensor) -> Tensor:
        """Pictures (..., H, W) so seen; what moves in repeats the edge."""
        height, width = pictures.shape[-2:]
        rows = (torch.arange(height) - self.down).clamp(0, height - 1)
        columns = (torch.arange(width) - self.right).clamp(0, width - 1)
        return pictures[..., rows, :][..., columns.flip(0) if self.mirrored else columns]


def crop_in_time(clip: Clip, rng: np.random.Generator) -> Clip:
    """Some successive tokens of a clip and their frames, at least `MIN_CROP_FRAMES`, all choices equally likely.

    A clip that is not longer than that stays whole, and so does one without durations.
    """
    n_frames = len(clip.frames)
    if int(clip.durations.sum()) != n_frames:
        return clip
    cuts = np.concatenate([[0], np.cumsum(clip.durations.numpy())])
    starts, ends = np.nonzero(cuts[None, :] - cuts[:, None] >= min(MIN_CROP_FRAMES, n_frames))
    choice = int(rng.integers(len(starts)))
    start, end = starts[choice], ends[choice]
    return Clip(clip.tokens[start:end], clip.durations[start:end], clip.frames[cuts[start] : cuts[end]])


def collate(
    clips: Sequence[Clip], identities: Sequence[Tensor], rng: np.random.Generator, frames_per_clip: int
) -> TrainingBatch:
    """Pad clips into one batch, with random frames to draw (without repeats).

    Args:
        clips: at least one.
        identities: the picture of each, uint8 (3, H, W).
        rng: decides the picked frames.
        frames_per_clip: frames to draw; as many as the shortest clip has, if that is fewer.
    """
    lengths = [len(clip.frames) for clip in clips]
    n_picked = min([frames_per_clip, *lengths])
    frame_indices = [np.sort(rng.choice(length, size=n_picked, replace=False)) for length in lengths]
    return TrainingBatch(
        tokens=pad_sequence([clip.tokens for clip in clips], batch_first=True),
        token_lengths=torch.tensor([len(clip.tokens) for clip in clips]),
        durations=pad_sequence([clip.durations for clip in clips], batch_first=True),
        identity=to_unit(torch.stack(list(identities))),
        frames=to_unit(pad_sequence([clip.frames for clip in clips], batch_first=True)),
        frame_lengths=torch.tensor(lengths),
        frame_indices=torch.from_numpy(np.stack(frame_indices)),
    )


def shard_batch(batch: TrainingBatch, rank: int, processes: int) -> TrainingBatch:
    """One process's clips of a batch, as many as every other's; all together are the whole batch, in order.

    Args:
        batch: all clips, of which there are a multiple of `processes`.
        rank: which process, from 0.
        processes: how many there are.
    """
    if processes == 1:
        return batch
    size = len(batch.tokens) // processes
    return TrainingBatch(*(tensor[rank * size : (rank + 1) * size] for tensor in batch))


class ResumeSampler(Sampler[int]):
    """The steps that a run still has to take. Its length is that of the whole run, as Lightning counts on from `done`.

    Args:
        steps: steps of the whole run.
        done: steps that an earlier start took.
    """

    def __init__(self, steps: int, steps_done: int) -> None:
        self._steps = steps
        self._done = steps_done

    def __len__(self) -> int:
        """Steps of the whole run."""
        return self._steps

    def __iter__(self) -> Iterator[int]:
        """The steps left, in order."""
        return iter(range(self._done, self._steps))


def loader(dataset: TrainingDataset, steps_done: int) -> DataLoader[TrainingBatch]:
    """A loader that gives the batches left, each as it is."""
    return DataLoader(dataset, batch_size=None, sampler=ResumeSampler(len(dataset), steps_done))
