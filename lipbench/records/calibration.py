"""A run's calibration: our metrics beside other libraries' on fixed inputs, kept in its folder for reports."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from lipbench.errors import UserError
from lipbench.files import save_text
from lipbench.records.run_folder import CALIBRATION


class CalibrationRow(BaseModel):
    """One comparison."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str
    setting: str
    """What both computed, in words."""
    ours: float
    reference: float
    source: str
    """Distribution and version of the reference."""
    difference: float
    kind: Literal["absolute", "relative"]
    allowed: float
    passed: bool


class Calibration(BaseModel):
    """All comparisons that could be made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: list[CalibrationRow]
    absent: list[str]
    """References that were not installed, so that nothing was compared with them."""


def save_calibration(calibration: Calibration, run: Path) -> Path:
    """Keep a calibration in a run's folder; a reader never sees half of it.

    Raises:
        UserError: the folder cannot be written to.
    """
    return save_text(calibration.model_dump_json(indent=1), run / CALIBRATION, "the calibration")


def load_calibration(run: Path) -> Calibration | None:
    """Read a run's calibration; None if none was made.

    Raises:
        UserError: the file is damaged.
    """
    path = run / CALIBRATION
    if not path.is_file():
        return None
    try:
        return Calibration.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise UserError(
            f"{path} is no calibration: {str(error).splitlines()[0]}", remedy="Delete it and run lipbench controls"
        ) from error
