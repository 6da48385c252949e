"""What changed between two runs: one metric, one system, one time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lipbench.records.quality import MetricFacts
from lipbench.reports.tables.differences import REDUNDANT_METRICS
from lipbench.statistics.paired import Difference
from lipbench.statistics.timings import Ratio, Timing

QualityWord = Literal["better", "worse", "changed", "no difference shown", "identical", "n too small", "not tested"]
TimeWord = Literal["faster", "slower", "no difference shown", "n too small", "unlike machines"]


@dataclass(frozen=True, kw_only=True)
class MetricChange:
    """One metric of one system in both runs."""

    metric: MetricFacts
    a: float
    """Mean over the clips that both runs scored, weighted by the protocol; or the one value of all clips together."""
    b: float
    identical: bool
    """Whether every clip has the same value in both."""
    difference: Difference | None
    """B minus A, clip by clip; None where all clips have one value together."""

    @property
    def tested(self) -> bool:
        """Whether it is one of the family that p values are corrected for: what did not change needs no test."""
        return self.difference is not None and not self.identical and self.metric.name not in REDUNDANT_METRICS

    @property
    def word(self) -> QualityWord:
        """The verdict on a metric; "better" and "worse" need a significant difference."""
        difference = self.difference
        if self.identical:
            return "identical"
        if difference is None or not self.tested:
            return "not tested"
        if difference.interval is None:
            return "n too small"
        if difference.p_holm is None:  # the runs differ in more than so few clips can tell
            return "not tested"
        if not difference.significant:
            return "no difference shown"
        if self.metric.higher_is_better is None:
            return "changed"
        return "better" if (difference.value > 0) == self.metric.higher_is_better else "worse"


@dataclass(frozen=True, kw_only=True)
class QualityComparison:
    """One system scored alike in both runs."""

    place: str
    protocol: str
    changes: list[MetricChange]
    only_one: int
    """Clips that only one run scored."""


@dataclass(frozen=True, kw_only=True)
class TimeComparison:
    """One system timed alike in both runs: at one length, or on the same utterances."""

    system: str
    frames: int | None
    """None of real utterances, at the lengths that the model chose."""
    where: tuple[str, str]
    """What A and B ran on."""
    a: Timing
    b: Timing
    ratio: Ratio
    """B's time over A's: of medians at one length, of sums over the same utterances."""
    n: int
    """Timed calls of the side that has fewer, or utterances."""
    lengths_differ: int = 0
    """Utterances of which the runs made clips of unequal length."""

    @property
    def word(self) -> TimeWord:
        """What the ratio amounts to."""
        interval = self.ratio.interval
        if self.where[0] != self.where[1]:
            return "unlike machines"
        if interval is None:
            return "n too small"
        return "slower" if interval.low > 1 else "faster" if interval.high < 1 else "no difference shown"
