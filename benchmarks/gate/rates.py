"""How often the gate is wrong: trials drawn from real blocks of one revision, with and without a slowdown put in.

A trial takes pairs that were measured one after the other (so that drift within them stays), gives their blocks to base
and head as a gate would, draws the calls of each pair again, and slows one cell of head down. Then it decides as a gate
does, the second look at flagged cells included. Blocks as they were measured are decided too, one gate after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lipbench.benchmarks.gate.deciding.decide import two_looks
from lipbench.benchmarks.gate.pairs import Block, Pair
from lipbench.benchmarks.gate.samples import Samples
from lipbench.benchmarks.gate.verdict import ORDER, SECOND_LOOK, Rules, Verdict, place_of
from lipbench.errors import UserError
from lipbench.records.record import Cell

AIMS = {0.0: "fail: at most 1%", 0.05: "fail: at least 90%", 0.10: "fail: at least 99%"}
"""Slowdown put in to what is wanted of the gate."""
LEVEL = 0.95


class End(NamedTuple):
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


def rates(samples: Samples, rules: Rules, *, pairs: int, trials: int, seed: int) -> list[Rate]:
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
    for slowdown in AIMS:
        ends = [_trial(samples, rules, pairs, slowdown, generator) for _ in range(trials)]
        found.append(_rate(f"one cell {slowdown:.0%} slower" if slowdown else "A/A, simulated", ends, slowdown))
    return [*found, _rate("A/A, as measured", list(_as_measured(samples, rules, pairs)), 0.0)]


def _blocks(pairs: int) -> int:
    """Of a gate that needs both looks."""
    return 2 * pairs * (1 + SECOND_LOOK)


def _rate(title: str, ends: Sequence[End], slowdown: float) -> Rate:
    verdicts = Counter(end.verdict for end in ends)
    return Rate(title=title, trials=len(ends), verdicts=verdicts, again=sum(e.again for e in ends), aim=AIMS[slowdown])


def _trial(samples: Samples, rules: Rules, pairs: int, slowdown: float, generator: np.random.Generator) -> End:
    first = 2 * int(generator.integers((len(samples.blocks) - _blocks(pairs)) // 2 + 1))
    slowed = int(generator.integers(len(samples.cells)))
    swapped = bool(generator.integers(2))

    def pair(number: int) -> Pair:
        places = first + 2 * number, first + 2 * number + 1
        # calls that were taken in turn are drawn together: a slow moment of the machine met both
        drawn = [
            generator.random(max(map(len, times)))
            for times in zip(*(samples.blocks[p].seconds for p in places), strict=True)
        ]
        base, head = reversed(places) if (number % 2 == 1) != swapped else places
        return Pair(_redrawn(samples, base, drawn), _redrawn(samples, head, drawn, slowed, 1.0 + slowdown))

    return _decided(samples, pair, pairs, rules)


def _redrawn(
    samples: Samples, place: int, drawn: Sequence[NDArray[np.float64]], slowed: int = 0, factor: float = 1.0
) -> Block:
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


def _as_measured(samples: Samples, rules: Rules, pairs: int) -> Iterator[End]:
    """A/A runs one after the other, each with as many of the measured pairs as it needs: a second look takes more."""
    measured = samples.pairs()
    while 2 * len(measured) >= _blocks(pairs):
        end = _decided(samples, measured.__getitem__, pairs, rules)
        yield end
        measured = measured[pairs * (1 + SECOND_LOOK if end.again else 1) :]


def _decided(samples: Samples, pair: Callable[[int], Pair], pairs: int, rules: Rules) -> End:
    asked: list[list[Cell]] = []

    def again(cells: list[Cell]) -> list[Pair]:
        asked.append(cells)
        return [pair(pairs + number) for number in range(SECOND_LOOK * pairs)]

    decision = two_looks(samples.cells, [pair(number) for number in range(pairs)], again, rules)
    return End(decision.verdict, bool(asked))


def provenance(samples: Samples, rules: Rules, *, pairs: int, seed: int) -> str:
    """What the rates were measured from, as one line."""
    machine, software = samples.machine, samples.software
    commit = (software.commit or "unknown")[:12]
    cells = ", ".join(place_of(cell) for cell in samples.cells)
    margins = "margins widened by an A/A run" if rules.noise else f"margin {rules.margin:.1%}"
    return (
        f"{len(samples.blocks)} blocks of {commit} ({samples.created[:10]}) on {machine.gpu or machine.cpu}, "
        f"cores {machine.cores}, threads {machine.threads}: {cells}; "
        f"{pairs} + {SECOND_LOOK * pairs} pairs, {margins}, seed {seed}"
    )


def table(found: Sequence[Rate]) -> list[str]:
    """Rates with their intervals, as a markdown table."""
    rows = [
        f"| {rate.title} | {rate.trials} | "
        + " | ".join(_shown(rate, verdict) for verdict in ORDER)
        + f" | {rate.again / rate.trials:.0%} | {rate.aim} |"
        for rate in found
        if rate.trials
    ]
    return [
        "| trials | n | " + " | ".join(verdict.value for verdict in ORDER) + " | second look | aim |",
        "|---|---|" + "---|" * len(ORDER) + "---|---|",
        *rows,
    ]


def _shown(rate: Rate, verdict: Verdict) -> str:
    low, high = rate.interval(verdict)
    return f"{rate.share(verdict):.1%} [{100 * low:.1f}, {100 * high:.1f}]"
