"""TCD-TIMIT as downloaded, made ready for the shared preparation: its clips, splits, labels and options."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from lipbench.corpora.landmarks import predictor_path
from lipbench.corpora.preparation.clip import Candidate
from lipbench.corpora.preparation.crop import Stabilise
from lipbench.corpora.preparation.film import FilmedClip
from lipbench.corpora.preparation.run import GEOMETRY, SourceCorpus
from lipbench.corpora.tcd_timit.labels import FPS, PhoneLabels
from lipbench.corpora.tcd_timit.layout import (
    LAYOUT,
    ClipFile,
    SplitChoice,
    assign_splits,
    collect_labels,
    find_clips,
    find_label_files,
    read_split_lists,
)
from lipbench.corpora.utterance import Split
from lipbench.corpora.video import Interpolation
from lipbench.errors import UnknownNameError, UserError

MAX_FRAMES = 600
"""Twenty seconds: no TIMIT sentence is that long."""


def find_tcd_timit(
    root: Path,
    *,
    split: SplitChoice = "public",
    seed: int = 0,
    stabilise: Stabilise = "frame",
    interpolation: Interpolation = "linear",
    tokens: str = "phones",
    alignments: Path | None = None,
) -> SourceCorpus:
    """Find what a TCD-TIMIT download holds, and how it is to be prepared.

    Args:
        root: the download (see `lipbench.corpora.tcd_timit.layout` for what it must hold). Only read.
        split: which clips are for training and testing.
        seed: for ``split="random"``.
        stabilise: one crop window per clip, or one per frame.
        interpolation: of faces that are smaller than the 256 x 256 that they are scaled to.
        tokens: what a token is: "phones", as the labels have nothing else.
        alignments: the master label file; None: every ``.mlf`` file in the download.

    Raises:
        UserError: `root` is no TCD-TIMIT download, an option is unknown, a list or the labels are missing, or dlib's
            predictor is not installed.
    """
    for kind, value, choices in (
        ("split", split, get_args(SplitChoice)),
        ("way to stabilise", stabilise, get_args(Stabilise)),
        ("interpolation", interpolation, get_args(Interpolation)),
        ("kind of token", tokens, ("phones",)),
    ):
        if value not in choices:
            raise UnknownNameError(kind, value, choices)
    # without it every clip would fail
    predictor_path()
    clips = find_clips(root)
    if alignments is not None and not alignments.is_file():
        raise UserError(f"there is no label file {alignments}", remedy="Give the volunteers' .mlf file")
    files = find_label_files(root) if alignments is None else [alignments]
    labels = collect_labels(files)
    lists = None if split == "random" else read_split_lists(root, split)
    splits = assign_splits(clips, lists, seed=seed)
    speakers = {clip.speaker for clip in clips}
    listed_clips = {name for name in lists or () if name.partition("/")[0] in speakers}
    options: dict[str, object] = {"geometry": GEOMETRY, "split": split, "stabilise": stabilise, "tokens": tokens}
    # always named: stores from before it could be chosen were made cubically
    options |= {"interpolation": interpolation}
    options |= {"seed": seed} if split == "random" else {}

    def candidate(clip: ClipFile) -> Candidate:
        phone_labels = PhoneLabels(clip=clip.id, blocks=tuple(labels.get(clip.id, ())))
        return _candidate(clip, splits[clip.id], phone_labels, stabilise, interpolation)

    return SourceCorpus(
        corpus="tcd_timit",
        fps=FPS,
        options=options,
        layout=f"{LAYOUT}, labels in {', '.join(file.name for file in files)}",
        clips=tuple(candidate(clip) for clip in clips),
        absent=len(listed_clips - splits.keys()),
    )


def _candidate(
    clip: ClipFile, split: Split | None, labels: PhoneLabels, stabilise: Stabilise, interpolation: Interpolation
) -> Candidate:
    clip_preparation = FilmedClip(
        id=clip.id,
        speaker=clip.speaker,
        split=split or "train",
        video=clip.video,
        labels=labels,
        fps=FPS,
        max_frames=MAX_FRAMES,
        stabilise=stabilise,
        interpolation=interpolation,
        sentence=clip.sentence,
    )
    return Candidate(
        id=clip.id,
        speaker=clip.speaker,
        split=split,
        labelled=bool(labels.blocks),
        make=clip_preparation,
        digest=clip_preparation.digest,
    )
