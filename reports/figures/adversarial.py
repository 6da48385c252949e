"""With and without adversarial training, the middle of the mouth enlarged, after the paper's figure 6."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lipbench.reports.figures.figure import MissingFigure, ReportFigure, quality_condition
from lipbench.reports.figures.frames import GAP, LABEL_INCHES, inches_figure, put_frame, put_label
from lipbench.reports.figures.style import FAINT, INK, SMALL, WIDTH, house_style, plain_label
from lipbench.reports.formatting import join_words
from lipbench.reports.inputs.strips import TRUTH, Strip, StripRow
from lipbench.reports.paper import uses_adversarial_loss, uses_ssim_loss
from lipbench.reports.tables.quality import QualityTable

TITLE = "With and without adversarial training"
MOMENTS = 3
MOUTH_BOX = (0.2, 0.8)
"""Part of the frame's height and width that is enlarged: crops are made around the mouth."""
LOSSES = ("base", "+SSIM", "+ADV", "+SSIM+ADV")
"""Table 4's rows, in its order."""


class Ablation(NamedTuple):
    """Variants of one system on one utterance."""

    strip: Strip
    title: str
    """The system's."""
    truth: StripRow
    variants: list[tuple[str, StripRow]]
    """Losses (of `LOSSES`) and frames, in table 4's order."""


def draw_adversarial(strips: Sequence[Strip], table: QualityTable) -> ReportFigure | MissingFigure:
    """Figure 6 with its words.

    Args:
        strips: of `table`.
        table: of one condition.
    """
    ablation = find_ablation(strips)
    if ablation is None:
        return MissingFigure(title=TITLE, reason=_why(strips, table))
    present = list(dict.fromkeys(losses for losses, _ in ablation.variants))
    losses_of_other_clips = [
        losses for losses in LOSSES if losses not in present and losses in _losses_of_system(strips, ablation.title)
    ]
    missing = [losses for losses in LOSSES if losses not in present and losses not in losses_of_other_clips]
    names = [f"{losses} is {row.label}" for losses, row in ablation.variants]
    caption = (
        f"{ablation.title} trained with different losses (the paper's figure 6, the rows of its table 4): "
        f"{'; '.join(names)}. {ablation.strip.utterance}, “{ablation.strip.text}”; {quality_condition(table)}; n = 1 "
        "clip. "
        f"Left: a whole frame; right: its middle enlarged, at moments at which the real mouth differs most "
        "from its first frame. Look at teeth, wrinkles and edges of the lips: the paper finds them sharper with "
        "+ADV."
    )
    if losses_of_other_clips:
        caption += f" Not shown, as sampled from other clips or at other moments: {join_words(losses_of_other_clips)}."
    if missing:
        caption += f" Not measured, or without sample frames: {join_words(missing)}."
    return ReportFigure(
        name="adversarial",
        title=TITLE,
        caption=caption,
        alt=f"Rows of mouths: the truth, then {ablation.title} trained with {join_words(present)}.",
        figure=adversarial_figure(ablation),
    )


def paper_losses(row: StripRow) -> str | None:
    """Which losses trained what made a row, as table 4 calls them; None if its record does not tell."""
    training = row.system.training if row.system is not None else None
    if training is None:
        return None
    ssim = uses_ssim_loss(training.recipe)
    if ssim is None:
        return None
    adversarial = uses_adversarial_loss(training.recipe)
    return LOSSES[int(ssim) + 2 * int(adversarial)]


def find_ablation(strips: Sequence[Strip]) -> Ablation | None:
    """The utterance and system with most variants, some of them with and some without the discriminator."""
    best: Ablation | None = None
    for strip in strips:
        by_system: dict[str, list[tuple[str, StripRow]]] = {}
        for row in strip.rows:
            losses = paper_losses(row)
            if losses is not None and row.system is not None:
                by_system.setdefault(row.system.name, []).append((losses, row))
        for variants in by_system.values():
            # what is set side by side was sampled at the same moments: at those of most variants
            numbers = Counter(row.numbers for _, row in variants).most_common(1)[0][0]
            variants = sorted((v for v in variants if v[1].numbers == numbers), key=lambda v: LOSSES.index(v[0]))
            if len({"ADV" in losses for losses, _ in variants}) == 2 and (
                best is None or len(variants) > len(best.variants)
            ):
                truth = next(row for row in strip.rows if row.label == TRUTH and row.numbers == numbers)
                system = variants[0][1].system
                best = Ablation(strip, system.title if system is not None else "", truth, variants)
    return best


def _losses_of_system(strips: Sequence[Strip], title: str) -> set[str]:
    """Which losses trained the variants of a system that there are sample frames of."""
    rows = [row for strip in strips for row in strip.rows if row.system is not None and row.system.title == title]
    return {losses for row in rows if (losses := paper_losses(row)) is not None}


def _why(strips: Sequence[Strip], table: QualityTable) -> str:
    trained_losses = {losses for strip in strips for row in strip.rows if (losses := paper_losses(row)) is not None}
    if not strips:
        return "no sample frames are there"
    if not trained_losses:
        return "no record of a model tells which losses trained it"
    if any("ADV" in losses for losses in trained_losses) and any("ADV" not in losses for losses in trained_losses):
        titles = {row.system.title for strip in strips for row in strip.rows if row.system is not None}
        if any(len({"ADV" in losses for losses in _losses_of_system(strips, title)}) == 2 for title in titles):
            return "no clip was sampled at the same moments with and without the discriminator"
        return "no system was trained both with and without the discriminator"
    without = "with" if all("ADV" in losses for losses in trained_losses) else "without"
    return f"every model was trained {without} the discriminator ({join_words(sorted(trained_losses))})"


def moments(truth: np.ndarray) -> list[int]:
    """Where real frames differ most from the first, which models are given, and from one another, where it is enlarged.

    Args:
        truth: uint8 (K, H, W, 3).

    Returns:
        At most `MOMENTS` places, in their order in the clip; the first frame is none of them unless it is the only one.
    """
    middle = crop_mouth_box(truth).astype(np.float64)
    frame_indices = [0]
    while len(frame_indices) <= min(MOMENTS, len(truth) - 1):
        frame_distances = [np.abs(middle - middle[frame_index]).mean(axis=(1, 2, 3)) for frame_index in frame_indices]
        nearest = np.min(frame_distances, axis=0)
        nearest[frame_indices] = -1.0
        frame_indices.append(int(nearest.argmax()))
    return sorted(frame_indices[1:]) or [0]


def crop_mouth_box(frames: np.ndarray) -> np.ndarray:
    """The part `MOUTH_BOX` of frames, (…, H, W, 3)."""
    height, width = frames.shape[-3:-1]
    low, high = MOUTH_BOX
    return frames[..., round(low * height) : round(high * height), round(low * width) : round(high * width), :]


def adversarial_figure(ablation: Ablation) -> Figure:
    """A row for the truth and each variant: one whole frame, then enlarged ones.

    Args:
        ablation: see `find_ablation`.
    """
    rows = [(TRUTH, ablation.truth), *ablation.variants]
    frame_indices = moments(ablation.truth.frames)
    pitch = (WIDTH - LABEL_INCHES - 0.08) / (1 + len(frame_indices))
    height, width = ablation.truth.frames.shape[1:3]
    tall = (pitch - GAP) * height / width
    top = 0.36
    with house_style():
        figure, axes = inches_figure(top + len(rows) * (tall + GAP) + 0.02)
        axes.text(
            LABEL_INCHES,
            0.02,
            f"{plain_label(ablation.title)}, “{plain_label(ablation.strip.text, 70)}”",
            va="top",
            fontsize=SMALL,
            color=FAINT,
        )
        for level, (label, row) in enumerate(rows):
            y = top + level * (tall + GAP)
            put_label(axes, label, y + tall / 2, bold=label == TRUTH)
            put_frame(axes, row.frames[frame_indices[0]], LABEL_INCHES, y, pitch - GAP, tall)
            low, high = MOUTH_BOX
            axes.add_patch(
                Rectangle(
                    (LABEL_INCHES + low * (pitch - GAP), y + low * tall), (high - low) * (pitch - GAP),
                    (high - low) * tall, fill=False, edgecolor="white", linewidth=1.0,
                )
            )  # fmt: skip
            for column, at in enumerate(frame_indices, start=1):
                left = LABEL_INCHES + column * pitch + 0.06
                put_frame(axes, crop_mouth_box(row.frames[at]), left, y, pitch - GAP, tall)
        heads = [f"frame {ablation.truth.numbers[frame_indices[0]]}, whole"]
        heads += [f"frame {ablation.truth.numbers[at]}, enlarged" for at in frame_indices]
        for column, head in enumerate(heads):
            middle = LABEL_INCHES + column * pitch + (pitch - GAP) / 2 + (0.06 if column else 0)
            axes.text(middle, top - 0.03, head, ha="center", va="bottom", fontsize=7, color=INK)
    return figure
