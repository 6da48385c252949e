"""How the losses of a run's trainings fell, from the CSV logs that they wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PREFIX = "loss/"
TOTAL = "total"
"""The weighted sum, which is of other losses in every kind of training."""

Losses = dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]
"""Name of a loss to updates taken, rising, and the loss that was met there. Without weights."""


@dataclass(frozen=True, kw_only=True)
class TrainingLog:
    """One training."""

    name: str
    """Of its folder, such as ``hh_t2l-small``."""
    losses: Losses


def load_training_logs(root: Path) -> tuple[list[TrainingLog], list[str]]:
    """Read the logs of all trainings in a run's folder (``train/NAME/csv/from_step_…/metrics.csv``).

    Where a training was taken up again, what it logged from there on takes the place of what an earlier start had
    logged beyond its last checkpoint.

    Returns:
        The trainings in the order of their names, and the files that are no such logs, relative to `root`.
    """
    logs: list[TrainingLog] = []
    unread: list[str] = []
    for folder in sorted(path for path in root.glob("train/*") if path.is_dir()):
        starts: list[Losses] = []
        for file in sorted(folder.glob("csv/from_step_*/metrics.csv")):
            try:
                starts.append(_one_start(file))
            except (OSError, ValueError, KeyError):  # pandas' own errors are ValueErrors
                unread.append(file.relative_to(root).as_posix())
        losses = _joined(starts)
        if losses:
            logs.append(TrainingLog(name=folder.name, losses=losses))
    return logs, unread


def _one_start(file: Path) -> Losses:
    """Each loss at the updates taken there; Lightning counts its steps from 0."""
    table = pd.read_csv(file)
    taken = table["step"].to_numpy(dtype=np.int64) + 1
    found: Losses = {}
    for column in table.columns:
        values = table[column].to_numpy()
        if str(column).startswith(PREFIX) and column != PREFIX + TOTAL:
            values = values.astype(np.float64)
            logged = np.isfinite(values)
            found[str(column).removeprefix(PREFIX)] = taken[logged], values[logged]
    return found


def _joined(starts: list[Losses]) -> Losses:
    whole: Losses = {}
    for start in starts:
        first = min((steps[0] for steps, _ in start.values() if len(steps)), default=np.inf)
        kept = {name: (steps[steps < first], values[steps < first]) for name, (steps, values) in whole.items()}
        none = np.empty(0, dtype=np.int64), np.empty(0)
        pairs = {name: (kept.get(name, none), start.get(name, none)) for name in {**kept, **start}}
        whole = {
            name: (np.concatenate([before[0], after[0]]), np.concatenate([before[1], after[1]]))
            for name, (before, after) in pairs.items()
        }
    return {name: loss for name, loss in whole.items() if len(loss[0])}
