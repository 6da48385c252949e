"""Which metrics stand together, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

from lipbench.records.quality import MetricFacts

PARTS: dict[str, tuple[str, ...]] = {
    "System": ("psnr", "ssim", "ms_ssim", "lmd", "fid"),
    "Motion and timing": (
        "aperture_correlation", "aperture_range_ratio", "motion_energy_ratio", "motion_range_ratio",
        "landmark_velocity_error", "flicker", "token_duration_error", "length_error", "length_error_share",
    ),
}  # fmt: skip
"""First column's title to the metrics of that part; the first part has those of the paper."""


def in_order(metrics: Sequence[MetricFacts]) -> list[MetricFacts]:
    """Metrics as tables show them: by part, then in the order that they came in."""
    places = {name: place for place, name in enumerate(name for names in PARTS.values() for name in names)}
    return sorted(metrics, key=lambda metric: places.get(metric.name, len(places)))
