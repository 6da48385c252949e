"""Measuring two revisions in pairs of blocks, each block in a process of its own.

The two processes of a pair run at the same time and take turns, call by call, so that whatever slows the machine down
meets both alike. A revision of before there were turns is measured block by block instead: base, head, head, base, ….
Blocks are kept as they end, and the same command again goes on behind the last of them.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from lipbench.benchmarks.config.requests import GateRequest
from lipbench.benchmarks.gate.measuring import command
from lipbench.benchmarks.gate.measuring.revisions import Revision, last_lines
from lipbench.benchmarks.gate.measuring.turn_server import TurnServer
from lipbench.benchmarks.gate.measuring.watch import wait_and_watch
from lipbench.benchmarks.gate.pairs import CONDITIONS, BlockPair, BlockRecords, Conditions, load_block
from lipbench.benchmarks.gate.verdict import SECOND_LOOK
from lipbench.errors import UserError
from lipbench.files import save_text
from lipbench.records.record import Cell
from lipbench.registry import short_name

log = logging.getLogger(__name__)
SHORTEST_TIMING = {"seconds": 0.001, "least_rounds": 1, "most_rounds": 1}
"""The first run of each side trains and scores; what it times on the way is not used."""


class GateMeasurement:
    """One gate's measurements.

    Args:
        request: what is asked for.
        base: revision to compare with.
        head: revision to judge.
        device: "cpu" or "cuda", which clock to watch.
        held: descriptors that each block's process keeps open, as that of the folder's lock.

    Raises:
        UserError: the folder holds the measurements of another gate.
    """

    def __init__(
        self, request: GateRequest, base: Revision, head: Revision, *, device: str, descriptors: Sequence[int] = ()
    ) -> None:
        self.request = request
        self.base, self.head = base, head
        self.device = device
        self.held = descriptors
        self.out = request.out.resolve()
        self._claim()

    def _claim(self) -> None:
        """Write down what is measured here, so that nothing else is ever mixed in."""
        file = self.out / "gate.json"
        claim = {
            **{side.name: [side.commit, side.changes] for side in (self.base, self.head)},
            "words": command.bench_arguments(self.request, out="", durations=list(self.request.durations)),
        }
        if file.is_file() and json.loads(file.read_text(encoding="utf-8")) != claim:
            raise UserError(
                f"{self.out} holds the measurements of another gate: other revisions, changes or options",
                remedy="Give another out=…, or delete that folder",
            )
        save_text(json.dumps(claim, indent=1), file, "what is gated")

    @cached_property
    def quality(self) -> BlockPair:
        """Both sides trained and scored once."""
        changed_options = {
            "frames": [min(self.request.frames)],
            "durations": list(self.request.durations),
            **SHORTEST_TIMING,
        }
        ready = {side.name: f"ready-{side.name}" for side in (self.base, self.head)}
        base, head = (self._blocks({side: ready[side.name]}, changed_options)[0] for side in (self.base, self.head))
        return BlockPair(_quality_records(base), _quality_records(head))

    @cached_property
    def in_turn(self) -> bool:
        """Whether both revisions ask for turns, as their first runs showed."""
        _ = self.quality
        ready = (load_block(self.out / "blocks" / f"ready-{side.name}") for side in (self.base, self.head))
        return all(block.conditions is not None and block.conditions.turns for block in ready)

    def pairs(self, look: int, cells: Sequence[Cell] | None = None) -> list[BlockPair]:
        """Time both sides in turn.

        Args:
            look: 1, or 2 for flagged cells, with `SECOND_LOOK` times as many pairs.
            cells: those to time; None: all. Others may come with them.
        """
        together = self.in_turn  # and nothing is trained beside a block
        changed_options: dict[str, object] = {"durations": [], "controls": []}
        if cells is not None:
            names = {cell.system for cell in cells}
            models = [name for name in self._models if short_name(name) in names]
            changed_options |= {"models": models, "frames": sorted({cell.frames for cell in cells if cell.frames})}
        block_pairs: list[BlockPair] = []
        n_pairs = self.request.pairs if look == 1 else SECOND_LOOK * self.request.pairs
        for place in range(n_pairs):
            log.info("look %d, pair %d of %d", look, place + 1, n_pairs)
            order = (self.base, self.head) if place % 2 == 0 else (self.head, self.base)
            names = {side: f"{look}-{place:03d}-{side.name}" for side in order}
            groups = [names] if together else [{side: name} for side, name in names.items()]
            blocks = [block for group in groups for block in self._blocks(group, changed_options, cells or ())]
            block_pairs.append(BlockPair(*(blocks if place % 2 == 0 else reversed(blocks))))
        return block_pairs

    @cached_property
    def _models(self) -> list[str]:
        from lipbench.benchmarks.cells.plan import model_names

        return model_names(self.request)

    def _blocks(
        self, names: Mapping[Revision, str], changed_options: Mapping[str, object], cells: Sequence[Cell] = ()
    ) -> list[BlockRecords]:
        """Run a process of each side at the same time, unless their blocks are there.

        Args:
            names: side to the name of its block, the side that begins first.
            changed_options: options of the bench.
            cells: those that the blocks must hold.
        """
        block_folders = {side: self.out / "blocks" / name for side, name in names.items()}
        if not all(_is_usable(folder, cells) for folder in block_folders.values()):
            outputs, conditions = self._run(list(names), changed_options)
            for side, folder in block_folders.items():
                self._keep(folder, side, outputs[side.name], conditions[side.name])
        return [load_block(folder) for folder in block_folders.values()]

    def _run(
        self, sides: Sequence[Revision], changed_options: Mapping[str, object]
    ) -> tuple[dict[str, str], dict[str, Conditions]]:
        """Run one process of each revision, in turn if both support it.

        Return their output and the machine's conditions.
        """
        processes: dict[str, subprocess.Popen[str]] = {}
        with TurnServer(*(side.name for side in sides)) as turn_server:
            try:
                for side in sides:
                    arm = self.out / side.name
                    shutil.rmtree(arm / "records", ignore_errors=True)
                    arguments = command.bench_arguments(self.request, out=str(arm), **changed_options)
                    processes[side.name] = side.run(
                        ["bench", *arguments], descriptors=self.held, turns=turn_server.paths[side.name]
                    )
                outputs, conditions = wait_and_watch(processes, turn_server, self.device)
            finally:
                for process in processes.values():
                    process.kill()
            turns = turn_server.turns
        return outputs, {name: conditions.model_copy(update={"turns": turns[name]}) for name in processes}

    def _keep(self, block_folder: Path, side: Revision, output: str, conditions: Conditions) -> None:
        """Move a block's records to where they stay, all at once.

        Raises:
            UserError: it wrote none, or other code wrote them.
        """
        arm = self.out / side.name
        if not (arm / "records").is_dir():
            raise UserError(
                f"{side.name} ({side.commit[:12]}) left no record: {last_lines(output)}",
                remedy="Mend that, or compare with another revision; what was measured is kept",
            )
        waiting = self.out / f"waiting-{side.name}"
        shutil.rmtree(waiting, ignore_errors=True)
        waiting.mkdir(parents=True)
        (arm / "records").rename(waiting / "records")
        save_text(conditions.model_dump_json(), waiting / CONDITIONS, "the conditions of a block")
        self._check_code(side, load_block(waiting))
        block_folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(block_folder, ignore_errors=True)  # one with failed cells, or of other cells
        waiting.rename(block_folder)

    def _check_code(self, side: Revision, block: BlockRecords) -> None:
        first = self.out / "blocks" / f"ready-{side.name}"
        source = load_block(first).records[0].software.source if first.is_dir() else None
        for record in block.records:
            if record.software.commit != side.commit:
                raise UserError(
                    f"the records of {side.name} are of revision {record.software.commit}, not of {side.commit}",
                    remedy="Run the gate from a git checkout, with nothing else of lipbench on PYTHONPATH",
                )
            if source is not None and record.software.source != source:
                raise UserError(
                    f"the code of {side.name} was changed while it was measured",
                    remedy="Begin anew with another out=…, and leave the checkout alone meanwhile",
                )


def _is_usable(block_folder: Path, cells: Sequence[Cell]) -> bool:
    """Whether a block of an earlier run can stand: nothing in it failed, and it holds these cells."""
    if not block_folder.is_dir():
        return False
    block = load_block(block_folder)
    return all(record.status != "failed" for record in block.records) and all(block.of(cell) for cell in cells)


def _quality_records(block: BlockRecords) -> BlockRecords:
    return BlockRecords(tuple(record for record in block.records if record.cell.kind == "quality"))


def first_look_pairs(run: Path) -> list[BlockPair]:
    """The pairs of a gate's first look, as an A/A run is read.

    Raises:
        UserError: there are none.
    """
    blocks = run / "blocks"
    heads = sorted(blocks.glob("1-*-head"))
    folder_pairs = [(blocks / head.name.replace("-head", "-base"), head) for head in heads]
    pairs = [BlockPair(load_block(base), load_block(head)) for base, head in folder_pairs if base.is_dir()]
    if not pairs:
        raise UserError(f"{run} holds no pairs of a gate", remedy="Make some: lipbench gate base=HEAD head=HEAD out=…")
    return pairs
