"""Where the files of a GRID download are, and which clip belongs to which split.

Two layouts are read, in one folder even mixed: that of the Zenodo record (``s1/bbaf2n.mpg`` and
``alignments/s1/bbaf2n.align``) and that of the older archives (``s1/video/mpg_6000/bbaf2n.mpg`` and
``s1/align/bbaf2n.align``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from lipbench.corpora.preparation.splits import ListNames, read_lists, split_by_clip
from lipbench.corpora.utterance import Split
from lipbench.errors import UserError

SplitChoice = Literal["public", "unseen", "random"]
"""``public``: the overlapped-speaker lists (255 sentences of each talker for testing). ``unseen``: talkers s1, s2, s20
and s22 for testing. ``random``: a seeded draw of the same share."""

RANDOM_TEST_SHARE = 0.255
"""As in the public lists: 255 of each talker's 1000 sentences."""

_LISTS: dict[str, ListNames] = {
    "public": {"train": ("overlap_train.txt",), "test": ("overlap_test.txt", "overlap_val.txt")},
    "unseen": {"train": ("unseen_train.txt",), "test": ("unseen_test.txt", "unseen_val.txt")},
}
_LIST_LINE = re.compile(r"(s\d+)/(?:[^/]+/)*(\w+)(?:\.\w+)?")
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
    textgrid: Path | None = None
    """A TextGrid of the same clip, if one was asked for and found."""

    @property
    def talker(self) -> str:
        """Such as "s1"."""
        return self.id.partition("/")[0]

    @property
    def code(self) -> str:
        """Such as "bbaf2n"."""
        return self.id.partition("/")[2]


FLAT = "sN/*.mpg with alignments/sN/*.align"
UNZIPPED = "sN/video/mpg_6000/*.mpg with sN/align/*.align"


def find_clips(root: Path, *, textgrids: Path | bool = False) -> list[ClipFiles]:
    """Find all videos below a GRID folder.

    Args:
        root: the download.
        textgrids: whether to look for a TextGrid of each clip too: True beside its ``.align`` file, a folder in that
            (``s1/bbaf2n.TextGrid``, as the Montreal Forced Aligner writes its results, or ``bbaf2n.TextGrid``).

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
    if textgrids is not False:
        clips = [replace(clip, textgrid=_textgrid(clip, None if textgrids is True else textgrids)) for clip in clips]
    return clips


def _textgrid(clip: ClipFiles, folder: Path | None) -> Path | None:
    name = f"{clip.code}.TextGrid"
    places = [clip.alignment.parent / name] if folder is None else [folder / clip.talker / name, folder / name]
    return next((place for place in places if place.is_file()), None)


def describe_layout(clips: list[ClipFiles]) -> str:
    """Say in which of the two layouts clips were found, and how many in each if in both."""
    counts = Counter(FLAT if clip.video.parent.name == clip.talker else UNZIPPED for clip in clips)
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(f"{layout} ({count} clips)" for layout, count in sorted(counts.items()))


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
    return read_lists(root / "splits", _LISTS[split], _LIST_LINE, remedy=_LISTS_REMEDY)


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
    return dict(split_by_clip([clip.id for clip in clips], RANDOM_TEST_SHARE, seed=seed))
