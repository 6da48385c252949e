"""The measures as pure functions; classes that pool them over a corpus stand one folder up under the same names."""

from metrics.functional.aperture_correlation import aperture, aperture_correlation
from metrics.functional.aperture_range import aperture_range_ratio
from metrics.functional.flicker import flicker
from metrics.functional.frechet_distance import frechet_between, frechet_distance
from metrics.functional.identity_similarity import identity_similarity
from metrics.functional.kernel_distance import kernel_distance
from metrics.functional.landmark_velocity_error import landmark_velocity_error
from metrics.functional.lmd import lmd
from metrics.functional.motion_energy import motion_energy
from metrics.functional.psnr import psnr, psnr_wrapping
from metrics.functional.ssim import ssim
from metrics.functional.token_duration_error import token_duration_error

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
