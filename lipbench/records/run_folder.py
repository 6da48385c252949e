"""The files of a run's folder: the only place that knows their names.

    records/KEY.json                 one record per cell
    calibration.json                 metrics beside other libraries'
    strips/NAME.safetensors          sample frames of a scored system
    generated/NAME/clips.json        the list of the clips that were kept, and the videos that it names
    real/FINGERPRINT-HxW/            the real clips beside them, which the cells of a run share
    train/NAME/last.ckpt             the checkpoint of a training
    train/NAME/csv/from_step_N/      its losses, one folder for each start

What a record names (strip, generated clips) is relative to the run's folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CALIBRATION = "calibration.json"
CLIP_LIST = "clips.json"
CHECKPOINT = "last.ckpt"
LOSSES = "metrics.csv"
TRAININGS = "train"
LOGS = "csv"


def records_folder(run: Path) -> Path:
    """Where the records of a run lie."""
    return run / "records"


def strip_name(name: str) -> str:
    """Sample frames of a cell of that name, relative to the run's folder."""
    return f"strips/{name}.safetensors"


def generated_name(name: str) -> str:
    """The folder of the clips kept of a cell of that name, relative to the run's folder."""
    return f"generated/{name}"


def real_name(fingerprint: str, frame_size: tuple[int, int], file: str) -> str:
    """The video of a real clip, relative to the run's folder.

    Args:
        fingerprint: of the corpus.
        frame_size: (H, W), at which the clips were scored.
        file: the clip's own.
    """
    height, width = frame_size
    return f"real/{fingerprint[:12]}-{height}x{width}/{file}"


def read_clip_list(folder: Path) -> dict[str, dict[str, Any]]:
    """What was kept of each clip, in the order of scoring: video, durations, real video.

    Args:
        folder: of a cell's generated clips.

    Raises:
        OSError: the list is not there or cannot be read.
        ValueError: it is no such list.
    """
    clips = json.loads((folder / CLIP_LIST).read_text(encoding="utf-8"))
    if not isinstance(clips, dict) or not all(isinstance(clip, dict) and "file" in clip for clip in clips.values()):
        raise ValueError(f"{CLIP_LIST} is no list of clips")
    return clips


def checkpoint_path(run: Path, name: str) -> Path:
    """The checkpoint of a training of that name."""
    return run / TRAININGS / name / CHECKPOINT


def training_folders(run: Path) -> list[Path]:
    """The folders of all trainings of a run, by name."""
    return sorted(path for path in run.glob(f"{TRAININGS}/*") if path.is_dir())


def log_version(started: int) -> str:
    """The folder, in that of the logs, of what a training logs that starts at a step."""
    return f"from_step_{started:06d}"


def loss_files(training: Path) -> Iterator[Path]:
    """The CSV files of a training's losses, one for each start, the first start first."""
    yield from sorted(training.glob(f"{LOGS}/from_step_*/{LOSSES}"))
