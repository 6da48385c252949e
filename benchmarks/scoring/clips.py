"""What is scored.

The truth of each utterance, and the clips that a model, a control or a folder of videos gives for it.

A clip is video: 8 bits per colour. So are the clips scored here, whether they come from a model's memory or from a
file, and a clip that was stored scores as it did before.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lipbench.baselines import controls
from lipbench.baselines.controls import ControlInputs
from lipbench.benchmarks.cells.loading import LoadedModel
from lipbench.benchmarks.scoring.check_output import check_output
from lipbench.corpora.placement import Placement, resample_through_source
from lipbench.corpora.utterance import Corpus, Split, Utterance
from lipbench.errors import UserError
from lipbench.models.contract import HostLengths, LipRequest
from lipbench.models.text import UnknownSymbolError, Vocabulary
from lipbench.training.frames import to_model_size, to_unit

log = logging.getLogger(__name__)

Durations = Literal["true", "predicted"]


class ClipSource(Protocol):
    """What scoring must know of one real clip: an `Utterance`, or a video file, which may lack text and durations."""

    @property
    def id(self) -> str:
        """Unique within its corpus."""
        ...

    @property
    def speaker(self) -> str:
        """Who speaks; "" if that is not known."""
        ...

    @property
    def text(self) -> str:
        """What is said; "" if that is not known."""
        ...

    @property
    def fps(self) -> float:
        """Frames per second."""
        ...

    @property
    def tokens(self) -> tuple[str, ...]:
        """Symbols of the text front end; none if the text is not known."""
        ...

    @property
    def durations(self) -> NDArray[np.int64] | None:
        """(m,) frames per token; None if unknown."""
        ...

    @property
    def frames(self) -> NDArray[np.uint8]:
        """(T, H, W, 3) RGB."""
        ...


class ReferenceSet(Protocol):
    """Many real clips, found by id: a `Corpus`, or a folder of video files."""

    @property
    def name(self) -> str:
        """What a record calls it."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex digest that changes whenever an option or the content changes."""
        ...

    def ids(self, split: Split) -> list[str]:
        """Ids of a split, sorted."""
        ...

    def load(self, utterance_id: str) -> ClipSource:
        """Read one clip.

        Raises:
            UserError: there is none of this id, or it cannot be read.
        """
        ...


class ReferenceClip(NamedTuple):
    """One utterance at the size at which it is scored."""

    utterance: ClipSource
    pictures: NDArray[np.uint8]
    """(T, H, W, 3) RGB."""

    @property
    def levels(self) -> Tensor:
        """uint8 (T, 3, H, W)."""
        return _levels(self.pictures)

    @property
    def frames(self) -> Tensor:
        """Float (T, 3, H, W) in [0, 1], made anew each time."""
        return to_unit(self.levels)


class GeneratedClip(NamedTuple):
    """What a system made of one utterance."""

    pictures: NDArray[np.uint8]
    """(T', H, W, 3) RGB."""
    durations: Tensor | None = None
    """int64 (m,), frames per token; None from a system that has none."""
    cut_off: bool = False
    """Whether it ended at the longest length that the model may make, without a stop token."""

    @property
    def levels(self) -> Tensor:
        """uint8 (T', 3, H, W)."""
        return _levels(self.pictures)

    @property
    def frames(self) -> Tensor:
        """Float (T', 3, H, W) in [0, 1], in steps of 1 / 255, made anew each time."""
        return to_unit(self.levels)


class ClipPair(NamedTuple):
    """Both sides of one utterance."""

    truth: ReferenceClip
    made: GeneratedClip


def choose_utterances(corpus: Corpus, split: Split, limit: int | None) -> list[str]:
    """The utterances to score: all of a split, or `limit` of them spread evenly over it.

    Raises:
        UserError: the split is empty.
    """
    ids = corpus.ids(split)
    if not ids:
        raise UserError(
            f"the {split} split of {corpus.name} is empty", remedy="Prepare more clips, or choose another split"
        )
    if limit is None or limit >= len(ids):
        return ids
    return [ids[round(i)] for i in np.linspace(0, len(ids) - 1, max(limit, 1))]


def load_reference(corpus: ReferenceSet, utterance_id: str, frame_size: tuple[int, int] | None) -> ReferenceClip:
    """Read one utterance at a frame size; None: at its own."""
    utterance = corpus.load(utterance_id)
    return ReferenceClip(utterance, _at_size(utterance.frames, frame_size))


def generate_clips(
    loaded_model: LoadedModel,
    corpus: ReferenceSet,
    ids: Sequence[str],
    *,
    durations: Durations,
    batch: int,
    device: torch.device,
) -> Iterator[ClipPair]:
    """Let a model say every utterance.

    Args:
        loaded_model: the model and its vocabulary.
        corpus: the truth.
        ids: utterances.
        durations: whether the true ones are given.
        batch: clips generated at once.
        device: where the model is.

    Raises:
        UserError: the model has no vocabulary, or not this corpus' symbols, or what it gives back breaks the contract,
            or true durations are to be given and a clip has none.
    """
    if loaded_model.vocabulary is None:
        raise UserError(f"{loaded_model.system.name} is not trained", remedy="Train it first: lipbench train")
    for start in range(0, len(ids), batch):
        batch_ids = ids[start : start + batch]
        references = [load_reference(corpus, i, loaded_model.frame_size) for i in batch_ids]
        try:
            request = make_request(references, loaded_model.vocabulary, durations=durations, device=device)
        except UnknownSymbolError as error:
            raise UserError(
                f"{loaded_model.system.name} cannot say all of {corpus.name}: {error.problem}",
                remedy="It has learned from a corpus of other symbols: train it on this one, or score it on that one",
            ) from error
        clip = loaded_model.model.generate(request)
        outputs = check_output(
            clip, request, model=loaded_model.system.name, utterances=batch_ids, frame_size=loaded_model.frame_size
        )
        for reference, answer in zip(references, outputs, strict=True):
            if answer.cut_off:
                log_fields = (reference.utterance.id, len(answer.frames))
                log.warning(
                    "%s found no end of %s and was cut off after %d frames", loaded_model.system.name, *log_fields
                )
            yield ClipPair(reference, GeneratedClip(to_pictures(answer.frames), answer.durations, answer.cut_off))


def make_control_clips(
    name: str, corpus: ReferenceSet, ids: Sequence[str], *, frame_size: tuple[int, int] | None
) -> Iterator[ClipPair]:
    """Make every utterance by a control, at a frame size or, for None, at the size of each clip.

    Raises:
        UnknownNameError: there is no such control.
        UserError: the control needs what the corpus has not.
    """
    make = controls.get(name).make
    for utterance_id in ids:
        reference = load_reference(corpus, utterance_id, frame_size)
        yield ClipPair(reference, GeneratedClip(to_pictures(make(_material(reference, corpus, frame_size)))))


def make_request(
    references: Sequence[ReferenceClip], vocabulary: Vocabulary, *, durations: Durations, device: torch.device
) -> LipRequest:
    """The request for some utterances: their text and first frame (paper §4.3), and their durations if "true".

    Raises:
        UnknownSymbolError: the vocabulary lacks a symbol of theirs.
        UserError: durations are to be given, and one of the utterances has none.
    """
    tokens = [torch.tensor(vocabulary.encode(reference.utterance.tokens)) for reference in references]
    true_durations = (
        [_known_durations(reference.utterance) for reference in references] if durations == "true" else None
    )
    frames = None if true_durations is None else tuple(int(row.sum()) for row in true_durations)
    return LipRequest(
        tokens=pad_sequence(tokens, batch_first=True).to(device),
        token_lengths=torch.tensor([len(row) for row in tokens], device=device),
        identity=torch.cat([to_unit(_levels(reference.pictures[:1])) for reference in references]).to(device),
        durations=None if true_durations is None else pad_sequence(true_durations, batch_first=True).to(device),
        host=HostLengths(tokens=tuple(len(row) for row in tokens), frames=frames),
    )


def _known_durations(utterance: ClipSource) -> Tensor:
    if utterance.durations is None:
        raise UserError(
            f"{utterance.id} has no durations, which were to be given",
            remedy="Score with durations=predicted, or give the corpus durations",
        )
    return torch.from_numpy(utterance.durations)


def to_pictures(frames: Tensor) -> NDArray[np.uint8]:
    """Frames as pictures: float (T, 3, H, W) in [0, 1] to uint8 (T, H, W, 3).

    Raises:
        ValueError: the frames hold NaN.
    """
    frames = frames.detach().float()
    if frames.isnan().any():
        raise ValueError("frames must lie in [0, 1], and these hold nan")
    levels = (frames.clamp(0, 1) * 255).round().to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy())


def placement_of(corpus: ReferenceSet, utterance_id: str) -> Placement | None:
    """Where a clip's crops were cut from; None if the corpus does not know any face around them."""
    find = getattr(corpus, "placement", None)
    return None if find is None else find(utterance_id)


def _levels(pictures: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()


def _at_size(pictures: NDArray[np.uint8], frame_size: tuple[int, int] | None) -> NDArray[np.uint8]:
    if frame_size is None or frame_size == pictures.shape[1:3]:
        return pictures
    return np.ascontiguousarray(to_model_size(pictures, frame_size).permute(0, 2, 3, 1).numpy())


def _material(reference: ReferenceClip, corpus: ReferenceSet, frame_size: tuple[int, int] | None) -> ControlInputs:
    utterance = reference.utterance

    def other() -> Tensor:
        return load_reference(corpus, _other_sentence(corpus, utterance), frame_size).frames

    def round_trip() -> Tensor:
        placement = placement_of(corpus, utterance.id)
        if placement is None:
            raise UserError(
                f"the clips of {corpus.name} were cut from no larger video", remedy="Leave the crop round trip out"
            )
        return to_unit(_levels(_at_size(resample_through_source(utterance.frames, placement), frame_size)))

    return ControlInputs(reference.frames, other=other, round_trip=round_trip)


def _other_sentence(corpus: ReferenceSet, utterance: ClipSource) -> str:
    """The next utterance of the same speaker and split that says something else."""
    if not isinstance(utterance, Utterance):
        raise UserError(
            f"what is said in the clips of {corpus.name} is not known", remedy="Leave the control other_sentence out"
        )
    ids = corpus.ids(utterance.split)
    place = ids.index(utterance.id)
    for candidate in [*ids[place + 1 :], *ids[:place]]:
        if candidate.rpartition("/")[0] == utterance.id.rpartition("/")[0]:
            other_utterance = corpus.load(candidate)
            if other_utterance.speaker == utterance.speaker and other_utterance.text != utterance.text:
                return candidate
    raise UserError(
        f"{utterance.speaker} says nothing but '{utterance.text}' in the {utterance.split} split",
        remedy="Prepare more clips, or leave the control other_sentence out",
    )
