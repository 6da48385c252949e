"""Where the files of a TCD-TIMIT download are, and which clip belongs to which split.

volunteers/01M/Clips/straightcam/sa1.mp4
volunteer_labelfiles.mlf                  any .mlf file, here or one folder down
splits/speaker-dependent/train.scp        and test.scp, with lines such as the first one here
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lipbench.corpora.alignments.mlf import LabelBlock, read_blocks
from lipbench.corpora.preparation.splits import ListNames, read_lists, split_by_speaker
from lipbench.corpora.utterance import Split
from lipbench.errors import UserError

SplitChoice = Literal["public", "unseen", "random"]
"""``public``: the recommended speaker-dependent lists (67 sentences of a speaker for training, 31 for testing, 56
speakers). ``unseen``: the speaker-independent lists. ``random``: a seeded draw of 30 % of each speaker's sentences, the
share that the HH-T2L paper names."""

RANDOM_TEST_SHARE = 0.3
LAYOUT = "volunteers/NN[MF]/Clips/straightcam/*.mp4"

_SPEAKER = re.compile(r"\d{2}[MF]")
_CLIP = re.compile(r"(?:.*/)?(\d{2}[MF])/(?:[^/]+/)*(\w+)(?:\.\w+)?")
_LISTS: dict[str, ListNames] = {
    "public": {"train": ("speaker-dependent/train.scp",), "test": ("speaker-dependent/test.scp",)},
    "unseen": {
        "train": ("speaker-independent/volunteers_train.scp",),
        "test": ("speaker-independent/volunteers_test.scp",),
    },
}
_LISTS_REMEDY = (
    "Copy the lists from pyVSR/tcdtimit/splits/ of https://github.com/georgesterpu/pyVSR (lines such as "
    "volunteers/01M/Clips/straightcam/sa1.mp4) into that folder, or choose split=random"
)


@dataclass(frozen=True)
class ClipFile:
    """One clip's video."""

    id: str
    """Speaker and sentence code, such as "01M/sa1"."""
    video: Path

    @property
    def speaker(self) -> str:
        """Such as "01M"."""
        return self.id.partition("/")[0]

    @property
    def sentence(self) -> str:
        """Such as "sa1": whoever says it, it is the same sentence."""
        return self.id.partition("/")[2]


def find_clips(root: Path) -> list[ClipFile]:
    """Find the volunteers' videos of the straight camera, by speaker, then sentence.

    Args:
        root: the folder that holds ``volunteers``, or that folder itself.

    Raises:
        UserError: the folder does not exist or holds no such video.
    """
    if not root.is_dir():
        raise UserError(
            f"there is no TCD-TIMIT folder at {root}", remedy="Give the folder of the download: root=FOLDER"
        )
    home = root / "volunteers" if (root / "volunteers").is_dir() else root
    clips = [
        ClipFile(f"{speaker.name}/{video.stem}", video)
        for speaker in sorted(home.iterdir())
        if _SPEAKER.fullmatch(speaker.name)
        for video in sorted((speaker / "Clips" / "straightcam").glob("*.mp4"))
    ]
    if not clips:
        raise UserError(f"{root} holds no TCD-TIMIT videos", remedy=f"It must hold {LAYOUT}, as the download unzips")
    return clips


def find_label_files(root: Path) -> list[Path]:
    """Find the master label files in a download, or one folder down.

    Raises:
        UserError: there is none.
    """
    label_files = sorted({*root.glob("*.mlf"), *root.glob("*/*.mlf")})
    if not label_files:
        raise UserError(
            f"{root} holds no .mlf file", remedy="Put the volunteers' label file there, or name it: alignments=FILE.mlf"
        )
    return label_files


def collect_labels(files: list[Path]) -> dict[str, list[LabelBlock]]:
    """Read the labels of all straight-camera clips.

    Returns:
        Clip id to its labels, more than one if files, or places in a file, contradict one another.

    Raises:
        AlignmentError: a file is no master label file.
    """
    blocks_by_clip: dict[str, list[LabelBlock]] = {}
    for file in files:
        for block in read_blocks(file):
            match = _CLIP.fullmatch(block.name)
            if match is None or "/30degcam/" in block.name:
                continue
            blocks = blocks_by_clip.setdefault("/".join(match.groups()), [])
            if all(block.lines != other.lines for other in blocks):
                blocks.append(block)
    return blocks_by_clip


def read_split_lists(root: Path, split: SplitChoice) -> dict[str, Split]:
    """Read the train and test lists of a recommended split, from ``splits`` in the download.

    Returns:
        Clip id, such as "01M/sa1", to its split.

    Raises:
        UserError: a list is missing or garbled, or a clip stands in both.
    """
    return read_lists(root / "splits", _LISTS[split], _CLIP, remedy=_LISTS_REMEDY)


def assign_splits(
    clips: list[ClipFile], lists: Mapping[str, Split] | None, *, seed: int = 0
) -> dict[str, Split | None]:
    """Say which split each clip belongs to.

    Args:
        clips: what was found.
        lists: from `read_split_lists`; None draws 30 % of each speaker's sentences.
        seed: for the draw.

    Returns:
        Clip id to split; None for a clip in neither list.
    """
    if lists is not None:
        return {clip.id: lists.get(clip.id) for clip in clips}
    return dict(split_by_speaker([(clip.speaker, clip.id) for clip in clips], RANDOM_TEST_SHARE, seed=seed))
