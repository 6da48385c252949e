"""Raw times of many blocks of one revision, small enough to keep: what the gate's own error rates are measured with."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lipbench.benchmarks.gate.pairs import Block, Conditions, Pair, calls_s
from lipbench.errors import UserError
from lipbench.files import save_whole
from lipbench.records.latency import Latency, LatencySample
from lipbench.records.record import Cell, Record
from lipbench.records.system import Machine, Software, System

DIGITS = 6
"""Significant digits kept of each time: a millionth of it is far below any noise."""


PARAMETERS = 1
"""What records made from samples say of a model's size: samples hold times only."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SampledBlock(_Frozen):
    """One process."""

    conditions: Conditions | None
    seconds: list[list[float]]
    """Of every timed call, cell by cell in the order of `Samples.cells`."""


class Samples(_Frozen):
    """Blocks in the order in which they were measured."""

    created: str
    command: str
    machine: Machine
    software: Software
    cells: list[Cell]
    blocks: list[SampledBlock]

    def block(self, place: int, seconds: Sequence[Sequence[float]]) -> Block:
        """A block as the gate reads it, with the machine's conditions of one block and times that may be others.

        Args:
            place: of the block whose conditions it has.
            seconds: of every call, cell by cell.
        """
        records = [self._record(cell, times) for cell, times in zip(self.cells, seconds, strict=True)]
        return Block(tuple(records), self.blocks[place].conditions)

    def pairs(self) -> list[Pair]:
        """The blocks as the pairs that they were measured in."""
        blocks = [self.block(place, block.seconds) for place, block in enumerate(self.blocks)]
        return [
            Pair(*in_order(place, Pair(first, second)))
            for place, (first, second) in enumerate(zip(blocks[::2], blocks[1::2], strict=True))
        ]

    def _record(self, cell: Cell, seconds: Sequence[float]) -> Record:
        samples = [LatencySample(wall_s=value) for value in seconds]
        return Record(
            created=self.created,
            command=self.command,
            cell=cell,
            status="measured",
            machine=self.machine,
            software=self.software,
            result=Latency(
                system=System(
                    name=cell.system, title=cell.system, kind="model", preset=cell.preset, parameters=PARAMETERS
                ),
                device=cell.device or "cpu",
                dtype="float32",
                batch=cell.batch or 1,
                frames=cell.frames or 1,
                tokens=1,
                fps=25.0,
                first_call_s=seconds[0],
                warmup=[],
                samples=samples,
                settled=True,
            ),
            seconds=sum(seconds),
        )


def collect(pairs: Sequence[Pair], expected: Sequence[Cell]) -> Samples:
    """Take the times out of an A/A run, its blocks in the order in which they were measured.

    Raises:
        UserError: it holds two revisions, or a block lacks a cell.
    """
    blocks = [block for place, pair in enumerate(pairs) for block in in_order(place, pair)]
    cells = [cell for cell in expected if cell.kind == "latency"]
    revisions = {(record.software.commit, record.software.dirty) for block in blocks for record in block.records}
    if len(revisions) != 1:
        raise UserError("samples of two revisions are no A/A run", remedy="Measure with base= and head= the same")
    sampled = [
        SampledBlock(conditions=block.conditions, seconds=[_times(block, cell) for cell in cells]) for block in blocks
    ]
    first = blocks[0].records[0]
    return Samples(
        created=first.created,
        command=_without_folder(first.command),
        machine=first.machine,
        software=first.software,
        cells=cells,
        blocks=sampled,
    )


def _without_folder(command: str) -> str:
    """A block's command without the place that the gate gave its records: samples are kept, that folder is not."""
    return shlex.join(word for word in shlex.split(command) if not word.startswith("out="))


def in_order(place: int, pair: Pair) -> tuple[Block, Block]:
    """The two blocks of a pair as they were measured: base first in every even pair, head first in every odd one."""
    return (pair.base, pair.head) if place % 2 == 0 else (pair.head, pair.base)


def _times(block: Block, cell: Cell) -> list[float]:
    record = block.of(cell)
    if record is None or not isinstance(record.result, Latency):
        raise UserError(f"a block lacks {cell.key}", remedy="Measure the A/A run again with the same options")
    return [float(f"{seconds:.{DIGITS}g}") for seconds in calls_s(record)]


def save(samples: Samples, file: Path) -> Path:
    """Write samples as JSON, one block a line."""
    text = samples.model_dump(mode="json")
    blocks = ",\n".join(json.dumps(block, separators=(",", ":")) for block in text.pop("blocks"))
    return save_whole(f'{json.dumps(text)[:-1]},\n"blocks":[\n{blocks}\n]}}\n', file, "the samples")


def load(file: Path) -> Samples:
    """Read samples.

    Raises:
        UserError: the file is none.
    """
    try:
        return Samples.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise UserError(
            f"{file} cannot be read as samples: {str(error).splitlines()[0]}",
            remedy="Give a file that lipbench gate wrote with samples=FILE",
        ) from error
