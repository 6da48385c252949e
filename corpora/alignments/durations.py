"""From times in seconds to whole frames per token, so that the durations always sum to the frames of the video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lipbench.corpora.alignments.alignment import SILENCE, Alignment, AlignmentError, LabelInterval
from lipbench.corpora.tokens import BOUNDARY, LETTERS, PHONE_SILENCE, characters, frames_per_token

Level = Literal["characters", "words", "phones"]
"""What a token is."""


@dataclass(frozen=True, kw_only=True)
class Slack:
    """How far labels may run past the end of the video before the clip is refused; what does is cut, and said."""

    speech_s: float = 0.0
    silence_s: float = 0.04


@dataclass(frozen=True, kw_only=True)
class TokenTimes:
    """Tokens of a clip with their durations in frames."""

    text: str
    """Words, or phones where no words are known, between single spaces."""
    tokens: tuple[str, ...]
    durations: NDArray[np.int64]
    """(m,) frames per token, at least 0, summing to the frames of the clip."""
    source: str
    """Where the durations come from, such as "grid align, characters by even split"."""
    repairs: tuple[str, ...]
    """What had to be put right for this video."""


def align_tokens(
    alignment: Alignment, level: Level, n_frames: int, *, fps: float, slack: Slack | None = None
) -> TokenTimes:
    """Turn an alignment into tokens and durations.

    Boundaries are rounded one by one (`lipbench.corpora.tokens.frames_per_token`); what is missing at either end
    goes to the silences there, which every level has. A token that is shorter than a frame may last none.

    Characters and words have ``|`` at both ends and between words; silences, pauses and unlabelled gaps belong to the
    ``|`` around them. Characters share their word's time evenly, unless the phones of every word are its letters, as
    those of an aligner that was trained on spelling are. Phones have ``sil`` at both ends and where silence is.

    Args:
        alignment: from `lipbench.corpora.alignments.read_alignment`.
        level: what a token is.
        n_frames: length of the video, at least 1.
        fps: frames per second.
        slack: how far labels may run past the video; None for the usual, one frame of silence at 25 per second.

    Raises:
        AlignmentError: the labels run too far past the video, the alignment has no such level, or a word holds
            characters that are no tokens.

    Example:
        >>> from lipbench.corpora.alignments.alignment import LabelInterval
        >>> spoken = Alignment(format="by hand", words=(LabelInterval(0.1, 0.3, "at"),))
        >>> times = align_tokens(spoken, "characters", 10, fps=25.0)
        >>> times.tokens, times.durations.tolist()
        (('|', 'a', 't', '|'), [3, 2, 3, 2])
    """
    tier = alignment.phones if level == "phones" else alignment.words
    if not tier:
        raise AlignmentError(f"an alignment by {alignment.format} has no {level}")
    frames = [LabelInterval(_frames(i.start, fps), _frames(i.end, fps), i.label) for i in tier]
    repairs = _overrun(frames, n_frames, fps, slack or Slack())
    speech = [interval for interval in frames if interval.label != SILENCE]
    text = " ".join(interval.label for interval in alignment.words or speech if interval.label != SILENCE)
    source = level
    if level == "phones":
        tokens, edges = _phones(frames)
    elif level == "words":
        tokens, edges = _words(speech)
    else:
        letter_edges = _letter_boundaries(alignment, fps)
        source = "characters as aligned" if letter_edges else "characters by even split"
        tokens, edges = _letters(speech, letter_edges)
    last = max(float(n_frames), frames[-1].end, edges[-1])
    return TokenTimes(
        text=text,
        tokens=tokens,
        durations=frames_per_token([0.0, *edges, last], n_frames),
        source=f"{alignment.format}, {source}",
        repairs=repairs,
    )


def _frames(seconds: float, fps: float) -> float:
    # to a millionth, so that a time which is half a frame in the file still is one after the division
    return round(seconds * fps, 6)


def _overrun(frames: Sequence[LabelInterval], n_frames: int, fps: float, slack: Slack) -> tuple[str, ...]:
    speech_end = [interval for interval in frames if interval.label != SILENCE][-1].end
    last = frames[-1].end
    if speech_end > n_frames + slack.speech_s * fps + 1e-6 or last > n_frames + slack.silence_s * fps + 1e-6:
        raise AlignmentError(f"the alignment runs to frame {last:g}, the video has only {n_frames}")
    if speech_end > n_frames:
        return (f"speech is labelled to frame {speech_end:.2f}, past the {n_frames} of the video: cut there",)
    if last > n_frames + 1:
        return (f"silence is labelled to frame {last:.2f}, past the {n_frames} of the video: cut there",)
    return ()


def _phones(frames: Sequence[LabelInterval]) -> tuple[tuple[str, ...], list[float]]:
    """Tokens with a silence at both ends, and the boundaries between them."""
    tokens, edges = [PHONE_SILENCE], []
    for number, interval in enumerate(frames):
        silent = interval.label == SILENCE
        gap = number > 0 and interval.start > frames[number - 1].end
        if gap and tokens[-1] != PHONE_SILENCE:
            edges.append(frames[number - 1].end)
            tokens.append(PHONE_SILENCE)
        # two silences in a row are one
        if silent and tokens[-1] == PHONE_SILENCE:
            continue
        edges.append(interval.start)
        tokens.append(PHONE_SILENCE if silent else interval.label)
    if tokens[-1] != PHONE_SILENCE:
        edges.append(frames[-1].end)
        tokens.append(PHONE_SILENCE)
    return tuple(tokens), edges


def _words(speech: Sequence[LabelInterval]) -> tuple[tuple[str, ...], list[float]]:
    tokens, edges = [BOUNDARY], []
    for word in speech:
        tokens += [word.label, BOUNDARY]
        edges += [word.start, word.end]
    return tuple(tokens), edges


def _letters(
    speech: Sequence[LabelInterval], letter_edges: Sequence[Sequence[float]] | None
) -> tuple[tuple[str, ...], list[float]]:
    edges: list[float] = []
    for number, word in enumerate(speech):
        strange = sorted(set(word.label) - set(LETTERS))
        if strange:
            raise AlignmentError(f"the word '{word.label[:40]}' holds {' '.join(strange)}, which is no character token")
        edges.extend(
            letter_edges[number] if letter_edges else np.linspace(word.start, word.end, len(word.label) + 1).tolist()
        )
    return characters(" ".join(word.label for word in speech)), edges


def _letter_boundaries(alignment: Alignment, fps: float) -> list[list[float]] | None:
    """Boundaries of the letters of each word in frames, if its phones are its letters; None if any word's are not."""
    letter_edges = []
    for word in alignment.words:
        if word.label == SILENCE:
            continue
        inside = [p for p in alignment.phones if p.label and word.start <= (p.start + p.end) / 2 < word.end]
        if [phone.label for phone in inside] != list(word.label):
            return None
        letter_edges.append([*(_frames(phone.start, fps) for phone in inside), _frames(inside[-1].end, fps)])
    return letter_edges
