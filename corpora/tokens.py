"""Text to token symbols, and word times to frames per token.

The character level writes a silence or word boundary ``|`` at both ends and between words, as ParaLip does:
"bin blue" becomes ``| b i n | b l u e |``. Boundaries inside a sentence usually last no frame at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lipbench.errors import UserError

BOUNDARY = "|"
"""Silence, and the boundary between words."""

LETTERS = "abcdefghijklmnopqrstuvwxyz'"
CHARACTERS: tuple[str, ...] = (BOUNDARY, *LETTERS)
"""All symbols of the character level."""

PHONE_SILENCE = "sil"
"""Silence among phone tokens."""

PHONES: tuple[str, ...] = (
    PHONE_SILENCE,
    "aa", "ae", "ah", "ao", "aw", "ay", "b", "ch", "d", "dh", "eh", "er", "ey", "f", "g", "hh", "ih", "iy", "jh", "k",
    "l", "m", "n", "ng", "ow", "oy", "p", "r", "s", "sh", "t", "th", "uh", "uw", "v", "w", "y", "z", "zh",
)  # fmt: skip
"""All symbols of the phone level: silence and the 39 ARPABET phones of the CMU Pronouncing Dictionary, no stress."""


def characters(text: str) -> tuple[str, ...]:
    """Split a sentence into character tokens.

    Args:
        text: words separated by spaces; case does not matter.

    Returns:
        Symbols such as ``("|", "b", "i", "n", "|")``. Characters outside `CHARACTERS` are passed on, so that the
        model's vocabulary can say that it has never seen them.

    Raises:
        UserError: the text holds no word, or the boundary symbol itself, which would pass for a silence.

    Example:
        >>> characters("Set  at")
        ('|', 's', 'e', 't', '|', 'a', 't', '|')
    """
    words = text.lower().split()
    if not words:
        raise UserError("the text is empty", remedy="Give at least one word, such as text='bin blue at f two now'")
    if BOUNDARY in text:
        raise UserError(f"the text holds a '{BOUNDARY}', which stands for silence", remedy="Put a space between words")
    tokens: list[str] = [BOUNDARY]
    for word in words:
        tokens.extend(word)
        tokens.append(BOUNDARY)
    return tuple(tokens)


def frames_per_token(edges: Sequence[float] | NDArray[np.float64], n_frames: int) -> NDArray[np.int64]:
    """Round token boundaries to whole frames without losing any.

    Boundaries are rounded one by one (cumulative rounding, as FastSpeech 2 does), clipped to the clip, and whatever is
    missing at either end goes to the first and the last token, so the result always sums to `n_frames`.

    Args:
        edges: m + 1 boundaries in frames, not decreasing.
        n_frames: length of the clip, at least 1.

    Returns:
        int64 (m,), each at least 0.

    Raises:
        ValueError: the boundaries decrease, or there are fewer than two.

    Example:
        >>> frames_per_token([0.0, 1.4, 2.6, 4.0], 5).tolist()
        [1, 2, 2]
    """
    boundaries = np.asarray(edges, dtype=np.float64)
    if boundaries.ndim != 1 or len(boundaries) < 2:
        raise ValueError("at least two boundaries are needed")
    if (np.diff(boundaries) < 0).any():
        raise ValueError("boundaries must not decrease")
    # floor(x + 0.5), not np.round: halves go up, so equal tokens get equal frames wherever they stand
    frame_edges = np.clip(np.floor(boundaries + 0.5).astype(np.int64), 0, n_frames)
    frame_edges[0], frame_edges[-1] = 0, n_frames
    return np.diff(frame_edges)
