"""The paper's tables 1 to 4 as data: what our numbers stand beside.

Source: "High-Speed and High-Quality Text-to-Lip Generation", arXiv 2107.06831, tables 1 to 4.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

PAPER_FILE = Path(__file__).with_name("paper.json")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QualityEntry(_Frozen):
    """One row of tables 1, 2 or 4."""

    system: str
    """Registry name."""
    variant: str | None = None
    """Which losses trained it, in table 4."""
    values: dict[str, float]
    """Metric name to value: PSNR in dB, LMD in pixels of the paper's frame size."""


class QualityCondition(_Frozen):
    """One of tables 1, 2 and 4: a corpus, and whether true durations were given."""

    source: str
    corpus: str
    durations: Literal["true", "predicted"]
    remark: str
    beside: str | None = None
    """The variant that is set beside ours, where there are several."""
    rows: list[QualityEntry]

    def entry(self, system: str) -> QualityEntry | None:
        """The row to set beside ours, or None if the paper has none for this system."""
        return next((row for row in self.rows if row.system == system and row.variant == self.beside), None)


class LatencyEntry(_Frozen):
    """One row of table 3."""

    system: str
    latency_s: float
    """Average seconds per video, batch size 1."""
    speedup: float
    """Over DualLip, as printed (the printed latencies are rounded and may give another ratio)."""


class LatencyCondition(_Frozen):
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
    latency_s: float
    speedup: float


class Paper(_Frozen):
    """Everything that the paper reports in tables."""

    title: str
    url: str
    frame_size: tuple[int, int]
    """(height, width) in pixels."""
    device: str
    hardware: str
    systems: dict[str, str]
    """Registry name to the paper's name, in the order that tables use."""
    corpora: dict[str, str]
    baseline: str
    """Registry name of the system that speed-ups are relative to."""
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
