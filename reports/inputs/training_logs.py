"""How the losses of a run's trainings fell, from the CSV logs that they wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from lipbench.records.run_folder import loss_files, training_folders

PREFIX = "loss/"
TOTAL = "loss/total"
"""The weighted sum, which is of other losses in every kind of training."""


@dataclass(frozen=True, kw_only=True)
class TrainingLog:
    """One training."""

    name: str
    """Of its folder, such as ``hh_t2l-small``."""
    losses: dict[str, pd.Series]
    """Name of a loss to what was met after so many updates (the index, rising). Without weights."""


class TrainingLogs(NamedTuple):
    """What the trainings of a run left."""

    logs: list[TrainingLog]
    """In the order of their names."""
    unread: list[str]
    """Files that are no such logs, relative to the run's folder."""


def load_training_logs(root: Path) -> TrainingLogs:
    """Read the logs of all trainings in a run's folder.

    Where a training was taken up again, what it logged from there on takes the place of what an earlier start had
    logged beyond its last checkpoint.
    """
    training_logs = TrainingLogs([], [])
    for folder in training_folders(root):
        log_frame = pd.DataFrame()
        for file in loss_files(folder):
            try:
                start = _one_start(file)
            except (OSError, ValueError, KeyError):  # pandas' own errors are ValueErrors
                training_logs.unread.append(file.relative_to(root).as_posix())
            else:
                log_frame = pd.concat([log_frame.loc[log_frame.index < start.index.min()], start])
        losses = {str(name).removeprefix(PREFIX): pd.Series(log_frame[name]).dropna() for name in log_frame}
        if losses:
            training_logs.logs.append(TrainingLog(name=folder.name, losses=losses))
    return training_logs


def _one_start(file: Path) -> pd.DataFrame:
    """Losses by updates taken; a step may have several lines, and Lightning counts from 0."""
    table = pd.read_csv(file, dtype={"step": int}).groupby("step").first()
    names = [name for name in table.columns if str(name).startswith(PREFIX) and name != TOTAL]
    return pd.DataFrame(table[names].astype(float)).set_axis(table.index + 1)
