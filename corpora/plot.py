"""One utterance as a picture: frames with their landmarks, and below them, on one time axis, tokens and lip opening."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from lipbench.corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH, Utterance

DPI = 150
SILENCES = frozenset({"|", "sil"})

INK, FAINT, RULE = "#222222", "#666666", "#d9d9d9"
SILENCE_COLOR = "#efefef"
TINTS = ("#cfe2f0", "#f6dfc4")
"""Of the tokens, by turns from word to word, or from phone to phone."""
CURVE, MARK = "#0072B2", "#D55E00"
OUTER, INNER = "#ffffff", "#ffd23f"
"""Of the lip contours drawn on the frames."""

_PICTURE_INCHES = 1.5
"""About how wide a frame is shown, above the stretch of time in whose middle it is."""
_HEAD_INCHES, _FOOT_INCHES = 0.72, 0.42
_LEFT, _ACROSS = 0.03, 0.945
"""Where the time axis begins, and how much of the width it takes."""
_LIPS = ([*range(12), 0], [*range(12, 20), 12])
"""The outer and the inner contour among the 20 points, closed."""
_INNER_PAIRS = ((13, 19), (14, 18), (15, 17))
"""Points of the inner contour that face each other, upper and lower."""
_STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.edgecolor": "#999999",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "text.color": INK,
    "figure.facecolor": "white",
}


class _Token(NamedTuple):
    symbol: str
    start: int
    length: int
    tint: str


def lip_opening(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Distance between the inner edges of the lips.

    Args:
        landmarks: (T, 20, 2) mouth points in pixels.

    Returns:
        (T,) pixels: the mean over the three middle pairs of points.
    """
    pairs = [np.linalg.norm(landmarks[:, a] - landmarks[:, b], axis=-1) for a, b in _INNER_PAIRS]
    return np.stack(pairs).astype(np.float64).mean(axis=0)


def plot_utterance(utterance: Utterance) -> bytes:
    """Draw an utterance.

    Returns:
        A PNG.
    """
    n_frames = len(utterance.frames)
    inches = float(np.clip(0.16 * n_frames, 12.0, 30.0))
    frame_numbers = _frame_numbers(n_frames, round(inches / _PICTURE_INCHES))
    picture_height = inches * _ACROSS / len(frame_numbers) * FRAME_HEIGHT / FRAME_WIDTH
    # pictures, tokens (some room above them belongs to those of no frame), the curve's caption, the curve
    heights = [picture_height, 0.72, 0.24, 1.5]
    height = sum(heights) + _HEAD_INCHES + _FOOT_INCHES
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(inches, height), dpi=DPI)
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(4, 1, height_ratios=heights, hspace=0, left=_LEFT, right=_LEFT + _ACROSS)
        grid.update(top=1 - _HEAD_INCHES / height, bottom=_FOOT_INCHES / height)
        pictures, lane, curve = (figure.add_subplot(grid[row]) for row in (0, 1, 3))
        _title(figure, utterance)
        _pictures(pictures, utterance, frame_numbers)
        tokens = list(_tokens(utterance))
        _lane(lane, tokens, n_frames, points_per_frame=72 * _ACROSS * inches / n_frames)
        _curve(curve, utterance, tokens, frame_numbers)
        buffer = io.BytesIO()
        # no version of matplotlib in the file: the same utterance gives the same bytes
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _frame_numbers(n_frames: int, count: int) -> NDArray[np.int64]:
    """Numbers of the frames shown: the middle one of each of so many equal stretches."""
    count = min(count, n_frames)
    return ((np.arange(count) + 0.5) * n_frames / count).astype(np.int64)


def _title(figure: Figure, utterance: Utterance) -> None:
    height = figure.get_figheight()
    seen_note = {True: ", sentence also in training", False: ", sentence not in training", None: ""}[utterance.seen]
    length = f"{len(utterance.frames)} frames, {len(utterance.frames) / utterance.fps:.2f} s at {utterance.fps:.5g} fps"
    split_text = f"{utterance.split}{seen_note if utterance.split == 'test' else ''}"
    facts = f"{utterance.id}   ·   {split_text}   ·   {length}   ·   durations: {utterance.duration_source}"
    figure.text(_LEFT, 1 - 0.32 / height, _shorten(utterance.text, 110), fontsize=14, fontweight="bold", va="baseline")
    figure.text(_LEFT, 1 - 0.56 / height, facts, color=FAINT, va="baseline")


def _shorten(text: str, max_length: int) -> str:
    return text if len(text) <= max_length else f"{text[: max_length - 1]}…"


def _pictures(axes: Axes, utterance: Utterance, frame_numbers: NDArray[np.int64]) -> None:
    """The frames side by side, to the scale of the time axis below, with the lip contours on them."""
    gap = 4
    axes.set_xlim(0, len(frame_numbers) * FRAME_WIDTH)
    axes.set_ylim(FRAME_HEIGHT, 0)
    axes.axis("off")
    for place, number in enumerate(frame_numbers.tolist()):
        left = place * FRAME_WIDTH
        edges = (left + gap / 2, left + FRAME_WIDTH - gap / 2, FRAME_HEIGHT, 0)
        axes.imshow(utterance.frames[number], extent=edges, interpolation="bicubic", aspect="auto")
        # pixel centres are at integers, and the picture is a little narrower than its place
        x, y = (utterance.landmarks[number] + 0.5).T
        x = left + gap / 2 + x * (FRAME_WIDTH - gap) / FRAME_WIDTH
        for contour, color in zip(_LIPS, (OUTER, INNER), strict=True):
            axes.plot(x[contour], y[contour], color=color, linewidth=0.9, alpha=0.85)
            axes.plot(x[contour], y[contour], color=color, marker="o", markersize=1.8, linestyle="none")
        # black on white, so that it can be read on any skin
        label = f"{number}"
        box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
        axes.text(left + gap / 2 + 5, FRAME_HEIGHT - 5, label, fontsize=7.5, va="bottom", bbox=box)


def _tokens(utterance: Utterance) -> Iterator[_Token]:
    start, turn = 0, 0
    characters = "|" in utterance.tokens
    for symbol, length in zip(utterance.tokens, utterance.durations.tolist(), strict=True):
        quiet = symbol in SILENCES
        yield _Token(symbol, start, length, SILENCE_COLOR if quiet else TINTS[turn % 2])
        # words take turns where boundaries part them, phones one by one
        turn += quiet if characters else not quiet
        start += length


def _lane(axes: Axes, tokens: list[_Token], n_frames: int, *, points_per_frame: float) -> None:
    """Tokens as boxes; those that last no frame as small letters above the place where they would be."""
    axes.set_xlim(0, n_frames)
    axes.set_ylim(0, 1.35)
    axes.axis("off")
    unvoiced: dict[int, list[str]] = {}
    for number, token in enumerate(tokens):
        if token.length == 0:
            if token.symbol not in SILENCES:
                unvoiced.setdefault(token.start, []).append(token.symbol)
            continue
        axes.add_patch(
            Rectangle((token.start, 0), token.length, 1, facecolor=token.tint, edgecolor="white", linewidth=0.8)
        )
        if token.symbol in SILENCES and token.length * points_per_frame < 30:
            continue
        _label(axes, token, points=token.length * points_per_frame, odd=number % 2 == 1)
    for start, symbols in unvoiced.items():
        axes.plot([start, start], [0, 1.08], color=MARK, linewidth=0.8)
        axes.text(start, 1.12, " ".join(symbols), ha="center", va="bottom", fontsize=6, color=MARK)


def _label(axes: Axes, token: _Token, *, points: float, odd: bool) -> None:
    """A token's symbol and, small, its frames, in a box so many points wide."""
    middle = token.start + token.length / 2
    axes.text(middle, 0.1, str(token.length), ha="center", va="bottom", color=FAINT, fontsize=5.5)
    if token.symbol in SILENCES:
        axes.text(middle, 0.58, "silence", ha="center", va="center", color=FAINT, fontsize=7.5)
        return
    room = points / len(token.symbol)
    # a label wider than its box steps up or down, out of its neighbour's way
    step = 0.0 if room > 5.5 else (0.16 if odd else -0.08)
    size = float(np.clip(1.2 * room, 6, 10))
    axes.text(middle, 0.58 + step, token.symbol, ha="center", va="center", fontsize=size)


def _curve(axes: Axes, utterance: Utterance, tokens: list[_Token], frame_numbers: NDArray[np.int64]) -> None:
    n_frames = len(utterance.frames)
    opening = lip_opening(utterance.landmarks)
    top = max(1.0, 1.12 * float(opening.max()))
    axes.set_xlim(0, n_frames)
    axes.set_ylim(0, top)
    for token in tokens:
        if token.symbol in SILENCES and token.length:
            axes.axvspan(token.start, token.start + token.length, color=SILENCE_COLOR, linewidth=0)
    # frame t lasts from t to t + 1 on this axis, as tokens do
    times = np.arange(n_frames) + 0.5
    axes.fill_between(times, opening, color=CURVE, alpha=0.12, linewidth=0)
    axes.plot(times, opening, color=CURVE, linewidth=1.6)
    axes.plot(
        times[frame_numbers],
        opening[frame_numbers],
        color=MARK,
        marker="o",
        markersize=4.5,
        linestyle="none",
        clip_on=False,
    )
    axes.set_title("inner-lip opening in pixels; dots are the frames above", loc="left", fontsize=8, color=FAINT, pad=4)
    ticks = np.arange(0, n_frames + 1, max(1, 5 * round(n_frames / 75)))
    axes.set_xticks(ticks, [f"{frame}\n{frame / utterance.fps:.2f} s" for frame in ticks.tolist()], fontsize=7.5)
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
