"""What the gate lets pass. Margins are declared before anything is measured; noise can only widen them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SECOND_LOOK = 2
"""Pairs of the second look at a cell, in first looks: few cells need it, and those need more than chance."""


@dataclass(frozen=True, kw_only=True)
class Rules:
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
