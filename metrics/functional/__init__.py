"""The measures as pure functions; classes that pool them over a corpus stand one folder up under the same names."""

from lipbench.metrics.functional.aperture_correlation import aperture, aperture_correlation
from lipbench.metrics.functional.aperture_range import aperture_range_ratio
from lipbench.metrics.functional.flicker import flicker
from lipbench.metrics.functional.frechet_distance import frechet_between, frechet_distance
from lipbench.metrics.functional.identity_similarity import identity_similarity
from lipbench.metrics.functional.kernel_distance import kernel_distance
from lipbench.metrics.functional.landmark_velocity_error import landmark_velocity_error
from lipbench.metrics.functional.lmd import lmd
from lipbench.metrics.functional.motion_energy import motion_energy
from lipbench.metrics.functional.psnr import psnr, psnr_wrapping
from lipbench.metrics.functional.ssim import ssim
from lipbench.metrics.functional.token_duration_error import token_duration_error

__all__ = [
    "aperture",
    "aperture_correlation",
    "aperture_range_ratio",
    "flicker",
    "frechet_between",
    "frechet_distance",
    "identity_similarity",
    "kernel_distance",
    "landmark_velocity_error",
    "lmd",
    "motion_energy",
    "psnr",
    "psnr_wrapping",
    "ssim",
    "token_duration_error",
]
