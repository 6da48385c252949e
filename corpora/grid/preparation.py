"""GRID as downloaded, made ready for the shared preparation: its clips, splits, labels and options."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from lipbench.corpora.grid.labels import FPS, GridLabels
from lipbench.corpora.grid.layout import (
    ClipFiles,
    SplitChoice,
    assign_splits,
    describe_layout,
    find_clips,
    read_split_lists,
)
from lipbench.corpora.landmarks import predictor_path
from lipbench.corpora.preparation.clip import Candidate
from lipbench.corpora.preparation.crop import Stabilise
from lipbench.corpora.preparation.film import FilmedClip
from lipbench.corpora.preparation.run import GEOMETRY, SourceCorpus
from lipbench.corpora.utterance import Split
from lipbench.corpora.video import Interpolation
from lipbench.errors import UnknownNameError, UserError

Tokens = Literal["characters", "words", "phones"]
"""What a token is; phones are those of a TextGrid. Stores of different tokens are different stores."""
Durations = Literal["align", "textgrid"]
"""``align``: word times from the ``.align`` file. ``textgrid``: from a TextGrid of P2FA or MFA, for the clips that have
one; the others have their ``.align`` file's, and a note, or are left out where phones are the tokens. Each utterance
names the source of its durations."""

USUAL_FRAMES = 75
MAX_FRAMES = 750
"""A "clip" of more than half a minute is no GRID sentence."""


def find_grid(
    root: Path,
    *,
    split: SplitChoice = "public",
    seed: int = 0,
    stabilise: Stabilise = "frame",
    interpolation: Interpolation = "linear",
    tokens: Tokens = "characters",
    durations: Durations = "align",
    alignments: Path | None = None,
) -> SourceCorpus:
    """Find what a GRID download holds, and how it is to be prepared.

    Args:
        root: the download (see `lipbench.corpora.grid.layout` for what it must hold). Only read.
        split: which clips are for training and testing.
        seed: for ``split="random"``.
        stabilise: one crop window per clip, or one per frame.
        interpolation: of faces that are smaller than the 256 x 256 that they are scaled to.
        tokens: what a token is.
        durations: where word times come from.
        alignments: folder of the TextGrids, for ``durations="textgrid"``; None: they lie beside the ``.align`` files.

    Raises:
        UserError: `root` is no GRID download, an option is unknown, a list is missing, no TextGrid is there, or dlib's
            predictor is not installed.
    """
    for kind, value, choices in (
        ("split", split, SplitChoice),
        ("way to stabilise", stabilise, Stabilise),
        ("interpolation", interpolation, Interpolation),
        ("kind of token", tokens, Tokens),
        ("source of durations", durations, Durations),
    ):
        if value not in get_args(choices):
            raise UnknownNameError(kind, value, get_args(choices))
    if alignments is not None and durations != "textgrid":
        raise UserError("alignments= is a folder of TextGrids", remedy="Ask for them with durations=textgrid")
    if tokens == "phones" and durations != "textgrid":
        raise UserError("GRID's .align files have no phones", remedy="Take those of TextGrids: durations=textgrid")
    # without it every clip would fail
    predictor_path()
    clips = find_clips(root, textgrids=(alignments or True) if durations == "textgrid" else False)
    if durations == "textgrid" and not any(clip.textgrid for clip in clips):
        raise UserError(
            f"there is no TextGrid of any clip {f'in {alignments}' if alignments else 'beside the .align files'}",
            remedy="Give the folder that the aligner wrote, as in alignments=FOLDER with s1/bbaf2n.TextGrid in it",
        )
    lists = None if split == "random" else read_split_lists(root, split)
    splits = assign_splits(clips, lists, seed=seed)
    talkers = {clip.talker for clip in clips}
    listed_clips = {name for name in lists or () if name.partition("/")[0] in talkers}
    options: dict[str, object] = {"geometry": GEOMETRY, "split": split, "stabilise": stabilise}
    # always named: stores from before it could be chosen were made cubically
    options |= {"interpolation": interpolation}
    # named only where they differ from what was the only way before, so that older stores stay what they are
    options |= {"seed": seed} if split == "random" else {}
    options |= {"tokens": tokens} if tokens != "characters" else {}
    options |= {"durations": durations} if durations != "align" else {}
    return SourceCorpus(
        corpus="grid",
        fps=FPS,
        options=options,
        layout=describe_layout(clips),
        clips=tuple(_candidate(clip, splits[clip.id], stabilise, interpolation, tokens, durations) for clip in clips),
        absent=len(listed_clips - splits.keys()),
    )


def _candidate(
    clip: ClipFiles,
    split: Split | None,
    stabilise: Stabilise,
    interpolation: Interpolation,
    tokens: Tokens,
    durations: Durations,
) -> Candidate:
    labels = GridLabels(
        code=clip.code,
        speaker=clip.talker,
        alignment=clip.textgrid or clip.alignment,
        level=tokens,
        wanted="TextGrid" if durations == "textgrid" and clip.textgrid is None else None,
    )
    clip_preparation = FilmedClip(
        id=clip.id,
        speaker=clip.talker,
        split=split or "train",
        video=clip.video,
        labels=labels,
        fps=FPS,
        usual_frames=USUAL_FRAMES,
        max_frames=MAX_FRAMES,
        stabilise=stabilise,
        interpolation=interpolation,
    )
    return Candidate(
        id=clip.id,
        speaker=clip.talker,
        split=split,
        labelled=labels.alignment.is_file(),
        make=clip_preparation,
        digest=clip_preparation.digest,
    )
