"""The metrics that have a value in every frame, for figures that follow them through a clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lipbench.records.quality import ClipScore, MetricFacts
from lipbench.reports.tables.quality import QualityTable

ORDER = ("ssim", "psnr", "lmd", "lmd_centred", "aperture_error", "identity_similarity")
"""As panels stand; other metrics follow by title."""
APERTURE_ERROR = MetricFacts(name="aperture_error", title="Aperture error", unit="px", higher_is_better=False)
"""Distance between the openings of the inner lips, frame by frame as far as both clips reach: worked out from the
openings in a record, as no metric has it."""


class CurveMetric(NamedTuple):
    """One metric with its values per frame and per clip."""

    facts: MetricFacts

    @property
    def axis(self) -> str:
        """Its name with its unit."""
        return f"{self.facts.title} ({self.facts.unit})" if self.facts.unit else self.facts.title

    @property
    def heading(self) -> str:
        """Its name, and which way is better."""
        better = {True: ", higher is better", False: ", lower is better", None: ""}[self.facts.higher_is_better]
        return f"{self.facts.title}{better}"

    def curve(self, clip: ClipScore) -> NDArray[np.float64]:
        """A clip's value in each frame, (T,), nan where a frame has none; (0,) if it has no values per frame."""
        if self.facts != APERTURE_ERROR:
            return _as_floats(clip.curves.get(self.facts.name, ()))
        generated_opening, real_opening = _as_floats(clip.aperture), _as_floats(clip.aperture_truth)
        n_common = min(len(generated_opening), len(real_opening))
        return np.abs(generated_opening[:n_common] - real_opening[:n_common])

    def positions(self, clip: ClipScore) -> NDArray[np.int64]:
        """Which frame of the clip each value of its curve is of, (T,).

        A curve that is shorter than the frames compared is of evenly spaced ones, the middles of as many stretches:
        protocols look at the faces of a few frames only.
        """
        values = len(self.curve(clip))
        n_compared = clip.length.scored if clip.length is not None else min(clip.frames, clip.generated_frames)
        places = np.arange(values)
        if self.facts == APERTURE_ERROR or not 0 < values < n_compared:
            return places
        return (2 * places + 1) * n_compared // (2 * values)

    def value(self, clip: ClipScore) -> float | None:
        """A clip's value as its record has it; None if it has none. Of openings the mean of the frames."""
        if self.facts != APERTURE_ERROR:
            return clip.values.get(self.facts.name)
        curve = self.curve(clip)
        return float(np.nanmean(curve)) if np.isfinite(curve).any() else None

    def weight(self, clip: ClipScore) -> float:
        """A clip's weight in the mean."""
        return clip.weights.get(self.facts.name, 1.0)


def frame_metrics(table: QualityTable) -> list[CurveMetric]:
    """The metrics of a table that a model has values per frame of."""
    candidates = [CurveMetric(facts) for facts in (*table.metrics, APERTURE_ERROR)]
    curve_metrics = [m for m in candidates if any(len(m.curve(clip)) for row in table.models for clip in row.scores)]
    place = {name: i for i, name in enumerate(ORDER)}
    return sorted(curve_metrics, key=lambda metric: (place.get(metric.facts.name, len(place)), metric.facts.title))


def _as_floats(values: Sequence[float | None]) -> NDArray[np.float64]:
    array = np.array(values, dtype=np.float64)  # None becomes nan
    return np.where(np.isfinite(array), array, np.nan)
