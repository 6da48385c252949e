"""Features of torch-fidelity's Inception network, on which FID and KID stand.

The weights are those that the original FID used (TensorFlow, 2015-12-05), as torch-fidelity converted them. They are
about 91 MB, come with no package, and are looked for in this order: the file that the caller names, the file that
LIPBENCH_INCEPTION_WEIGHTS names, torch's download cache, torch-fidelity's own download. A file with another digest is
refused, as features of another network must not go by the name of FID.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lipbench.metrics.corpus_metric import NotMeasuredError
from lipbench.metrics.frame_metric import check_frames
from lipbench.metrics.pictures import to_8_bits
from lipbench.metrics.protocols import Resize

FEATURES = 2048
WEIGHTS_VARIABLE = "LIPBENCH_INCEPTION_WEIGHTS"
WEIGHTS_FILE = "weights-inception-2015-12-05-6726825d.pth"
WEIGHTS_DIGEST = "6726825d"
"""First digits of the file's SHA-256, as its name says."""
FRAMES_AT_ONCE = 16
"""The same for every clip, so that the device's choice of kernels does not depend on how clips are batched."""
_MID_GREY = 128
"""What the network takes for 0."""


class InceptionFeatures:
    """The network, loaded once and used for many clips.

    Args:
        weights: a local file; None to look for one, and to download it if there is none.
        resize: the protocol's `inception_resize`.
        device: where it is to compute.
        digest: first hex digits that the SHA-256 of the file must have.

    Raises:
        NotMeasuredError: there are no weights, or not those of FID.
    """

    def __init__(
        self,
        weights: Path | None = None,
        *,
        resize: Resize = "stretch",
        device: torch.device | None = None,
        digest: str = WEIGHTS_DIGEST,
    ) -> None:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        path = find_weights(weights)
        self.digest = hashlib.sha256(path.read_bytes()).hexdigest()
        """SHA-256 of the weights."""
        if not self.digest.startswith(digest):
            raise _not_measured(f"{path} holds other weights than {WEIGHTS_FILE}")
        self.resize: Resize = resize
        self.device = device or torch.device("cpu")
        # the package has no types
        extractor: Any = FeatureExtractorInceptionV3("inception-v3-compat", [str(FEATURES)], str(path))
        self._extractor = extractor.to(self.device)

    def __call__(self, frames: Tensor) -> Tensor:
        """Features of one clip.

        Args:
            frames: float (T, 3, H, W) in [0, 1], RGB; seen at 8 bits and resized to 299 x 299, bilinear in
                TensorFlow's way, without regard to their aspect unless `resize` is "pad".

        Returns:
            float32 (T, 2048) on the CPU.

        Raises:
            ValueError: wrong shape, dtype or range.
        """
        check_frames("frames", frames)
        levels = frames if frames.dtype == torch.uint8 else to_8_bits(frames.detach())
        if self.resize == "pad":
            levels = _pad_square(levels)
        with torch.inference_mode():
            chunks = [self._extractor(chunk.to(self.device))[0].cpu() for chunk in levels.split(FRAMES_AT_ONCE)]
        return torch.cat(chunks).clone()


def find_weights(weights_path: Path | None = None) -> Path:
    """Find the weights, or download them.

    Raises:
        NotMeasuredError: there are none, and they cannot be downloaded.
    """
    weights_file = local_weights(weights_path)
    if weights_file is None:
        weights_file = _cache_file()
        _download(weights_file)
    return weights_file


def local_weights(weights_path: Path | None = None) -> Path | None:
    """Find the weights on this machine; None if they would have to be downloaded.

    Raises:
        NotMeasuredError: a file is named, here or in the environment, and there is none.
    """
    weights_file = weights_path or (Path(os.environ[WEIGHTS_VARIABLE]) if os.environ.get(WEIGHTS_VARIABLE) else None)
    if weights_file is None:
        return _cache_file() if _cache_file().is_file() else None
    if not weights_file.is_file():
        raise _not_measured(f"there is no file {weights_file}")
    return weights_file


def _cache_file() -> Path:
    """Where torch keeps the weights."""
    return Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS_FILE


def _download(path: Path) -> None:
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # it writes under another name, checks the digest, and renames
        torch.hub.download_url_to_file(URL_INCEPTION_V3, str(path), hash_prefix=WEIGHTS_DIGEST, progress=False)
    except (OSError, RuntimeError) as error:
        raise _not_measured(f"no weights here, and they cannot be downloaded: {error}") from error


def _not_measured(reason: str) -> NotMeasuredError:
    return NotMeasuredError(
        f"not measured: no weights of torch-fidelity's Inception ({reason})",
        remedy=f"Fetch {WEIGHTS_FILE} from torch-fidelity's release v0.2.0, and give its path as "
        f"inception_weights=FILE or in {WEIGHTS_VARIABLE}",
    )


def _pad_square(levels: Tensor) -> Tensor:
    """Pad the shorter side with grey, the same on both ends."""
    height, width = levels.shape[-2:]
    missing = abs(height - width)
    before, after = missing // 2, missing - missing // 2
    margins = (0, 0, before, after) if width > height else (before, after, 0, 0)
    return F.pad(levels, margins, value=_MID_GREY)
