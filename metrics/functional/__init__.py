"""The measures as pure functions; classes that pool them over a corpus stand one folder up under the same names."""

from metrics.functional.motion_energy import motion_energy
from metrics.functional.psnr import psnr
from metrics.functional.ssim import ssim

__all__ = ["motion_energy", "psnr", "ssim"]
