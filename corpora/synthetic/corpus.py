"""The synthetic corpus: utterances drawn when asked for, each decided by the seed and its id alone."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lipbench.corpora.alignments.durations import align_tokens
from lipbench.corpora.synthetic.contours import landmarks, shape_mouth
from lipbench.corpora.synthetic.drawing import RENDER_VERSION, draw_frame
from lipbench.corpora.synthetic.pose import Pose, trajectory
from lipbench.corpora.synthetic.sentences import write_sentence
from lipbench.corpora.synthetic.speakers import Speaker, draw_speaker
from lipbench.corpora.tokens import CHARACTERS, PHONES
from lipbench.corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH, MOUTH_POINTS, Split, Utterance
from lipbench.errors import UnknownNameError, UserError

MAX_SPEAKERS = 100
MAX_CLIPS = 1_000_000

Tokens = Literal["characters", "phones"]
"""What a token is."""
SYMBOLS: dict[Tokens, tuple[str, ...]] = {"characters": CHARACTERS, "phones": PHONES}

_SPEAKER_STREAM, _CLIP_STREAM = 0, 1
_ID = re.compile(r"f(\d\d)/(\d{6})")
_GOLDEN = 0.618034


class SyntheticCorpus:
    """Talking mouths drawn by rule. Follows `lipbench.corpora.utterance.Corpus`.

    Speakers take turns. Train and test share speakers, as GRID's seen-speaker split does, and no sentence.

    Args:
        seed: decides every face and sentence, at least 0.
        train: clips in the training split.
        test: clips in the test split.
        speakers: faces, 1 to 100.
        seconds: shortest and longest clip.
        fps: frames per second.
        noise: standard deviation of camera noise as a share of full brightness, 0 to 0.5.
        tokens: "phones", which are what moves the mouth, or "characters", those of a word sharing its time evenly, as
            GRID's do. Both have the same pixels.

    Raises:
        UserError: an option is out of range or of the wrong kind.

    Example:
        >>> corpus = SyntheticCorpus(train=2, test=1, seconds=(1.0, 1.0))
        >>> corpus.load(corpus.ids("test")[0]).frames.shape
        (25, 80, 160, 3)
    """

    name = "synthetic"

    def __init__(
        self,
        *,
        seed: int = 0,
        train: int = 160,
        test: int = 24,
        speakers: int = 6,
        seconds: tuple[float, float] = (2.5, 4.0),
        fps: float = 25.0,
        noise: float = 0.0,
        tokens: Tokens = "characters",
    ) -> None:
        _check_options(seed, train, test, speakers, seconds, fps, noise)
        if tokens not in SYMBOLS:
            raise UnknownNameError("kind of token", str(tokens), SYMBOLS)
        self._seed, self._train, self._test, self._speakers = int(seed), int(train), int(test), int(speakers)
        self._seconds, self._fps, self._noise = (float(seconds[0]), float(seconds[1])), float(fps), float(noise)
        self._tokens: Tokens = tokens

    @property
    def symbols(self) -> tuple[str, ...]:
        """All token symbols: characters, or phones."""
        return SYMBOLS[self._tokens]

    @property
    def fps(self) -> float:
        """Frames per second of every utterance."""
        return self._fps

    @property
    def fingerprint(self) -> str:
        """Hex digest of all options and of the version of the drawing."""
        text = json.dumps(self.options, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def options(self) -> dict[str, object]:
        """Everything that decides the content, the version of the drawing included, as plain JSON values."""
        values = {name.lstrip("_"): value for name, value in sorted(vars(self).items())}
        return {"render": RENDER_VERSION, **values, "seconds": list(self._seconds)}

    def ids(self, split: Split) -> list[str]:
        """Ids of a split, sorted.

        Raises:
            UserError: there is no such split.
        """
        if split not in ("train", "test"):
            raise UserError(f"there is no split '{split}'", remedy="Take train or test")
        clips = range(self._train) if split == "train" else range(self._train, self._train + self._test)
        return sorted(self._id(clip) for clip in clips)

    def load(self, utterance_id: str) -> Utterance:
        """Draw one utterance.

        Raises:
            UserError: there is none of this id.
        """
        match = _ID.fullmatch(utterance_id)
        clip = int(match[2]) if match else -1
        if not 0 <= clip < self._train + self._test or self._id(clip) != utterance_id:
            raise UserError(
                f"the synthetic corpus has no utterance '{utterance_id}'",
                remedy=f"Take one that its splits list, from {self._id(0)} to {self._id(self._train + self._test - 1)}",
            )
        split: Split = "train" if clip < self._train else "test"
        rng = np.random.default_rng([self._seed, _CLIP_STREAM, clip])
        n_frames = max(1, round(rng.uniform(*self._seconds) * self._fps))
        sentence_alignment = write_sentence(rng, seconds=n_frames / self._fps, split=split)
        phones, token_times = (
            align_tokens(sentence_alignment, level, n_frames, fps=self._fps) for level in ("phones", self._tokens)
        )
        # from whole frames, as the tokens have them, so that text and durations describe exactly the drawn movement
        poses = trajectory(phones.tokens, phones.durations, fps=self._fps)
        frames, points = _film(_speaker(self._seed, clip % self._speakers), poses, rng, noise=self._noise)
        return Utterance(
            id=utterance_id,
            speaker=utterance_id.partition("/")[0],
            text=token_times.text,
            tokens=token_times.tokens,
            durations=token_times.durations,
            duration_source=token_times.source,
            fps=self._fps,
            frames=frames,
            landmarks=points,
            split=split,
            # no sentence is in both splits
            seen=split == "train",
        )

    def _id(self, clip: int) -> str:
        return f"f{clip % self._speakers:02d}/{clip:06d}"


@functools.lru_cache(maxsize=MAX_SPEAKERS)
def _speaker(seed: int, index: int) -> Speaker:
    rng = np.random.default_rng([seed, _SPEAKER_STREAM, index])
    # Steps of the golden ratio spread the skin tones evenly for any number of speakers.
    return draw_speaker(rng, tone=(0.1 + _GOLDEN * index + rng.uniform(-0.05, 0.05)) % 1.0)


def _film(
    speaker: Speaker, poses: NDArray[np.float64], rng: np.random.Generator, *, noise: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    offset = (float(rng.uniform(-1.5, 1.5)), float(rng.uniform(-1.5, 1.5)))
    light = float(rng.uniform(0.97, 1.03))
    # How clearly this sentence is spoken: the pose away from rest is scaled as a whole.
    effort = rng.uniform(0.88, 1.08)
    frames = np.empty((len(poses), FRAME_HEIGHT, FRAME_WIDTH, 3), dtype=np.uint8)
    points = np.empty((len(poses), MOUTH_POINTS, 2), dtype=np.float32)
    for index, row in enumerate(poses):
        mouth = shape_mouth(speaker, Pose(*np.clip(effort * row, 0.0, 1.1).tolist()), offset=offset)
        picture = draw_frame(speaker, mouth, offset=offset, light=light)
        if noise:
            picture += noise * rng.standard_normal(picture.shape, dtype=np.float32)
        frames[index] = np.clip(picture * 255 + 0.5, 0, 255)
        points[index] = landmarks(mouth)
    return frames, points


def _check_options(
    seed: int, train: int, test: int, speakers: int, seconds: tuple[float, float], fps: float, noise: float
) -> None:
    _check_kinds({"seed": seed, "train": train, "test": test, "speakers": speakers}, Integral, "a whole number")
    _check_kinds({"fps": fps, "noise": noise}, Real, "a number")
    checks = (
        (seed >= 0, f"seed={seed} is negative", "Give 0 or more"),
        (min(train, test) >= 0, f"train={train}, test={test}: a split cannot be smaller than empty", "Give 0 or more"),
        (
            0 < train + test <= MAX_CLIPS,
            f"train={train} and test={test} make no corpus",
            f"Ask for 1 to {MAX_CLIPS} clips",
        ),
        (1 <= speakers <= MAX_SPEAKERS, f"speakers={speakers} is out of range", f"Ask for 1 to {MAX_SPEAKERS}"),
        (1 <= fps <= 1000, f"fps={fps} is out of range", "Give a frame rate from 1 to 1000, such as 25"),
        (
            _is_range(seconds) and 0.2 <= seconds[0] <= seconds[1] <= 60,
            f"seconds={seconds} is no range of clip lengths",
            "Give the shortest and the longest, from 0.2 to 60, such as (2.5, 4.0)",
        ),
        (
            0 <= noise <= 0.5,
            f"noise={noise} is out of range",
            "Give a share of full brightness from 0 to 0.5, such as 0.01",
        ),
    )
    for holds, problem, remedy in checks:
        if not holds:
            raise UserError(problem, remedy=remedy)


def _check_kinds(options: dict[str, Any], kind: type, noun: str) -> None:
    for option, value in options.items():
        if not _is(value, kind):
            raise UserError(f"{option}={value} is not {noun}", remedy=f"Give {noun}, as in {option}=1")


def _is_range(value: Any) -> bool:
    pair = isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2
    return pair and all(_is(end, Real) for end in value)


def _is(value: Any, kind: type) -> bool:
    # Python counts True as a number, a user does not
    return isinstance(value, kind) and not isinstance(value, bool)
