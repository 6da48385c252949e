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

from lipbench.errors import UserError
from lipbench.registry import Registry

REVISION = 2
"""Enters every fingerprint. Raised when the code changes a number that unchanged fields gave before.

2: the Fréchet face distance is of frames of whole clips, not of those that are compared; floors are of halves that do
not depend on the order of clips; a mouth whose opening changes by less than 1e-3 px stands still, before 1e-6 px.
"""

Colour = Literal["rgb", "grey"]
Depth = Literal["float", "uint8", "uint8_wrapping"]
Pooling = Literal["clips", "frames"]
Length = Literal["truncate", "resample", "dtw", "hold"]
Weights = Literal["gaussian", "uniform"]
Covariance = Literal["population", "sample"]
Border = Literal["valid", "reflect"]
Centring = Literal["none", "frame"]
OverPoints = Literal["mean", "sum"]
Background = Literal["first_frame", "own_frames"]
Resize = Literal["stretch", "pad"]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The rules of one way to score. Every field but `name` enters the fingerprint, and every one changes a number.

    What holds under every protocol is no field. Frames are RGB in [0, 1], and lipbench scores them as video: what a
    model makes is rounded to 8 bits before any metric sees it. Pictures are compared at one height and width, that of
    the generated side: a corpus' frames are averaged over areas to reach it, and metrics themselves resize nothing. To
    look for mouths and faces, crops smaller than 160 x 80 are enlarged to that, bilinearly, on both sides alike. All is
    computed in float64. Frames in which no mouth is found are left out of landmark metrics and counted beside them.

    Raises:
        UserError: a field is out of its range.
    """

    name: str
    colour: Colour = "rgb"
    """Colour in which frames are compared."""
    depth: Depth = "float"
    """"float": frames as a metric is given them; "uint8": rounded to 8 bits, which changes nothing of video frames that
    are not made grey; "uint8_wrapping": so, and PSNR in 8-bit arithmetic."""
    pooling: Pooling = "clips"
    """"clips": values per frame are averaged per clip, then over clips; "frames": all frames of the corpus at once."""
    length: Length = "truncate"
    """What is done where the two sides differ in length; see `lipbench.metrics.alignment`."""
    psnr_cap_db: float = 100.0
    """Ceiling of a frame's PSNR, in dB, so that one frame without error does not make a mean infinite."""
    ssim_window: int = 11
    """Side of the window in pixels, odd, at least 3."""
    ssim_weights: Weights = "gaussian"
    ssim_sigma: float | None = 1.5
    """Standard deviation of the gaussian window in pixels; None for a uniform window."""
    ssim_covariance: Covariance = "population"
    ssim_border: Border = "valid"
    lmd_centring: Centring = "none"
    """"frame": both mouths are centred in each frame before they are compared."""
    lmd_over_points: OverPoints = "mean"
    lmd_pooling: Pooling = "clips"
    """As `pooling`, for landmark distances."""
    background: Background = "first_frame"
    """Onto which face crops are pasted to find the mouth: that of the clip's first frame, or each frame's own."""
    inception_resize: Resize = "stretch"
    """How a crop becomes a square of 299: "stretch" ignores its aspect, "pad" adds grey above and below."""
    inception_frames: int | None = None
    """Frames of a clip, evenly spaced, that FID and KID see; None for all."""
    face_frames: int | None = 5
    """Frames of a clip, evenly spaced, of which face descriptors are made; None for all."""

    def __post_init__(self) -> None:
        for field, choices in _CHOICES.items():
            if getattr(self, field) not in choices:
                raise self._wrong(field, " or ".join(repr(choice) for choice in choices))
        # 100 and 100.0 are one rule and must have one fingerprint
        object.__setattr__(self, "psnr_cap_db", self._positive("psnr_cap_db"))
        if self.ssim_weights == "gaussian":
            object.__setattr__(self, "ssim_sigma", self._positive("ssim_sigma"))
        elif self.ssim_sigma is not None:
            raise self._wrong("ssim_sigma", "None, as a uniform window has none")
        window: Any = self.ssim_window
        if type(window) is not int or window < 3 or window % 2 == 0:
            raise self._wrong("ssim_window", "an odd whole number, at least 3")
        for field in ("inception_frames", "face_frames"):
            count: Any = getattr(self, field)
            if count is not None and (type(count) is not int or count < 1):
                raise self._wrong(field, "a whole number, at least 1, or None")

    def _positive(self, field: str) -> float:
        value: Any = getattr(self, field)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise self._wrong(field, "a finite number above 0")
        return float(value)

    def _wrong(self, field: str, allowed: str) -> UserError:
        return UserError(
            f"{field} of the protocol '{self.name}' is {getattr(self, field)!r}", remedy=f"It must be {allowed}"
        )

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that change when any rule changes."""
        rules = {key: value for key, value in dataclasses.asdict(self).items() if key != "name"}
        return hashlib.sha256(json.dumps([REVISION, rules], sort_keys=True).encode()).hexdigest()[:12]

    @property
    def summary(self) -> str:
        """The rules in one sentence, those included that hold under every protocol."""
        return self._summary(
            "real frames averaged over areas to the size of the generated ones",
            f"crops smaller than 160 x 80 enlarged to that, {_BACKGROUNDS[self.background]}",
        )

    @property
    def summary_of_whole_faces(self) -> str:
        """The same where frames show whole faces, so that no mouth is pasted onto one."""
        return self._summary("frames of equal size", "mouths looked for in the frames as they are")

    def _summary(self, size: str, mouths: str) -> str:
        sigma = "" if self.ssim_sigma is None else f" (sigma {self.ssim_sigma:g})"
        of_channels = "mean over channels" if self.colour == "rgb" else "one channel"
        centring_text = "centred per frame" if self.lmd_centring == "frame" else "not centred"
        return (
            f"{self.colour.replace('rgb', 'RGB')} in [0, 1], {_DEPTHS[self.depth]}, {size}, "
            f"{_LENGTHS[self.length]}, {_POOLINGS[self.pooling]}, float64; "
            f"PSNR of a frame at most {self.psnr_cap_db:g} dB; "
            f"SSIM with a {self.ssim_weights} window of {self.ssim_window}{sigma}, "
            f"{self.ssim_covariance} covariance, {self.ssim_border} border, {of_channels}; "
            f"LMD {centring_text}, {self.lmd_over_points} over the 20 points, {_POOLINGS[self.lmd_pooling]}, "
            f"{mouths}, frames without landmarks left out and counted beside; "
            f"FID and KID of {_count(self.inception_frames)}, {_RESIZES[self.inception_resize]}; "
            f"face descriptors of {_count(self.face_frames)}."
        )


_CHOICES = {
    "colour": get_args(Colour),
    "depth": get_args(Depth),
    "pooling": get_args(Pooling),
    "length": get_args(Length),
    "ssim_weights": get_args(Weights),
    "ssim_covariance": get_args(Covariance),
    "ssim_border": get_args(Border),
    "lmd_centring": get_args(Centring),
    "lmd_over_points": get_args(OverPoints),
    "lmd_pooling": get_args(Pooling),
    "background": get_args(Background),
    "inception_resize": get_args(Resize),
}
_DEPTHS: dict[Depth, str] = {
    "float": "not rounded beyond the 8 bits of video",
    "uint8": "rounded to 8 bits",
    "uint8_wrapping": "rounded to 8 bits, PSNR with differences and squares that wrap around at 256",
}
_POOLINGS: dict[Pooling, str] = {
    "clips": "means over frame, clip, corpus in this order",
    "frames": "means over all frames of the corpus at once",
}
_LENGTHS: dict[Length, str] = {
    "truncate": "the longer clip truncated",
    "resample": "the longer clip resampled evenly to the length of the shorter",
    "dtw": "the sides aligned in time by dynamic time warping",
    "hold": "the last frame of the shorter clip held until the longer ends",
}
_BACKGROUNDS: dict[Background, str] = {
    "first_frame": "mouths pasted onto the clip's first face",
    "own_frames": "mouths pasted onto each frame's own face",
}
_RESIZES: dict[Resize, str] = {
    "stretch": "crops stretched to a square of 299",
    "pad": "crops padded with grey to a square and resized to 299",
}


def _count(frames: int | None) -> str:
    return "all frames" if frames is None else f"{frames} evenly spaced frames of a clip"


PAPER = Protocol(name="paper")
"""Our reading of HH-T2L, which says "window size 11" and no more.

The gaussian, its sigma and the population covariance are those of the paper that SSIM comes from; windows that would
reach over the border are left out, as there. The cap is that of the field's published scripts, which give a frame
without error 100 dB: between 8-bit frames of 80 x 160 the smallest possible error already scores 94 dB, so the cap
touches equal frames only.
"""

LELECHEN63_2018 = Protocol(
    name="lelechen63-2018",
    colour="grey",
    depth="uint8_wrapping",
    pooling="frames",
    length="truncate",
    ssim_window=7,
    ssim_weights="uniform",
    ssim_sigma=None,
    ssim_covariance="sample",
    lmd_centring="frame",
    lmd_over_points="sum",
    lmd_pooling="frames",
)
"""Reproduces old published numbers, their mistake included: not for new results.

``fun_test.py`` of lelechen63/3d_gan (ECCV 2018): grey pictures at their own size, SSIM with scikit-image's defaults,
PSNR on 8-bit arrays that wrap around (so that it never falls below 24.07 dB and may rank a blur below a shift of three
frames), LMD centred and summed over the points, everything averaged over all frames. There, mouths are pasted onto one
fixed face, which is not public; here onto the clip's own first face.
"""

EAT_2023 = Protocol(
    name="eat-2023",
    depth="uint8",
    pooling="frames",
    length="resample",
    ssim_window=7,
    ssim_weights="uniform",
    ssim_sigma=None,
    ssim_covariance="sample",
    lmd_centring="frame",
    inception_frames=5,
)
"""The scripts of EAT (yuangan/evaluation_eat: ``test_psnr_ssim.py``, ``test_lmd.py``), Gan et al., ICCV 2023.

scikit-image's defaults on aligned RGB pictures of 8 bits, the longer clip resampled to the shorter, PSNR and SSIM
averaged over all frames, LMD centred and averaged per video, then over videos; FID of five frames per video, so that
its 2049 frames take 410 videos. There, a frame without error has an infinite PSNR; the cap is ours. Our crops stand for
their aligned faces.
"""

STRICT = Protocol(name="strict", depth="uint8", length="hold")
"""Our recommendation: `paper`, less two freedoms.

Frames are rounded to 8 bits, as every stored or shown video is, so that a clip scores the same whether it comes from
memory or from a lossless file. Where lengths differ the shorter clip holds its last frame, as a player does: every
frame of both sides is scored, so that no model gains by ending early (a clip of one frame, truncated, is the given
picture against itself) and none is warped into step (which forgives the very timing that is to be measured).
"""

ALIGNED = Protocol(name="aligned", length="dtw")
"""`paper`, after dynamic time warping of each clip onto the real one: articulation apart from timing.

It forgives wrong timing, which `paper` counts, so its scores stand beside those and never in their place; length error
and token duration error say what was forgiven. Clips of equal length are warped too. Nothing bounds how often
a frame may be repeated, so a mouth that stands still is paired with the frame that it repeats: its PSNR and SSIM say
nothing.
"""

registry: Registry[Protocol] = Registry(
    "protocol",
    {
        "aligned": "lipbench.metrics.protocols:ALIGNED",
        "eat-2023": "lipbench.metrics.protocols:EAT_2023",
        "lelechen63-2018": "lipbench.metrics.protocols:LELECHEN63_2018",
        "paper": "lipbench.metrics.protocols:PAPER",
        "strict": "lipbench.metrics.protocols:STRICT",
    },
    group="lipbench.protocols",
)


def names() -> list[str]:
    """Names of all protocols, sorted."""
    return registry.names()


def get(name: str) -> Protocol:
    """The protocol of a name, or of ``path/to/file.py:PROTOCOL``.

    Raises:
        UnknownNameError: there is no such protocol.
        UserError: the file does not exist, fails, or has something else under that name.
    """
    protocol: Any = registry.get(name)
    if not isinstance(protocol, Protocol):
        raise UserError(
            f"'{name}' is a {type(protocol).__name__}, not a protocol",
            remedy="Name a lipbench.metrics.protocols.Protocol",
        )
    return protocol
