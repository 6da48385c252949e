"""Protocols: everything that pins a quality number down, under one name and one fingerprint.

Two numbers with different fingerprints are not comparable and never share a table column.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from models.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The rules of one way to score. Every field but `name` enters the fingerprint."""

    name: str
    revision: int = 1
    """Raised when the code behind an unchanged set of fields changes a number."""
    colour: Literal["rgb"] = "rgb"
    """Colour space of the frames that are compared; all three channels count."""
    data_range: float = 1.0
    """Span of the pixel values; frames lie in [0, data_range]."""
    rounding: Literal["none"] = "none"
    """"none": generated frames are compared as they come, not rounded to 8 bits."""
    frame_size: Literal["equal"] = "equal"
    """"equal": both sides have the same height and width, and the metrics resize nothing."""
    length: Literal["truncate"] = "truncate"
    """"truncate": where lengths differ, the longer side loses its end."""
    pooling: Literal["frame, clip, corpus"] = "frame, clip, corpus"
    """Order of the means: one value per frame, their mean per clip, the mean of the clips."""
    precision: Literal["float64"] = "float64"
    """What pixels are converted to before anything is computed."""
    psnr_cap_db: float = 100.0
    """Ceiling of a frame's PSNR, in dB, so that one frame without error does not make a mean infinite."""
    ssim_window: int = 11
    """Side of the window in pixels."""
    ssim_sigma: float = 1.5
    """Standard deviation of the gaussian window in pixels."""
    ssim_covariance: Literal["population", "sample"] = "population"
    ssim_border: Literal["valid", "reflect"] = "valid"
    ssim_channels: Literal["mean"] = "mean"
    """"mean": one map per channel, then the mean of the three."""

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that change when any rule changes."""
        rules = {key: value for key, value in dataclasses.asdict(self).items() if key != "name"}
        return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def summary(self) -> str:
        """The rules in one sentence."""
        return (
            f"{self.colour.upper()} in [0, {self.data_range:g}], no rounding, frames of equal size, the longer clip "
            f"truncated, means over {self.pooling} in this order, {self.precision}; "
            f"PSNR of a frame at most {self.psnr_cap_db:g} dB; "
            f"SSIM with a gaussian window of {self.ssim_window} (sigma {self.ssim_sigma:g}), "
            f"{self.ssim_covariance} covariance, {self.ssim_border} border, mean over channels."
        )


PAPER = Protocol(name="paper")
"""Our reading of HH-T2L, which says "window size 11" and no more.

The gaussian, its sigma and the population covariance are those of the paper that SSIM comes from; windows that would
reach over the border are left out, as there. The cap is that of the field's published scripts, which give a frame
without error 100 dB: between 8-bit frames of 80 x 160 the smallest possible error already scores 94 dB, so the cap
touches equal frames only.
"""

registry: Registry[Protocol] = Registry("protocol", {"paper": "metrics.protocols:PAPER"}, group="lipbench.protocols")


def names() -> list[str]:
    """Names of all protocols, sorted."""
    return registry.names()


def get(name: str) -> Protocol:
    """The protocol of a name, or of ``path/to/file.py:PROTOCOL``.

    Raises:
        UnknownNameError: there is no such protocol.
    """
    return registry.get(name)
