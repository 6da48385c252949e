"""The paper's tables 1 to 4 as data: what our numbers stand beside.

Source: "High-Speed and High-Quality Text-to-Lip Generation", arXiv 2107.06831, tables 1 to 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

PAPER_FILE = Path(__file__).with_name("paper.json")


class _FrozenPaper(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QualityEntry(_FrozenPaper):
    """One row of tables 1, 2 or 4."""

    system: str
    """Registry name."""
    variant: str | None = None
    """Which losses trained it, in table 4."""
    ssim_loss: bool | None = None
    """Whether the SSIM loss trained it: table 4 says so, and section 4.3 of HH-T2L (weights 1, 1, 1 and 5); None where
    the paper does not say."""
    adversarial_loss: bool = False
    """Whether the discriminator did."""
    values: dict[str, Decimal]
    """Metric name to value, in the digits that the paper prints: PSNR in dB, LMD in pixels of its frame size."""

    def trained_so(self, recipe: Mapping[str, object] | None) -> bool | None:
        """Whether a recipe trains with the losses of this row; None if the paper or the recipe does not say."""
        ssim_loss = uses_ssim_loss(recipe)
        if self.ssim_loss is None or ssim_loss is None:
            return None
        return (ssim_loss, uses_adversarial_loss(recipe)) == (self.ssim_loss, self.adversarial_loss)


class QualityCondition(_FrozenPaper):
    """One of tables 1, 2 and 4: a corpus, and whether true durations were given."""

    source: str
    corpus: str
    durations: Literal["true", "predicted"]
    test_set: str
    """What the paper says of the clips it scored."""
    split_option: str | None = None
    """The option of `lipbench prepare` whose test split is drawn as the paper's; None where we know of none."""
    remark: str | None = None
    beside: str | None = None
    """The variant that is set beside ours where there are several and nothing says which losses trained ours."""
    rows: list[QualityEntry]

    def entry(self, system: str, recipe: Mapping[str, object] | None) -> QualityEntry | None:
        """The row to set beside ours, or None if the paper has none for this system.

        Args:
            system: registry name.
            recipe: options of our training; of table 4, ``weight_ssim`` and ``weight_adversarial`` choose the variant.
                Tables 1 and 2 have one row of a system, whatever its losses: see `QualityEntry.trained_so`.
        """
        rows = [row for row in self.rows if row.system == system]
        ssim_loss, adversarial = uses_ssim_loss(recipe), uses_adversarial_loss(recipe)
        if ssim_loss is not None and any(row.variant is not None for row in rows):
            loss_key = (ssim_loss, adversarial)
            return next((row for row in rows if (row.ssim_loss, row.adversarial_loss) == loss_key), None)
        return next((row for row in rows if row.variant == self.beside), None)


def uses_ssim_loss(recipe: Mapping[str, object] | None) -> bool | None:
    """Whether a recipe trains with the SSIM loss (λ3 of eq. 8); None if it does not say."""
    weight = (recipe or {}).get("weight_ssim")
    return weight > 0 if isinstance(weight, int | float) else None


def uses_adversarial_loss(recipe: Mapping[str, object] | None) -> bool:
    """Whether a recipe trains with the discriminator (λ4 of eq. 8); one that does not say has none."""
    weight = (recipe or {}).get("weight_adversarial")
    return isinstance(weight, int | float) and weight > 0


class LatencyEntry(_FrozenPaper):
    """One row of table 3."""

    system: str
    latency_s: Decimal
    """Average seconds per video, in the digits that the paper prints."""
    speedup: Decimal
    """Over DualLip, as printed (the printed latencies are rounded and may give another ratio)."""


class LatencyCondition(_FrozenPaper):
    """One corpus of table 3."""

    source: str
    corpus: str
    frames: int
    """Average length of the corpus' videos."""
    rows: list[LatencyEntry]


class LatencyPoint(NamedTuple):
    """What table 3 says of one system at one length."""

    corpus: str
    frames: int
    latency_s: Decimal
    speedup: Decimal


class Paper(_FrozenPaper):
    """Everything that the paper reports in tables."""

    title: str
    url: str
    frame_size: tuple[int, int]
    """(height, width) in pixels."""
    device: str
    hardware: str
    batch: int
    """Batch size of table 3."""
    systems: dict[str, str]
    """Registry name to the paper's name, in the order that tables use."""
    corpora: dict[str, str]
    baseline: str
    """Registry name of the system that speed-ups are relative to."""
    tolerances: dict[str, float]
    """How far from the paper's number ours may be to reproduce it: metric name to its unit, "speedup" to a share.

    A choice of ours, for the paper states no uncertainty; see `lipbench.reports.tables.tolerance`."""
    tolerance_remark: str
    """Which differences the paper itself calls none, and from which it concludes."""
    quality: list[QualityCondition]
    latency: list[LatencyCondition]
    latency_remark: str

    def condition(self, corpus: str, durations: str | None) -> QualityCondition | None:
        """The table for this corpus and durations mode, or None if the paper has none."""
        return next((c for c in self.quality if c.corpus == corpus and c.durations == durations), None)

    def latencies(self, system: str) -> list[LatencyPoint]:
        """All points of table 3 for a system, shortest first; empty if it has none."""
        points = [
            LatencyPoint(condition.corpus, condition.frames, row.latency_s, row.speedup)
            for condition in self.latency
            for row in condition.rows
            if row.system == system
        ]
        return sorted(points, key=lambda point: point.frames)


@cache
def load_paper() -> Paper:
    """Read ``paper.json`` once."""
    return Paper.model_validate_json(PAPER_FILE.read_text(encoding="utf-8"))
