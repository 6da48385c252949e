"""How often the gate is wrong: trials drawn from real blocks of one revision, with and without a slowdown put in.

A trial takes blocks that were measured one after the other (so that drift within them stays), gives them to base and
head as a gate would, draws each block's calls again, and slows one cell of head down. Then it decides as a gate does,
the second look at flagged cells included.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.gate.decide import two_looks
from benchmarks.gate.pairs import Block, Pair
from benchmarks.gate.rules import Rules
from benchmarks.gate.samples import Samples
from benchmarks.gate.verdict import ORDER, Verdict
from models.errors import UserError

SLOWDOWNS = (0.0, 0.05, 0.10)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Verdicts of many trials of one kind."""

    title: str
    trials: int
    verdicts: Counter[Verdict]

    def share(self, verdict: Verdict) -> float:
        """How many of the trials ended so, 0 to 1."""
        return self.verdicts[verdict] / self.trials


def rates(samples: Samples, rules: Rules, *, pairs: int, trials: int, seed: int) -> list[Rate]:
    """Simulate gates without a change and with slowdowns, and decide the real A/A runs that the samples hold.

    Args:
        samples: blocks of one revision.
        rules: margins.
        pairs: that a gate measures, and measures once more for flagged cells.
        trials: of each kind.
        seed: of everything random.

    Raises:
        UserError: there are fewer blocks than one gate needs.
    """
    needed = 4 * pairs
    if len(samples.blocks) < needed:
        raise UserError(
            f"{len(samples.blocks)} blocks are fewer than one gate of {pairs} pairs may need ({needed})",
            remedy="Measure more (pairs=…), or simulate with fewer pairs",
        )
    generator = np.random.default_rng(seed)
    found: list[Rate] = []
    for slowdown in SLOWDOWNS:
        verdicts = Counter(_trial(samples, rules, pairs, slowdown, generator) for _ in range(trials))
        title = f"one cell {slowdown:.0%} slower" if slowdown else "A/A, simulated"
        found.append(Rate(title=title, trials=trials, verdicts=verdicts))
    real = [_real(samples, rules, pairs, start) for start in range(0, len(samples.blocks) - needed + 1, needed)]
    return [*found, Rate(title="A/A, as measured", trials=len(real), verdicts=Counter(real))]


def _trial(samples: Samples, rules: Rules, pairs: int, slowdown: float, generator: np.random.Generator) -> Verdict:
    start = int(generator.integers(len(samples.blocks) - 4 * pairs + 1))
    slowed = int(generator.integers(len(samples.cells)))
    swapped = bool(generator.integers(2))

    def block(place: int, factor: float) -> Block:
        seconds = [generator.choice(times, size=len(times)) for times in samples.blocks[place].seconds]
        seconds[slowed] = seconds[slowed] * factor
        return samples.block(place, [times.tolist() for times in seconds])

    def pair(number: int) -> Pair:
        first, second = start + 2 * number, start + 2 * number + 1
        base, head = (second, first) if (number % 2 == 1) != swapped else (first, second)
        return Pair(block(base, 1.0), block(head, 1.0 + slowdown))

    return _decided(samples, pair, pairs, rules)


def _real(samples: Samples, rules: Rules, pairs: int, start: int) -> Verdict:
    """One A/A run as it was measured."""

    def pair(number: int) -> Pair:
        first, second = start + 2 * number, start + 2 * number + 1
        base, head = (second, first) if number % 2 == 1 else (first, second)
        return Pair(
            samples.block(base, samples.blocks[base].seconds), samples.block(head, samples.blocks[head].seconds)
        )

    return _decided(samples, pair, pairs, rules)


def _decided(samples: Samples, pair: Callable[[int], Pair], pairs: int, rules: Rules) -> Verdict:
    first = [pair(number) for number in range(pairs)]
    return two_looks(samples.cells, first, lambda _: [pair(pairs + number) for number in range(pairs)], rules).verdict


def table(found: Sequence[Rate]) -> list[str]:
    """Rates as a markdown table."""
    rows = [
        f"| {rate.title} | {rate.trials} | " + " | ".join(f"{rate.share(verdict):.1%}" for verdict in ORDER) + " |"
        for rate in found
        if rate.trials
    ]
    return [
        "| trials | n | " + " | ".join(verdict.value for verdict in ORDER) + " |",
        "|---|---|" + "---|" * len(ORDER),
        *rows,
    ]
