"""What the gate decides from: blocks of records, measured in pairs, one of each revision, call by call in turn."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lipbench.errors import UserError
from lipbench.records.files import load_records
from lipbench.records.latency import Latency, LatencySample
from lipbench.records.record import Cell, Record

CONDITIONS = "conditions.json"


class Conditions(BaseModel):
    """State of the machine while a block was measured; None where there is no reading."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    foreign_cores: float | None = None
    """Cores that other processes kept busy, averaged over the block."""
    pulse_s: float | None = None
    """Seconds that a fixed calculation took, the shorter of before and after the block."""
    clock_mhz: float | None = None
    """Clock of the device that was measured, averaged over the block."""
    turns: int | None = None
    """Timed calls that were taken in turn with the other side's; 0 or None: the block was measured by itself."""


@dataclass(frozen=True)
class BlockRecords:
    """All records of one process of one revision."""

    records: tuple[Record, ...]
    conditions: Conditions | None = None
    """None if the machine was not monitored."""

    def of(self, cell: Cell) -> Record | None:
        """The record of a cell, whatever name its file had: a digest of an older revision may differ."""
        return next((record for record in self.records if record.cell == cell), None)


@dataclass(frozen=True)
class BlockPair:
    """Two blocks that were measured in turn, or one right after the other."""

    base: BlockRecords
    head: BlockRecords


RecordPair = tuple[Record, Record]
"""Records of one cell out of one pair: base, head."""


def typical_seconds(record: Record) -> float:
    """Typical time of one call of a latency record: the median of `call_seconds`.

    Returns:
        Seconds.

    Raises:
        ValueError: the record has no latency.
    """
    return statistics.median(call_seconds(record))


def call_seconds(record: Record) -> list[float]:
    """Time of every call of a latency record, the device's own where all calls have it.

    Returns:
        Seconds.

    Raises:
        ValueError: the record has no latency.
    """
    if not isinstance(record.result, Latency):
        raise ValueError(f"{record.cell.key} holds no latency")
    return _times_of(record.result.samples)


def typical_sample_seconds(samples: Sequence[LatencySample]) -> float:
    """The median of samples, of the device's own times where all have them; in seconds."""
    return statistics.median(_times_of(samples))


def _times_of(samples: Sequence[LatencySample]) -> list[float]:
    device = [sample.device_s for sample in samples if sample.device_s is not None]
    return device if len(device) == len(samples) else [sample.wall_s for sample in samples]


def load_block(folder: Path) -> BlockRecords:
    """Read one block: a run's folder, with how the machine was where that was written down, beside it or in it.

    Raises:
        UserError: there is no record, or one that cannot be read.
    """
    file = folder / CONDITIONS
    conditions = None
    if file.is_file():
        try:
            conditions = Conditions.model_validate_json(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            raise UserError(f"{file} cannot be read: {error}", remedy=f"Delete {folder} and measure again") from error
    records = tuple(load_records(folder))
    return BlockRecords(records, conditions or _recorded_clock_mhz(records))


def _recorded_clock_mhz(records: Sequence[Record]) -> Conditions | None:
    """The mean clock of the measured device, in MHz, from the records' telemetry."""
    telemetry = [
        reading for record in records if isinstance(record.result, Latency) for reading in record.result.telemetry
    ]
    clocks = [statistics.fmean(reading.gpu_sm_mhz) for reading in telemetry if reading.gpu_sm_mhz]
    clocks = clocks or [reading.cpu_mhz for reading in telemetry if reading.cpu_mhz]
    return Conditions(clock_mhz=statistics.fmean(clocks)) if clocks else None


def load_pairs(base: Sequence[Path], head: Sequence[Path]) -> list[BlockPair]:
    """Read runs that were measured elsewhere and pair them in the given order.

    Raises:
        UserError: they are not as many, or one cannot be read.
    """
    if len(base) != len(head):
        raise UserError(
            f"{len(base)} runs of base and {len(head)} of head make no pairs",
            remedy="Give as many of one as of the other, in the order in which they were measured",
        )
    return [
        BlockPair(load_block(base_run), load_block(head_run)) for base_run, head_run in zip(base, head, strict=True)
    ]


def log_ratio(base: Record, head: Record) -> float:
    """How much longer head's calls took, as a logarithm: the median over calls of one number, base's and head's.

    Calls of one number were taken right after each other where the sides took turns, so what slowed the machine down
    for longer than a call is in both and cancels. Calls that only one side has are left out.

    Raises:
        ValueError: a record has no latency.
    """
    return statistics.median(
        math.log(after / before) for before, after in zip(call_seconds(base), call_seconds(head), strict=False)
    )
