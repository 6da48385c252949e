"""Quality metrics: what exists by name, and how to make one under a protocol. Listing imports no torch.

Example:
    >>> import metrics
    >>> metrics.names()[:3]
    ['aperture_correlation', 'aperture_range_ratio', 'fid']
"""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from metrics import protocols
from models.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from metrics.clip_metric import ClipMetric
    from metrics.corpus_metric import CorpusMetric

METRICS: Registry[Callable[..., ClipMetric | CorpusMetric]] = Registry(
    "metric",
    {
        "aperture_correlation": "metrics.aperture_correlation:ApertureCorrelation",
        "aperture_range_ratio": "metrics.aperture_range_ratio:ApertureRangeRatio",
        "fid": "metrics.fid:FID",
        "flicker": "metrics.flicker:FlickerRatio",
        "frechet_face_distance": "metrics.frechet_face_distance:FrechetFaceDistance",
        "identity_similarity": "metrics.identity_similarity:IdentitySimilarity",
        "kid": "metrics.kid:KID",
        "landmark_failure_preds": "metrics.landmark_failure:LandmarkFailurePreds",
        "landmark_failure_target": "metrics.landmark_failure:LandmarkFailureTarget",
        "landmark_velocity_error": "metrics.landmark_velocity_error:LandmarkVelocityError",
        "length_error": "metrics.length_error:LengthError",
        "length_error_share": "metrics.length_error:LengthErrorShare",
        "lmd": "metrics.lmd:LMD",
        "lmd_centred": "metrics.lmd:LMDCentred",
        "motion_energy_ratio": "metrics.motion_energy_ratio:MotionEnergyRatio",
        "motion_range_ratio": "metrics.motion_range_ratio:MotionRangeRatio",
        "psnr": "metrics.psnr:PSNR",
        "ssim": "metrics.ssim:SSIM",
        "token_duration_error": "metrics.token_duration_error:TokenDurationError",
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
        protocol: a name from `metrics.protocols.names`, or a protocol itself.

    Raises:
        UnknownNameError: there is no such metric or protocol.
    """
    chosen = protocol if isinstance(protocol, protocols.Protocol) else protocols.get(protocol)
    return METRICS.get(name)(protocol=chosen)


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
