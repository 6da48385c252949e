"""Protocols: everything that pins a quality number down, under one name and one fingerprint.

Two numbers with different fingerprints are not comparable and never share a table column.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from models.errors import UserError
from models.registry import Registry

REVISION = 1
"""Enters every fingerprint. Raised when the code changes a number that unchanged fields gave before."""

Covariance = Literal["population", "sample"]
Border = Literal["valid", "reflect"]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The rules of one way to score. Every field but `name` enters the fingerprint, and every one changes a number.

    What holds under every protocol is no field. Frames are RGB in [0, 1], compared as they come, not rounded to
    8 bits; both sides have the same height and width, and nothing is resized; where lengths differ the longer clip
    loses its end; all is computed in float64; the mean is taken over the frames of a clip, then over clips.

    Raises:
        UserError: a field is out of its range.
    """

    name: str
    psnr_cap_db: float = 100.0
    """Ceiling of a frame's PSNR, in dB, so that one frame without error does not make a mean infinite."""
    ssim_window: int = 11
    """Side of the window in pixels, odd, at least 3."""
    ssim_sigma: float = 1.5
    """Standard deviation of the gaussian window in pixels."""
    ssim_covariance: Covariance = "population"
    ssim_border: Border = "valid"

    def __post_init__(self) -> None:
        for field in ("psnr_cap_db", "ssim_sigma"):
            # 100 and 100.0 are one rule and must have one fingerprint
            object.__setattr__(self, field, self._positive(field))
        window: Any = self.ssim_window
        if type(window) is not int or window < 3 or window % 2 == 0:
            raise self._wrong("ssim_window", "an odd whole number, at least 3")
        for field, choices in (("ssim_covariance", get_args(Covariance)), ("ssim_border", get_args(Border))):
            if getattr(self, field) not in choices:
                raise self._wrong(field, " or ".join(repr(choice) for choice in choices))

    def _positive(self, field: str) -> float:
        value: Any = getattr(self, field)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise self._wrong(field, "a finite number above 0")
        return float(value)

    def _wrong(self, field: str, wanted: str) -> UserError:
        return UserError(
            f"{field} of the protocol '{self.name}' is {getattr(self, field)!r}", remedy=f"It must be {wanted}"
        )

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that change when any rule changes."""
        rules = {key: value for key, value in dataclasses.asdict(self).items() if key != "name"}
        return hashlib.sha256(json.dumps([REVISION, rules], sort_keys=True).encode()).hexdigest()[:12]

    @property
    def summary(self) -> str:
        """The rules in one sentence, those included that hold under every protocol."""
        return (
            "RGB in [0, 1], no rounding, frames of equal size, the longer clip truncated, "
            "means over frame, clip, corpus in this order, float64; "
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
        UserError: the file does not exist, fails, or has something else under that name.
    """
    found: Any = registry.get(name)
    if not isinstance(found, Protocol):
        raise UserError(
            f"'{name}' is a {type(found).__name__}, not a protocol", remedy="Name a metrics.protocols.Protocol"
        )
    return found
