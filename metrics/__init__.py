"""Quality metrics: what exists by name, and how to make one under a protocol. Listing imports no torch.

Example:
    >>> import metrics
    >>> metrics.names()
    ['motion_energy_ratio', 'psnr', 'ssim']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metrics import protocols
from models.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from metrics.clip_metric import ClipMetric

METRICS: Registry[Callable[..., ClipMetric]] = Registry(
    "metric",
    {
        "motion_energy_ratio": "metrics.motion_energy_ratio:MotionEnergyRatio",
        "psnr": "metrics.psnr:PSNR",
        "ssim": "metrics.ssim:SSIM",
    },
    group="lipbench.metrics",
)


def names() -> list[str]:
    """Names of all metrics, sorted."""
    return METRICS.names()


def create(name: str, protocol: str | protocols.Protocol = "paper") -> ClipMetric:
    """Make a metric.

    Args:
        name: a name from `names`, or ``path/to/file.py:Class`` of a class that takes ``protocol=``.
        protocol: a name from `metrics.protocols.names`, or a protocol itself.

    Raises:
        UnknownNameError: there is no such metric or protocol.
    """
    chosen = protocol if isinstance(protocol, protocols.Protocol) else protocols.get(protocol)
    return METRICS.get(name)(protocol=chosen)
