"""Praat TextGrids, short or long form, as two tiers of intervals: what the readers of P2FA and MFA files share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from praatio import textgrid
from praatio.utilities.constants import Interval as Entry
from praatio.utilities.errors import PraatioException

from lipbench.corpora.alignments.alignment import SILENCE, AlignmentError, LabelInterval, check_order, read_text

_CUT_OFF_S = 0.001
"""By so much a tier's last interval may end before the tier does."""


def read_tiers(path: Path) -> dict[str, list[LabelInterval]]:
    """Read the interval tiers of a TextGrid.

    Returns:
        Tier name to its intervals as the file has them, labels stripped, in the file's order.

    Raises:
        AlignmentError: the file is missing, empty, no text, no TextGrid or cut off, or intervals overlap.
    """
    # praatio takes anything for a TextGrid that it can split into tiers
    text = read_text(path)
    if "ooTextFile" not in text.partition("\n")[0]:
        raise AlignmentError(f"the alignment {path.name} is no TextGrid")
    try:
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=True, reportingMode="error")
    except PraatioException as error:
        # its messages run over several lines
        raise AlignmentError(f"the alignment {path.name} is damaged: {' '.join(str(error).split())}") from error
    except (ValueError, LookupError) as error:  # praatio's parser checks little, and fails as its indexing does
        raise AlignmentError(f"the alignment {path.name} is damaged: it cannot be parsed as a TextGrid") from error
    tier_count = re.search(r"<exists>\s*(?:size\s*=\s*)?(\d+)", text)
    if tier_count is None or int(tier_count[1]) != len(grid.tiers):
        raise AlignmentError(f"the alignment {path.name} is cut off: not all its tiers are there")
    tiers: dict[str, list[LabelInterval]] = {}
    for tier in grid.tiers:
        if not isinstance(tier, textgrid.IntervalTier):
            continue
        entries = [entry for entry in tier.entries if isinstance(entry, Entry)]
        intervals = [LabelInterval(float(entry.start), float(entry.end), entry.label.strip()) for entry in entries]
        # what a file that was cut off has lost, praatio leaves out without a word
        if not intervals or intervals[-1].end < tier.maxTimestamp - _CUT_OFF_S:
            raise AlignmentError(f"the alignment {path.name} is cut off: the tier '{tier.name}' does not reach its end")
        check_order(intervals, [f"{path.name}, tier '{tier.name}'"] * len(intervals))
        tiers[tier.name] = intervals
    return tiers


def relabel(
    intervals: list[LabelInterval], silences: frozenset[str], *, stress: bool = False
) -> tuple[LabelInterval, ...]:
    """Write labels in lower case, and silences as `SILENCE`.

    Args:
        intervals: from `read_tiers`.
        silences: labels that stand for silence, in lower case.
        stress: whether labels are phones, which may end in a stress digit that is taken off ("AY1" becomes "ay").
    """

    def label(original: str) -> str:
        lower = original.lower()
        if lower in silences:
            return SILENCE
        return re.sub(r"(?<=[a-z])[0-2]$", "", lower) if stress else lower

    return tuple(LabelInterval(i.start, i.end, label(i.label)) for i in intervals)


def find_tier(tiers: Mapping[str, list[LabelInterval]], name: str) -> list[LabelInterval] | None:
    """The tier of this name, upper or lower case."""
    return next((intervals for tier, intervals in tiers.items() if tier.lower() == name), None)
