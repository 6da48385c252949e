"""Where the files of a GRID download are, and which clip belongs to which split.

Two layouts are read, in one folder even mixed: that of the Zenodo record (``s1/bbaf2n.mpg`` and
``alignments/s1/bbaf2n.align``) and that of the older archives (``s1/video/mpg_6000/bbaf2n.mpg`` and
``s1/align/bbaf2n.align``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from corpora.utterance import Split
from models.errors import UserError

SplitChoice = Literal["public", "unseen", "random"]
"""``public``: the overlapped-speaker lists (255 sentences of each talker for testing). ``unseen``: talkers s1, s2, s20
and s22 for testing. ``random``: a seeded draw of the same share."""

RANDOM_TEST_SHARE = 0.255
"""As in the public lists: 255 of each talker's 1000 sentences."""

_LISTS: dict[str, dict[Split, tuple[str, ...]]] = {
    "public": {"train": ("overlap_train.txt",), "test": ("overlap_test.txt", "overlap_val.txt")},
    "unseen": {"train": ("unseen_train.txt",), "test": ("unseen_test.txt", "unseen_val.txt")},
}
_LISTS_REMEDY = (
    "Copy the lists from data/ of https://github.com/VIPL-Audio-Visual-Speech-Understanding/LipNet-PyTorch "
    "(lines such as s1/video/mpg_6000/bbaf2n) into that folder, or choose split=random"
)


@dataclass(frozen=True)
class ClipFiles:
    """The two files of one clip."""

    id: str
    """Talker and file code, such as "s1/bbaf2n"."""
    video: Path
    alignment: Path
    """Where it should be; it may not exist."""

    @property
    def talker(self) -> str:
        """Such as "s1"."""
        return self.id.partition("/")[0]

    @property
    def code(self) -> str:
        """Such as "bbaf2n"."""
        return self.id.partition("/")[2]


def find_clips(root: Path) -> list[ClipFiles]:
    """Find all videos below a GRID folder.

    Returns:
        One entry per clip, by talker number, then code. A clip stored twice (flat, high quality ``mpg_6000``, other
        qualities) is taken from the first of these.

    Raises:
        UserError: the folder does not exist or holds no talker with videos.
    """
    if not root.is_dir():
        raise UserError(f"there is no GRID folder at {root}", remedy="Give the folder of the download: root=FOLDER")
    talkers = sorted((p for p in root.iterdir() if re.fullmatch(r"s\d+", p.name) and p.is_dir()), key=_talker_number)
    clips = [clip for talker in talkers for clip in _clips_of(root, talker)]
    if not clips:
        raise UserError(
            f"{root} holds no GRID videos",
            remedy="It must hold s1/*.mpg with alignments/s1/*.align, or s1/video/mpg_6000/*.mpg with s1/align/*.align",
        )
    return clips


def _talker_number(folder: Path) -> int:
    return int(folder.name[1:])


def _clips_of(root: Path, talker: Path) -> list[ClipFiles]:
    folders = [talker, talker / "video" / "mpg_6000", *sorted((talker / "video").glob("*/"))]
    videos: dict[str, Path] = {}
    for folder in folders:
        for video in sorted(folder.glob("*.mpg")):
            videos.setdefault(video.stem, video)
    clips = []
    for code in sorted(videos):
        places = [root / "alignments" / talker.name / f"{code}.align", talker / "align" / f"{code}.align"]
        alignment = next((place for place in places if place.is_file()), places[0])
        clips.append(ClipFiles(id=f"{talker.name}/{code}", video=videos[code], alignment=alignment))
    return clips


def read_split_lists(root: Path, split: SplitChoice) -> dict[str, Split]:
    """Read the published train and test lists.

    Args:
        root: the GRID folder, with a folder ``splits`` in it.
        split: "public" or "unseen".

    Returns:
        Clip id, such as "s1/bbaf2n", to its split.

    Raises:
        UserError: a list is missing or garbled, or a clip stands in both.
    """
    assigned: dict[str, Split] = {}
    for name, files in _LISTS[split].items():
        path = next((p for file in files if (p := root / "splits" / file).is_file()), None)
        if path is None:
            raise UserError(f"{root / 'splits'} holds no {files[0]}", remedy=_LISTS_REMEDY)
        for clip in _read_list(path):
            if assigned.setdefault(clip, name) != name:
                raise UserError(f"{clip} stands in both lists of {path.parent}", remedy="Delete it from one of them")
    return assigned


def _read_list(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}", remedy=_LISTS_REMEDY) from error
    clips = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = re.fullmatch(r"(s\d+)/(?:[^/]+/)*(\w+)(?:\.\w+)?", line.strip())
        if match is None:
            raise UserError(f"{path} line {number}: {line[:60]!r} names no clip", remedy=_LISTS_REMEDY)
        clips.append(f"{match[1]}/{match[2]}")
    return clips


def assign_splits(
    clips: list[ClipFiles], lists: Mapping[str, Split] | None, *, seed: int = 0
) -> dict[str, Split | None]:
    """Say which split each clip belongs to.

    Args:
        clips: what was found.
        lists: from `read_split_lists`; None draws at random, clip by clip, so that a clip's split does not depend on
            which others are there.
        seed: for the random draw.

    Returns:
        Clip id to split; None for a clip in neither list.
    """
    if lists is not None:
        return {clip.id: lists.get(clip.id) for clip in clips}
    return {clip.id: "test" if _draw(clip.id, seed) < RANDOM_TEST_SHARE else "train" for clip in clips}


def _draw(clip: str, seed: int) -> float:
    """A number in [0, 1) that depends on nothing but the clip's id and the seed."""
    digest = hashlib.sha256(f"{seed}:{clip}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
