"""How often the gate is wrong: the study behind the error rates in docs/gate.md.

``python -m lipbench.benchmarks.internals.gate_rates runs/aa --samples samples.json`` keeps the times of an A/A run's
blocks, and decides many gates that are drawn from them, with and without a slowdown put in; given a file of samples
instead of a gate's folder, it decides those.

A trial takes pairs that were measured one after the other (so that drift within them stays), gives their blocks to base
and head as a gate would, draws the calls of each pair again, and slows one cell of head down. Then it decides as a gate
does, the second look at flagged cells included. Blocks as they were measured are decided too, one gate after the other.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from scipy import stats

from lipbench.benchmarks.config.composition import request
from lipbench.benchmarks.config.requests import GateRequest
from lipbench.benchmarks.gate.deciding.decide import decide_in_two_looks
from lipbench.benchmarks.gate.measuring.measure import first_look_pairs
from lipbench.benchmarks.gate.pairs import BlockPair, BlockRecords, Conditions, call_seconds
from lipbench.benchmarks.gate.selftest import drawn_record
from lipbench.benchmarks.gate.verdict import SECOND_LOOK, VERDICT_ORDER, Margins, Verdict, cell_label
from lipbench.errors import UserError
from lipbench.files import save_text
from lipbench.records.record import Cell
from lipbench.records.system import Machine, Software

TARGET_RATES = {0.0: "fail: at most 1%", 0.05: "fail: at least 90%", 0.10: "fail: at least 99%"}
"""Slowdown put in to what is wanted of the gate."""
LEVEL = 0.95
DIGITS = 6
"""Significant digits kept of each time: a millionth of it is far below any noise."""


class SampledBlock(BaseModel):
    """One process."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    conditions: Conditions | None
    seconds: list[list[float]]
    """Of every timed call, cell by cell in the order of `Samples.cells`."""


class Samples(BaseModel):
    """Blocks of one revision in the order in which they were measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    created: str
    command: str
    machine: Machine
    software: Software
    cells: list[Cell]
    blocks: list[SampledBlock]

    def block(self, place: int, seconds: Sequence[Sequence[float]]) -> BlockRecords:
        """A block as the gate reads it, with the conditions of one that was measured and times that may be others."""
        records = [drawn_record(cell, times) for cell, times in zip(self.cells, seconds, strict=True)]
        return BlockRecords(tuple(records), self.blocks[place].conditions)

    def pairs(self) -> list[BlockPair]:
        """The blocks as the pairs that they were measured in."""
        blocks = [self.block(place, block.seconds) for place, block in enumerate(self.blocks)]
        return [
            BlockPair(*in_order(place, BlockPair(first, second)))
            for place, (first, second) in enumerate(zip(blocks[::2], blocks[1::2], strict=True))
        ]


def collect(pairs: Sequence[BlockPair]) -> Samples:
    """Take the times out of an A/A run.

    Raises:
        UserError: it holds two revisions, or a block lacks a cell.
    """
    blocks = [block for place, pair in enumerate(pairs) for block in in_order(place, pair)]
    known = {record.cell.key: record.cell for record in blocks[0].records if record.cell.kind == "latency"}
    cells = sorted(known.values(), key=lambda cell: (cell.system, cell.frames or 0))
    revisions = {(record.software.commit, record.software.dirty) for block in blocks for record in block.records}
    if len(revisions) != 1:
        raise UserError("samples of two revisions are no A/A run", remedy="Measure with base= and head= the same")
    first = blocks[0].records[0]
    return Samples(
        created=first.created,
        # the folder of a block's records is not kept
        command=shlex.join(word for word in shlex.split(first.command) if not word.startswith("out=")),
        machine=first.machine,
        software=first.software,
        cells=cells,
        blocks=[
            SampledBlock(conditions=block.conditions, seconds=[_times(block, cell) for cell in cells])
            for block in blocks
        ],
    )


def in_order(place: int, pair: BlockPair) -> tuple[BlockRecords, BlockRecords]:
    """The two blocks of a pair as they were measured: base first in every even pair, head first in every odd one."""
    return (pair.base, pair.head) if place % 2 == 0 else (pair.head, pair.base)


def _times(block: BlockRecords, cell: Cell) -> list[float]:
    record = block.of(cell)
    if record is None or record.status != "measured":
        raise UserError(f"a block lacks {cell.key}", remedy="Measure the A/A run again with the same options")
    return [float(f"{seconds:.{DIGITS}g}") for seconds in call_seconds(record)]


def save_samples(samples: Samples, file: Path) -> Path:
    """Write samples as JSON, one block a line."""
    facts = samples.model_dump(mode="json")
    blocks = ",\n".join(json.dumps(block, separators=(",", ":")) for block in facts.pop("blocks"))
    return save_text(f'{json.dumps(facts)[:-1]},\n"blocks":[\n{blocks}\n]}}\n', file, "the samples")


def load_samples(source: Path) -> Samples:
    """Read samples from their file, or from a gate's folder.

    Raises:
        UserError: it is neither.
    """
    if source.is_dir():
        return collect(first_look_pairs(source))
    try:
        return Samples.model_validate_json(source.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise UserError(
            f"{source} cannot be read as samples: {str(error).splitlines()[0]}",
            remedy="Give a gate's folder, or a file that --samples wrote",
        ) from error


class TrialResult(NamedTuple):
    """How one trial ended."""

    verdict: Verdict
    again: bool
    """Whether it needed the second look."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Verdicts of many trials of one kind."""

    title: str
    trials: int
    verdicts: Counter[Verdict]
    again: int
    """Trials that needed the second look."""
    aim: str
    """For readers."""

    def share(self, verdict: Verdict) -> float:
        """How many of the trials ended so, 0 to 1."""
        return self.verdicts[verdict] / self.trials

    def interval(self, verdict: Verdict) -> tuple[float, float]:
        """The 95 % interval of that share, by Clopper and Pearson (Biometrika 26, 1934): exact for separate trials."""
        found = stats.binomtest(self.verdicts[verdict], self.trials).proportion_ci(LEVEL, method="exact")
        return float(found.low), float(found.high)


def measure_rates(samples: Samples, rules: Margins, *, pairs: int, trials: int, seed: int) -> list[Rate]:
    """Simulate gates without a change and with slowdowns, and decide the real A/A runs that the samples hold.

    Args:
        samples: blocks of one revision.
        rules: margins.
        pairs: that a gate measures; `SECOND_LOOK` times as many follow for flagged cells.
        trials: of each kind.
        seed: of everything random.

    Raises:
        UserError: there are fewer blocks than one gate needs.
    """
    needed = _blocks(pairs)
    if len(samples.blocks) < needed:
        raise UserError(
            f"{len(samples.blocks)} blocks are fewer than one gate of {pairs} pairs may need ({needed})",
            remedy="Measure more (pairs=…), or simulate with fewer pairs",
        )
    generator = np.random.default_rng(seed)
    found: list[Rate] = []
    for slowdown in TARGET_RATES:
        ends = [_trial(samples, rules, pairs, slowdown, generator) for _ in range(trials)]
        found.append(_rate(f"one cell {slowdown:.0%} slower" if slowdown else "A/A, simulated", ends, slowdown))
    return [*found, _rate("A/A, as measured", list(_decide_measured(samples, rules, pairs)), 0.0)]


def _blocks(pairs: int) -> int:
    """The number of blocks that a gate with both looks needs."""
    return 2 * pairs * (1 + SECOND_LOOK)


def _rate(title: str, ends: Sequence[TrialResult], slowdown: float) -> Rate:
    verdicts = Counter(end.verdict for end in ends)
    return Rate(
        title=title, trials=len(ends), verdicts=verdicts, again=sum(e.again for e in ends), aim=TARGET_RATES[slowdown]
    )


def _trial(
    samples: Samples, rules: Margins, pairs: int, slowdown: float, generator: np.random.Generator
) -> TrialResult:
    first = 2 * int(generator.integers((len(samples.blocks) - _blocks(pairs)) // 2 + 1))
    slowed = int(generator.integers(len(samples.cells)))
    swapped = bool(generator.integers(2))

    def pair(number: int) -> BlockPair:
        places = first + 2 * number, first + 2 * number + 1
        # calls that were taken in turn are drawn together: a slow moment of the machine met both
        drawn = [
            generator.random(max(map(len, times)))
            for times in zip(*(samples.blocks[p].seconds for p in places), strict=True)
        ]
        base, head = reversed(places) if (number % 2 == 1) != swapped else places
        return BlockPair(
            _resample_block(samples, base, drawn), _resample_block(samples, head, drawn, slowed, 1.0 + slowdown)
        )

    return _decide(samples, pair, pairs, rules)


def _resample_block(
    samples: Samples, place: int, drawn: Sequence[NDArray[np.float64]], slowed: int = 0, factor: float = 1.0
) -> BlockRecords:
    """A block whose calls are drawn again, those of one cell longer than they were.

    Args:
        samples: all blocks.
        place: of the block.
        drawn: for each cell and call, which of the block's calls to take, as a share of them, 0 to 1.
        slowed: the cell that is slowed down.
        factor: how much.
    """
    seconds = [
        np.asarray(times)[(share[: len(times)] * len(times)).astype(int)]
        for times, share in zip(samples.blocks[place].seconds, drawn, strict=True)
    ]
    seconds[slowed] = seconds[slowed] * factor
    return samples.block(place, [times.tolist() for times in seconds])


def _decide_measured(samples: Samples, rules: Margins, pairs: int) -> Iterator[TrialResult]:
    """A/A runs one after the other, each with as many of the measured pairs as it needs: a second look takes more."""
    measured = samples.pairs()
    while 2 * len(measured) >= _blocks(pairs):
        end = _decide(samples, measured.__getitem__, pairs, rules)
        yield end
        measured = measured[pairs * (1 + SECOND_LOOK if end.again else 1) :]


def _decide(samples: Samples, pair: Callable[[int], BlockPair], pairs: int, rules: Margins) -> TrialResult:
    asked: list[list[Cell]] = []

    def again(cells: list[Cell]) -> list[BlockPair]:
        asked.append(cells)
        return [pair(pairs + number) for number in range(SECOND_LOOK * pairs)]

    decision = decide_in_two_looks(samples.cells, [pair(number) for number in range(pairs)], again, rules)
    return TrialResult(decision.verdict, bool(asked))


def provenance(samples: Samples, rules: Margins, *, pairs: int, seed: int) -> str:
    """What the rates were measured from, as one line."""
    machine, software = samples.machine, samples.software
    commit = (software.commit or "unknown")[:12]
    cells = ", ".join(cell_label(cell) for cell in samples.cells)
    return (
        f"{len(samples.blocks)} blocks of {commit} ({samples.created[:10]}) on {machine.gpu or machine.cpu}, "
        f"cores {machine.cores}, threads {machine.threads}: {cells}; "
        f"{pairs} + {SECOND_LOOK * pairs} pairs, margin {rules.margin:.1%}, seed {seed}"
    )


def table(found: Sequence[Rate]) -> list[str]:
    """Rates with their intervals, as a markdown table."""
    rows = [
        f"| {rate.title} | {rate.trials} | "
        + " | ".join(_cell_text(rate, verdict) for verdict in VERDICT_ORDER)
        + f" | {rate.again / rate.trials:.0%} | {rate.aim} |"
        for rate in found
        if rate.trials
    ]
    return [
        "| trials | n | " + " | ".join(verdict.value for verdict in VERDICT_ORDER) + " | second look | aim |",
        "|---|---|" + "---|" * len(VERDICT_ORDER) + "---|---|",
        *rows,
    ]


def _cell_text(rate: Rate, verdict: Verdict) -> str:
    low, high = rate.interval(verdict)
    return f"{rate.share(verdict):.1%} [{100 * low:.1f}, {100 * high:.1f}]"


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The gate's error rates, from the times of an A/A run.")
    parser.add_argument("source", type=Path, help="folder of a gate of HEAD against HEAD, or a file of samples")
    parser.add_argument("--samples", type=Path, help="file to keep the times in")
    parser.add_argument("--pairs", type=int, default=10, help="that a gate measures (default: 10)")
    parser.add_argument("--trials", type=int, default=200, help="of each kind (default: 200)")
    parser.add_argument("--margin", type=float, help="slowdown that passes (default: that of the gate's config)")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; the exit code is 2 for samples that cannot be used."""
    asked = _arguments(words)
    try:
        samples = load_samples(asked.source)
        if asked.samples is not None:
            save_samples(samples, asked.samples)
        config = request("gate", GateRequest, [])
        usual = config.margin if samples.cells[0].device == "cuda" else max(config.margin, config.cpu_margin)
        rules = Margins(margin=usual if asked.margin is None else asked.margin, seed=asked.seed)
        found = measure_rates(samples, rules, pairs=asked.pairs, trials=asked.trials, seed=asked.seed)
    except UserError as error:
        print(f"gate_rates: {error}", file=sys.stderr)
        return 2
    print("\n".join([*table(found), "", provenance(samples, rules, pairs=asked.pairs, seed=asked.seed)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
