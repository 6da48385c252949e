"""Verdicts of single checks and of the whole gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from lipbench.records.record import Cell

CheckKind = Literal["manifest", "latency", "scaling", "costs", "quality"]


class Verdict(Enum):
    """How a check ended."""

    PASS = "pass"
    FAIL = "fail"
    NOT_MEASURED = "not measured"
    AMBIGUOUS = "ambiguous"


EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.NOT_MEASURED: 2, Verdict.AMBIGUOUS: 3}
VERDICT_ORDER = (Verdict.FAIL, Verdict.NOT_MEASURED, Verdict.AMBIGUOUS, Verdict.PASS)
"""The verdict of many is the first of these that any of them has: what was shown is not undone by what was not."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check of one cell."""

    check: CheckKind
    place: str
    """The cell for readers, such as "hh_t2l, 75 frames, cpu"."""
    verdict: Verdict
    reason: str
    change: str = ""
    """The figures behind it, such as "1.052 [1.041, 1.063]"; empty where there are none."""
    allowed: str = ""
    """What would have passed; empty where that is not a figure."""
    cell: Cell | None = None
    """The longest cell concerned; None for a check of both sides as a whole."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """All findings and notes of the gate."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    """What a reader must know beside: margins without an A/A run, metrics that are not gated."""

    @property
    def verdict(self) -> Verdict:
        """The verdict of all findings; without any, nothing was measured."""
        return worst(finding.verdict for finding in self.findings)

    @property
    def offending(self) -> list[Finding]:
        """Whatever did not pass, the most severe first."""
        return sorted(
            (finding for finding in self.findings if finding.verdict is not Verdict.PASS),
            key=lambda finding: VERDICT_ORDER.index(finding.verdict),
        )

    def exit_code(self, *, strict: bool) -> int:
        """0 pass, 1 fail, 2 not measured, 3 ambiguous; strict: ambiguous is 1."""
        outcome = self.verdict
        return EXIT_CODES[Verdict.FAIL if strict and outcome is Verdict.AMBIGUOUS else outcome]

    def counts(self) -> Counter[Verdict]:
        """Verdict to the number of findings that have it."""
        return Counter(finding.verdict for finding in self.findings)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The first of `VERDICT_ORDER` that is among them; of none, not measured."""
    verdict_set = set(verdicts)
    return next((verdict for verdict in VERDICT_ORDER if verdict in verdict_set), Verdict.NOT_MEASURED)


def cell_label(cell: Cell) -> str:
    """A cell for readers: what tells it from the others of a gate."""
    parts = [cell.system]
    if cell.frames is not None:
        parts.append(f"{cell.frames} frames")
    variant = cell.model_dump().get("variant")
    parts += [part for part in (cell.device, cell.durations and f"{cell.durations} durations", variant) if part]
    return ", ".join(parts)


SECOND_LOOK = 2
"""Pairs of the second look at a cell, in first looks: few cells need it, and those need more than chance."""


@dataclass(frozen=True, kw_only=True)
class Margins:
    """Margins, as shares: 0.03 is 3 %."""

    margin: float = 0.03
    """Slowdown that is always let pass: below it, the layout of the code in memory alone moves times."""
    blind: float = 0.10
    """Slowdown that must be ruled out before a cell passes."""
    implausible: float = 0.30
    """Share of time, cost or a metric's error that head may save; beyond it something has probably stopped being
    measured."""
    times: bool = True
    """Whether times are gated; if not, they are told."""
    output_tolerance: float = 1e-3
    """Root mean square difference of frames, in [0, 1], that counts as rounding: a quarter of one of 255 levels."""
    quality_margin: float = 0.01
    """Loss of a metric that is let pass, as a share of base's mean."""
    quality_margins: Mapping[str, float] = field(default_factory=dict)
    """Metric to the loss that is let pass, in the metric's unit; it goes before `quality_margin`."""
    noise: Mapping[str, float] | None = None
    """Place of a latency or scaling check to the change that an A/A run shows there by chance; None: no A/A run."""
    seed: int = 0
    """Of all resampling."""

    def margin_of(self, place: str) -> float:
        """The margin of one place: what chance alone shows there, but no less than `margin`."""
        return max(self.margin, (self.noise or {}).get(place, 0.0))
