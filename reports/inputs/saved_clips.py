"""The generated clips that a run kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lipbench.records.run_folder import CLIP_LIST, read_clip_list
from lipbench.reports.tables.quality import QualityRow


@dataclass(frozen=True, kw_only=True)
class SavedClips:
    """What a run kept of one system's clips."""

    files: Mapping[str, Path]
    """Clip to the video of what the system made of it."""
    real: Mapping[str, Path]
    """Clip to the video of the real one; none from runs that are older than that."""
    reason: str | None = None
    """Why there is nothing; None if there is."""


def find_saved_clips(row: QualityRow, root: Path) -> SavedClips:
    """Find the clips that a run kept of one system.

    Args:
        row: of a quality table.
        root: the run's folder.
    """
    if row.failure is not None:
        return _no_clips("the cell failed")
    if row.generated is None:
        return _no_clips("none were kept")
    folder = root / row.generated
    if not _path_within(folder, root):
        return _no_clips(f"{row.generated} lies outside the run's folder")
    try:
        index = read_clip_list(folder)
        files = {clip: folder / entry["file"] for clip, entry in index.items()}
        real = {clip: root / entry["real"] for clip, entry in index.items() if "real" in entry}
    except FileNotFoundError:
        return _no_clips(f"they are not beside the records, where {row.generated.partition('/')[0]}/ should be")
    except OSError as error:
        return _no_clips(f"{row.generated}/{CLIP_LIST} cannot be read: {error.strerror or error}")
    except (ValueError, KeyError, TypeError, AttributeError):
        return _no_clips(f"{row.generated}/{CLIP_LIST} is no list of clips")
    outside = next((path for path in (*files.values(), *real.values()) if not _path_within(path, root)), None)
    if outside is not None:
        return _no_clips(f"{row.generated}/{CLIP_LIST} names a file outside the run's folder")
    return SavedClips(files=files, real=real)


def _no_clips(reason: str) -> SavedClips:
    return SavedClips(files={}, real={}, reason=reason)


def _path_within(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())
