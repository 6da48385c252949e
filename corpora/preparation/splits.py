"""Which clip is for training and which for testing: published lists, or a draw by seed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from lipbench.corpora.utterance import Split
from lipbench.errors import UserError

ListNames = Mapping[Split, tuple[str, ...]]
"""Split to the file names that its list may have, below the folder of the lists."""


def read_lists(folder: Path, names: ListNames, pattern: re.Pattern[str], *, remedy: str) -> dict[str, Split]:
    """Read the train and the test list of a published split: one clip a line.

    Args:
        folder: where the lists are.
        names: what they may be called.
        pattern: of a whole line; its groups, joined by "/", are the clip's id.
        remedy: where to get the lists, for the message.

    Returns:
        Clip id to its split.

    Raises:
        UserError: a list is missing or garbled, or a clip stands in both.
    """
    splits: dict[str, Split] = {}
    for split, files in names.items():
        path = next((p for file in files if (p := folder / file).is_file()), None)
        if path is None:
            raise UserError(f"{folder} holds no {files[0]}", remedy=remedy)
        for clip in _read_list(path, pattern, remedy):
            if splits.setdefault(clip, split) != split:
                raise UserError(f"{clip} stands in both lists of {path.parent}", remedy="Delete it from one of them")
    return splits


def _read_list(path: Path, pattern: re.Pattern[str], remedy: str) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}", remedy=remedy) from error
    clips = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = pattern.fullmatch(line.strip())
        if match is None:
            raise UserError(f"{path} line {number}: {line[:60]!r} names no clip", remedy=remedy)
        clips.append("/".join(match.groups()))
    return clips


def split_by_clip(clips: Sequence[str], share: float, *, seed: int) -> dict[str, Split]:
    """Draw clip by clip, so that a clip's split does not depend on which others are there.

    Args:
        clips: ids.
        share: part that is for testing, 0 to 1: of many clips, about so many.
        seed: for the draw.
    """
    return {clip: "test" if _draw(clip, seed) < share else "train" for clip in clips}


def split_by_speaker(clips: Sequence[tuple[str, str]], share: float, *, seed: int) -> dict[str, Split]:
    """Draw the same share of every speaker's clips.

    Args:
        clips: (speaker, id).
        share: part of each speaker's that is for testing, 0 to 1, to the nearest whole clip.
        seed: for the draw.
    """
    of_speaker: dict[str, list[str]] = {}
    for speaker, clip in clips:
        of_speaker.setdefault(speaker, []).append(clip)
    splits: dict[str, Split] = {}
    for speaker_clips in of_speaker.values():
        sorted_clips = sorted(speaker_clips, key=lambda clip: _draw(clip, seed))
        n_test = int(share * len(sorted_clips) + 0.5)
        splits |= {clip: "test" if place < n_test else "train" for place, clip in enumerate(sorted_clips)}
    return splits


def _draw(clip: str, seed: int) -> float:
    """A number in [0, 1) that depends on nothing but the clip's id and the seed."""
    digest = hashlib.sha256(f"{seed}:{clip}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
