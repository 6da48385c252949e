"""Quality metrics: what exists by name, and how to make one under a protocol. Listing imports no torch.

Example:
    >>> from lipbench import metrics
    >>> metrics.names()[:3]
    ['aperture_correlation', 'aperture_range_ratio', 'fid']
"""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from lipbench.metrics import protocols
from lipbench.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from lipbench.metrics.clip_metric import ClipMetric
    from lipbench.metrics.corpus_metric import CorpusMetric


METRICS: Registry[Callable[..., ClipMetric | CorpusMetric]] = Registry(
    "metric",
    {
        "aperture_correlation": "lipbench.metrics.aperture_correlation:ApertureCorrelation",
        "aperture_range_ratio": "lipbench.metrics.aperture_range_ratio:ApertureRangeRatio",
        "fid": "lipbench.metrics.fid:FID",
        "flicker": "lipbench.metrics.flicker:FlickerRatio",
        "frechet_face_distance": "lipbench.metrics.frechet_face_distance:FrechetFaceDistance",
        "identity_similarity": "lipbench.metrics.identity_similarity:IdentitySimilarity",
        "kid": "lipbench.metrics.kid:KID",
        "landmark_failure_preds": "lipbench.metrics.landmark_failure:LandmarkFailurePreds",
        "landmark_failure_target": "lipbench.metrics.landmark_failure:LandmarkFailureTarget",
        "landmark_velocity_error": "lipbench.metrics.landmark_velocity_error:LandmarkVelocityError",
        "length_error": "lipbench.metrics.length_error:LengthError",
        "length_error_share": "lipbench.metrics.length_error:LengthErrorShare",
        "lmd": "lipbench.metrics.lmd:LMD",
        "lmd_centred": "lipbench.metrics.lmd:LMDCentred",
        "motion_energy_ratio": "lipbench.metrics.motion_energy_ratio:MotionEnergyRatio",
        "motion_range_ratio": "lipbench.metrics.motion_range_ratio:MotionRangeRatio",
        "psnr": "lipbench.metrics.psnr:PSNR",
        "ssim": "lipbench.metrics.ssim:SSIM",
        "token_duration_error": "lipbench.metrics.token_duration_error:TokenDurationError",
    },
    group="lipbench.metrics",
)


def names() -> list[str]:
    """Names of all metrics, sorted."""
    return METRICS.names()


def create(name: str, protocol: str | protocols.Protocol = "paper") -> ClipMetric | CorpusMetric:
    """Make a metric.

    Args:
        name: a name from `names`, or ``path/to/file.py:Class`` of a class that takes ``protocol=``.
        protocol: a name from `lipbench.metrics.protocols.names`, or a protocol itself.

    Raises:
        UnknownNameError: there is no such metric or protocol.
    """
    protocol_object = protocol if isinstance(protocol, protocols.Protocol) else protocols.get(protocol)
    return METRICS.get(name)(protocol=protocol_object)


def meaning(name: str) -> str:
    """What a metric says, in one sentence: the first line of its docstring, read without importing it.

    Args:
        name: a name from `names`.

    Returns:
        The sentence; the import path of a metric that says nothing of itself.

    Raises:
        UnknownNameError: there is no such metric.
    """
    target = METRICS.origin(name)
    module, _, attribute = target.partition(":")
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return target
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == attribute:
            return (ast.get_docstring(node) or target).partition("\n")[0]
    return target
