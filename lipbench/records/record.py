"""The record: one JSON file per cell, from which every report is made.

A record says what was asked, what that resolved to, on what machine and code it ran, how it ended, and the raw values.
Statistics are never stored, only derived. A cell that failed is a record with status "failed", not a gap.

History of the format:
    1: first version.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lipbench.records.frozen import FrozenModel as _Frozen
from lipbench.records.latency import Latency, UtteranceLatency
from lipbench.records.quality import Quality
from lipbench.records.system import Machine, Software

SCHEMA_VERSION = 1


class Failure(_Frozen):
    """Why a cell has no result."""

    type: str
    message: str


class Cell(_Frozen):
    """The request that a record answers. Cells that differ in any field have separate records."""

    kind: Literal["quality", "latency", "natural"]
    system: str
    role: Literal["model", "control"] = "model"
    preset: str | None = None
    options: dict[str, object] = Field(default_factory=dict)
    checkpoint: str | None = None
    """The checkpoint's file, if one was named; None: the one that the run itself trained, or none."""
    corpus: str | None = None
    corpus_options: dict[str, object] = Field(default_factory=dict)
    split: str | None = None
    limit: int | None = None
    """Most clips to score; None: all."""
    durations: Literal["true", "predicted"] | None = None
    protocol: str | None = None
    metrics: list[str] | None = None
    """Those asked for; None: all."""
    frames: int | None = None
    batch: int | None = None
    device: str | None = None
    variant: str | None = None
    """How the model is run; None: as it is."""
    timer: Literal["synchronised", "unsynchronised"] | None = None

    @property
    def key(self) -> str:
        """A name, unique within a run, that is also the record's file name: readable first, then a digest of it all."""
        parts = [self.kind, self.system, self.corpus, self.durations, self.preset, self.device, self.variant]
        key_parts = [part for part in parts if part]
        if self.frames is not None:
            key_parts.append(f"{self.frames:04d}")
        readable = "-".join("".join(c if c.isalnum() or c in "._" else "_" for c in part) for part in key_parts)
        # cells of records that are older than these fields keep their names
        newer = {field for field in ("variant", "timer") if getattr(self, field) is None}
        digest = hashlib.sha256(self.model_dump_json(exclude=newer).encode()).hexdigest()
        return f"{readable[:100]}-{digest[:8]}"


class Record(_Frozen):
    """One cell, ended one way or another."""

    version: Literal[1] = SCHEMA_VERSION
    created: str
    """UTC, ISO 8601."""
    command: str
    """The command line that made it."""
    request: dict[str, object] = Field(default_factory=dict)
    """All options of that command, as they were understood."""
    cell: Cell
    status: Literal["measured", "failed", "not_attempted"]
    machine: Machine
    software: Software
    result: Annotated[Quality | Latency | UtteranceLatency, Field(discriminator="kind")] | None = None
    failure: Failure | None = None
    seconds: float
    """How long the whole cell took, loading and warm-up included."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Record:
        is_measured = self.status == "measured"
        if is_measured != (self.result is not None) or is_measured != (self.failure is None):
            raise ValueError("a measured record has a result and no failure, any other one the reverse")
        if self.result is not None and self.result.kind != self.cell.kind:
            raise ValueError(f"the cell asks for {self.cell.kind}, the result is {self.result.kind}")
        return self
